"""Forget what people and feeds were told long ago."""

from vocelio.notifications.models import FeedEntry, Notification
from vocelio.organizations.models import Organization
from vocelio.organizations.retention import kept_since
from vocelio.organizations.scope import organization_scope


def purge_told() -> int:
    """Delete every organization's notifications and feed entries past their time; return how many."""
    purged = 0
    for organization_id in Organization.objects.values_list("pk", flat=True):
        with organization_scope(organization_id):
            before = kept_since("notifications")
            for model in (Notification, FeedEntry):
                purged += model.objects.filter(created_at__lt=before).delete()[0]
    return purged
