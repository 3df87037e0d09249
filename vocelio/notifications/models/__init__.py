from vocelio.notifications.models.feed import FeedEntry
from vocelio.notifications.models.notifications import Notification, NotificationPreference

__all__ = ["FeedEntry", "Notification", "NotificationPreference"]
