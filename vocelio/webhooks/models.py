"""Endpoints of other systems, the events they were told of, and each delivery with its attempts."""

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from vocelio.crypto.fields import EncryptedTextField
from vocelio.db.fields import TenantForeignKey
from vocelio.languages.translate import translated
from vocelio.organizations.models import Organization, TenantManager, TenantModel, TenantQuerySet, TenantRow


class WebhookCursor(models.Model):
    """The number of the last event that was turned into deliveries. Outside the policies, like the heads it follows."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True)
    sequence = models.BigIntegerField()

    class Meta:
        db_table = "webhook_cursors"

    def __str__(self) -> str:
        return str(self.sequence)


class WebhookEndpoint(TenantModel):  # type: ignore[django-manager-missing]  # its deliveries have one of their own making
    """Where an organization wants to be told, and of what."""

    url = models.CharField("URL", max_length=2000)
    description = models.CharField(max_length=300, blank=True, default="")
    events = ArrayField(models.CharField(max_length=60))
    is_enabled = models.BooleanField(default=True)
    secret = EncryptedTextField()
    # Signs beside the new one until then, so that receivers change over when they like.
    previous_secret = EncryptedTextField(blank=True, default="")
    previous_until = models.DateTimeField(null=True)
    # Events after this number: what happened before it was enabled is not told.
    since = models.BigIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, help_text="Since when every attempt has failed.")
    disabled_at = models.DateTimeField(null=True, help_text="When it was disabled for failing.")
    disabled_reason = models.CharField(max_length=300, blank=True, default="")
    # One worker at a time; the next one at once when this one's time runs out.
    lease_until = models.DateTimeField(null=True)
    resting_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        db_table = "webhook_endpoints"
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="webhook_endpoints_newest")]

    def __str__(self) -> str:
        return self.url


class WebhookEvent(TenantRow):  # type: ignore[django-manager-missing]  # its deliveries have one of their own making
    """One fact as endpoints are told of it. Its id is the `webhook-id`, the same for every endpoint and attempt."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    type = models.CharField(max_length=60)
    sequence = models.BigIntegerField(null=True, help_text="Of the event among the organization's; null of a test.")
    body = EncryptedTextField()
    # Whoever is in the body: an erased person's events go too.
    record_ids = ArrayField(models.UUIDField(), default=list)

    class Meta:
        db_table = "webhook_events"
        constraints = [
            models.UniqueConstraint(fields=["organization", "sequence", "type"], name="one_webhook_event_per_fact")
        ]
        indexes = [models.Index(fields=["organization", "created_at"], name="webhook_events_oldest")]

    def __str__(self) -> str:
        return self.type


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    SENDING = "sending", "Sending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"


class DeliveryQuerySet(TenantQuerySet):
    def waiting(self) -> Self:
        """Keep what is still to be sent, or was claimed and has no outcome yet."""
        return self.filter(status__in=[DeliveryStatus.PENDING, DeliveryStatus.SENDING])

    def due(self) -> Self:
        """Keep what is to be sent now; what a dead worker claimed is so once its claim has run out."""
        return self.waiting().filter(next_attempt_at__lte=Now())


DeliveryManager = TenantManager.from_queryset(DeliveryQuerySet)


class WebhookDelivery(TenantModel):
    """One event for one endpoint."""

    event = TenantForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    endpoint = TenantForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    status = models.CharField(max_length=20, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    # Of this round: a replay begins a new one.
    attempts = models.PositiveSmallIntegerField(default=0)
    # While it is sent: when the claim runs out.
    next_attempt_at = models.DateTimeField(db_default=Now(), null=True)
    delivered_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")

    objects: ClassVar[Any] = DeliveryManager()

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["organization", "event", "endpoint"], name="one_delivery_per_endpoint"),
            models.CheckConstraint(
                condition=models.Q(status__in=DeliveryStatus.values), name="webhook_delivery_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "sending"], next_attempt_at__isnull=False)
                | models.Q(status__in=["delivered", "failed"], next_attempt_at__isnull=True),
                name="webhook_delivery_waits_or_is_over",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="webhook_deliveries_newest"),
            models.Index(fields=["organization", "endpoint", "-created_at", "-id"], name="webhook_deliveries_endpoint"),
            models.Index(
                fields=["organization", "endpoint", "next_attempt_at"],
                name="webhook_deliveries_due",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return translated(f"Delivery of {self.event.type}")


class WebhookAttempt(TenantRow):
    """One request; noted before it is sent, so that one which a dying worker sent is known too."""

    delivery = TenantForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempt_log", db_index=False)
    started_at = models.DateTimeField(db_default=Now())
    duration_ms = models.PositiveIntegerField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.TextField(blank=True, default="", help_text="Its beginning.")
    error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        db_table = "webhook_attempts"
        indexes = [models.Index(fields=["organization", "delivery"], name="webhook_attempts_of_delivery")]

    def __str__(self) -> str:
        return f"attempt at {self.started_at}"
