"""Messages: the outbox and what came in."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Now

from comms.models.accounts import ChannelAccount, Medium
from comms.models.batches import MessageBatch
from comms.models.sequences import Enrolment
from comms.models.templates import TemplateVersion
from contacts.models import Client, Contact
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet


class Direction(models.TextChoices):
    OUTBOUND = "outbound", "To the person"
    INBOUND = "inbound", "From the person"


class MessageStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    READ = "read", "Read"
    REPLIED = "replied", "Replied"
    FAILED = "failed", "Failed"
    BOUNCED = "bounced", "Bounced"
    UNKNOWN = "unknown", "Unknown"
    CANCELLED = "cancelled", "Cancelled"
    RECEIVED = "received", "Received"


# What a report may make of a message: only what stands further on. A trigger holds it (migration 0001).
RANK = {
    MessageStatus.QUEUED: 0,
    MessageStatus.SENDING: 1,
    MessageStatus.UNKNOWN: 2,
    MessageStatus.SENT: 3,
    MessageStatus.FAILED: 4,
    MessageStatus.BOUNCED: 4,
    MessageStatus.DELIVERED: 5,
    MessageStatus.READ: 6,
    MessageStatus.REPLIED: 7,
    MessageStatus.CANCELLED: 9,
    MessageStatus.RECEIVED: 9,
}


class Purpose(models.TextChoices):
    """Why it is sent: what is written to one person by another, what goes to many, what a law lets pass an opt-out."""

    PERSONAL = "personal", "To one person"
    BULK = "bulk", "To many"
    CONFIRMATION = "confirmation", "Confirms an opt-out"


class CommunicationQuerySet(TenantQuerySet):
    def due(self) -> Self:
        """Keep what should be on its way by now."""
        return self.filter(status=MessageStatus.QUEUED, scheduled_at__lte=Now())

    def by_hand(self) -> Self:
        """Keep what waits for a person to send it."""
        return self.filter(status=MessageStatus.QUEUED, channel=Medium.LINKEDIN)

    def tally(self, batch: MessageBatch) -> dict[str, int]:
        """Return how many messages of a batch have each status."""
        rows = self.filter(batch=batch).order_by().values_list("status").annotate(number=Count("pk"))
        return dict(rows)


CommunicationManager = TenantManager.from_queryset(CommunicationQuerySet)


class Communication(TenantModel):
    """A message to a person or from one.

    `idempotency_key` is unique: a batch or a sequence never queues a message twice, however often its worker dies.
    Between `attempted_at` and the provider's answer a message may or may not have gone out; nobody sends it again then.
    """

    owner_field = "contact__assigned_to"

    direction = models.CharField(max_length=10, choices=Direction, default=Direction.OUTBOUND)
    channel = models.CharField(max_length=20, choices=Medium)
    purpose = models.CharField(max_length=15, choices=Purpose, default=Purpose.PERSONAL)
    status = models.CharField(max_length=10, choices=MessageStatus, default=MessageStatus.QUEUED)
    account = TenantForeignKey(ChannelAccount, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    client = TenantForeignKey(Client, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    # Another record it belongs to; which kinds there are, say services/subjects.py.
    subject_type = models.CharField(max_length=30, blank=True, default="")
    subject_id = models.UUIDField(null=True)
    address = models.CharField(max_length=320, help_text="The person's.")
    subject = models.CharField(max_length=500, blank=True, default="")
    # Of a template: written when the message is claimed.
    body_text = models.TextField(blank=True, default="")
    body_html = models.TextField(blank=True, default="")
    version = TenantForeignKey(TemplateVersion, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    variables = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    attachments = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    batch = TenantForeignKey(MessageBatch, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    enrolment = TenantForeignKey(Enrolment, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    reply_to = TenantForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=120, blank=True, default="")
    scheduled_at = models.DateTimeField(db_default=Now())
    in_window = models.BooleanField(default=False, help_text="Only within the recipient's local hours.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    claimed_until = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True, help_text="When it was last handed to the provider.")
    provider_id = models.CharField(max_length=250, blank=True, default="")
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_message = models.CharField(max_length=500, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    replied_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = CommunicationManager()

    class Meta:
        db_table = "communications"
        verbose_name = "message"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="one_message_per_key",
            ),
            models.UniqueConstraint(
                fields=["organization", "account", "provider_id"],
                condition=~Q(provider_id=""),
                name="one_message_per_provider_id",
            ),
            models.CheckConstraint(condition=Q(status__in=MessageStatus.values), name="message_status_known"),
            models.CheckConstraint(condition=Q(channel__in=Medium.values), name="message_channel_known"),
            models.CheckConstraint(
                condition=Q(direction="inbound", status="received") | Q(direction="outbound") & ~Q(status="received"),
                name="message_received_is_inbound",
            ),
            models.CheckConstraint(
                condition=~Q(status="sending") | Q(claimed_until__isnull=False), name="message_sending_is_claimed"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="messages_newest"),
            models.Index(
                fields=["organization", "contact", "-created_at"],
                name="messages_of_contact",
                condition=Q(contact__isnull=False),
            ),
            models.Index(
                fields=["organization", "account", "batch", "scheduled_at"],
                name="messages_due",
                condition=Q(status="queued"),
            ),
            models.Index(
                fields=["organization", "claimed_until"], name="messages_claimed", condition=Q(status="sending")
            ),
            models.Index(
                fields=["organization", "address"],
                name="messages_waiting_for",
                condition=Q(status__in=["queued", "sending"]),
            ),
            models.Index(
                fields=["organization", "batch", "status"], name="messages_of_batch", condition=Q(batch__isnull=False)
            ),
            models.Index(
                fields=["organization", "version"], name="messages_of_version", condition=Q(version__isnull=False)
            ),
            models.Index(
                fields=["organization", "subject_id"], name="messages_about", condition=Q(subject_id__isnull=False)
            ),
            models.Index(
                fields=["organization", "client"], name="messages_of_client", condition=Q(client__isnull=False)
            ),
            models.Index(
                fields=["organization", "enrolment"], name="messages_of_enrolment", condition=Q(enrolment__isnull=False)
            ),
        ]

    @property
    def has_its_text(self) -> bool:
        """Whether its text stands already: in a person's words, or ready for a person to send."""
        return self.version_id is None or self.channel == Medium.LINKEDIN

    def __str__(self) -> str:
        return self.subject or self.body_text[:60] or f"{self.get_channel_display()} to {self.address}"
