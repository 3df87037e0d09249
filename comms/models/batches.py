"""Messages to many: queued by a job, sent like all others."""

from typing import Any

from django.db import models
from django.db.models import Q

from comms.models.accounts import ChannelAccount
from comms.models.templates import CommunicationTemplate
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job


class MessageBatch(Job):
    """One message to everybody a filter finds. The job queues: processed = queued + skipped; what becomes of the queued
    is theirs to say (`Communication.objects.tally(batch)`)."""

    task = "comms.tasks.run_batch"
    noun = "batch"

    name = models.CharField(max_length=200)
    template = TenantForeignKey(CommunicationTemplate, on_delete=models.PROTECT, related_name="+", db_index=False)
    # Two versions are compared when there are two; the first gets `share_a` percent.
    version_a = models.PositiveIntegerField()
    version_b = models.PositiveIntegerField(null=True)
    share_a = models.PositiveSmallIntegerField(default=50)
    account = TenantForeignKey(ChannelAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    filter = models.JSONField(default=dict, help_text="Parameters of GET /contacts.")
    variables = models.JSONField(default=dict)
    scheduled_at = models.DateTimeField()
    spread_minutes = models.PositiveIntegerField(default=0, help_text="Over how long the messages are spread.")
    in_window = models.BooleanField(default=True, help_text="Only within the recipient's local hours.")
    queued = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0, help_text="Without an address, or with another's.")
    paused_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True, help_text="Cancelled: what is not sent will not be.")
    finished_at = models.DateTimeField(null=True, help_text="Nothing is left to send.")

    class Meta(Job.Meta):
        db_table = "message_batches"
        verbose_name = "message batch"
        verbose_name_plural = "message batches"
        constraints = [
            models.CheckConstraint(condition=Q(share_a__gte=1, share_a__lte=99), name="batch_share_is_a_part"),
            models.CheckConstraint(
                condition=Q(version_b__isnull=True) | ~Q(version_b=models.F("version_a")),
                name="batch_compares_two_versions",
            ),
        ]
        indexes = [
            *Job.Meta.indexes,
            models.Index(
                fields=["organization", "account", "scheduled_at"],
                name="batches_to_send",
                condition=Q(finished_at__isnull=True, paused_at__isnull=True, stopped_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """Return how it stands, in a word: queueing, sending, paused, cancelled, failed or finished."""
        if self.stopped_at is not None or self.status == "cancelled":
            return "cancelled"
        if self.status == "failed":
            return "failed"
        if self.paused_at is not None:
            return "paused"
        if self.status != "completed":
            return "queueing"
        return "finished" if self.finished_at is not None else "sending"

    def audit_counts(self) -> dict[str, int]:
        return {"processed": self.processed, "queued": self.queued, "skipped": self.skipped}

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {
            "batchId": str(self.pk),
            "state": self.state,
            "queued": self.queued,
            "skipped": self.skipped,
        }
