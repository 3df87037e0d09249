"""What one person is told, and how they want to be told."""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now

from vocelio.access.principal import Principal
from vocelio.notifications.kinds import Channel
from vocelio.organizations.models import TenantManager, TenantQuerySet, TenantRow


class NotificationQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep the caller's own: nobody reads another person's notifications, whatever their role."""
        return self.filter(user_id=principal.user_id)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)


NotificationManager = TenantManager.from_queryset(NotificationQuerySet)


class Notification(TenantRow):
    """One thing one person is told of once. `key` names the occasion: a second notice of it is not made."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    user = models.ForeignKey("users.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=300)
    body = models.TextField(blank=True, default="")
    resource = models.CharField(max_length=60, blank=True, default="")
    resource_id = models.UUIDField(null=True)
    key = models.CharField(max_length=120)
    read_at = models.DateTimeField(null=True)
    emailed_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = NotificationManager()

    class Meta:
        db_table = "notifications"
        constraints = [
            models.UniqueConstraint(fields=["organization", "user", "key"], name="one_notification_per_occasion")
        ]
        indexes = [
            models.Index(fields=["organization", "user", "-created_at", "-id"], name="notifications_newest"),
            models.Index(
                fields=["organization", "user"],
                name="notifications_unread",
                condition=models.Q(read_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NotificationPreference(TenantRow):
    """One person's wish about one kind and channel; without a row the kind's own default holds."""

    user = models.ForeignKey("users.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=20, choices=Channel)
    is_enabled = models.BooleanField()

    class Meta:
        db_table = "notification_preferences"
        constraints = [
            models.UniqueConstraint(fields=["organization", "user", "kind", "channel"], name="one_wish_per_channel"),
            models.CheckConstraint(condition=models.Q(channel__in=Channel.values), name="preference_channel_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}: {self.is_enabled}"
