"""Runs of the sync, and what became of each record."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from contacts.models import Client, Contact
from crm_sync.models.integrations import CrmIntegration
from crm_sync.models.links import KINDS, CrmLink, OfRecord, one_record
from crm_sync.providers.values import Kind
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job, JobStatus
from vocelio.languages.translate import translated
from vocelio.organizations.models import TenantRow


class CrmSyncRun(Job):
    """One run. Its counts add up: processed = added + updated + skipped + errors, on both sides and of all kinds together."""

    task = "crm_sync.tasks.run_sync"
    noun = "crm_sync"

    class Type(models.TextChoices):
        AUTO = "auto_sync", "Automatic"
        MANUAL = "manual_sync", "By hand"
        WEBHOOK = "webhook_sync", "Webhook"
        ROLLBACK = "rollback", "Rollback"

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCESS = "success", "Success"
        WARNING = "warning", "Some records failed"
        ERROR = "error", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    integration = TenantForeignKey(CrmIntegration, on_delete=models.CASCADE, related_name="+", db_index=False)
    sync_type = models.CharField(max_length=50, choices=Type, default=Type.MANUAL)
    is_full = models.BooleanField(default=False)
    is_dry = models.BooleanField(default=False)
    date_from = models.DateTimeField(null=True)
    # A person has seen the mass change and wants it.
    is_confirmed = models.BooleanField(default=False)
    undoes = TenantForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    contacts_added = models.PositiveIntegerField(default=0)
    contacts_updated = models.PositiveIntegerField(default=0)
    contacts_skipped = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    sync_details = models.JSONField(default=dict)
    parked_until = models.DateTimeField(null=True)
    pauses = models.PositiveSmallIntegerField(default=0)

    class Meta(Job.Meta):
        db_table = "crm_sync_logs"
        verbose_name = "CRM sync"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration"],
                name="one_crm_sync_at_a_time",
                condition=models.Q(status__in=["pending", "processing"]),
            )
        ]
        indexes = [
            *Job.Meta.indexes,
            models.Index(fields=["organization", "integration", "-created_at"], name="crm_syncs_of_connection"),
        ]

    def __str__(self) -> str:
        return translated(f"Sync run: {self.get_sync_type_display()}")

    @property
    def outcome(self) -> str:
        """Return the document's word for how the run went."""
        match self.status:
            case JobStatus.COMPLETED:
                return self.Outcome.WARNING if self.error_count else self.Outcome.SUCCESS
            case JobStatus.FAILED:
                return self.Outcome.ERROR
            case JobStatus.CANCELLED:
                return self.Outcome.CANCELLED
        return self.Outcome.RUNNING

    @property
    def duration(self) -> int | None:
        """Return the milliseconds the run took."""
        if self.started_at is None or self.completed_at is None:
            return None
        return int((self.completed_at - self.started_at).total_seconds() * 1000)

    @property
    def event(self) -> str:
        return "crm_sync_update"

    def audit_counts(self) -> dict[str, int]:
        return {
            "processed": self.processed,
            "added": self.contacts_added,
            "updated": self.contacts_updated,
            "skipped": self.contacts_skipped,
            "errors": self.error_count,
        }

    def progress_event(self) -> dict[str, Any]:
        parked = self.parked_until is not None
        status = "parked" if parked else "syncing" if self.outcome == self.Outcome.RUNNING else self.outcome
        return {
            "integrationId": str(self.integration_id),
            "syncJobId": str(self.id),
            "status": status,
            "progress": self.progress,
            "contactsProcessed": self.processed,
            "contactsAdded": self.contacts_added,
            "contactsUpdated": self.contacts_updated,
            "contactsSkipped": self.contacts_skipped,
            "errorCount": self.error_count,
        }


class CrmSyncItem(OfRecord, TenantRow):
    """What a run did, or in a dry run would do, with one record on one side. Leaves with our record."""

    class Side(models.TextChoices):
        LOCAL = "local", "Here"
        REMOTE = "remote", "In the CRM"

    class Action(models.TextChoices):
        ADD = "add", "Added"
        UPDATE = "update", "Updated"
        DELETE = "delete", "Deleted"
        MERGE = "merge", "Merged"
        LINK = "link", "Matched"
        SKIP = "skip", "Skipped"

    class Outcome(models.TextChoices):
        DONE = "done", "Done"
        PLANNED = "planned", "Planned"
        FAILED = "failed", "Failed"
        UNDONE = "undone", "Undone"

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    run = TenantForeignKey(CrmSyncRun, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=KINDS, default=Kind.CONTACTS.value)
    link = TenantForeignKey(CrmLink, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    client = TenantForeignKey(Client, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    remote_id = models.CharField(max_length=255, blank=True)
    side = models.CharField(max_length=10, choices=Side)
    action = models.CharField(max_length=10, choices=Action)
    outcome = models.CharField(max_length=10, choices=Outcome)
    fields = ArrayField(models.CharField(max_length=100), default=list)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    code = models.CharField(max_length=60, blank=True)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "crm_sync_items"
        verbose_name = "CRM sync record"
        constraints = [one_record("crm_item")]
        indexes = [
            models.Index(fields=["organization", "run", "id"], name="crm_items_of_run"),
            models.Index(fields=["organization", "contact"], name="crm_items_of_contact"),
            models.Index(
                fields=["organization", "client"],
                name="crm_items_of_client",
                condition=models.Q(client__isnull=False),
            ),
            models.Index(fields=["organization", "link"], name="crm_items_of_link"),
            models.Index(fields=["organization", "created_at"], name="crm_items_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.get_side_display().lower()}"


class CrmSeenRecord(TenantRow):
    """A remote id that a full run has met; emptied when the run has told what is missing."""

    run = TenantForeignKey(CrmSyncRun, on_delete=models.CASCADE, related_name="+", db_index=False)
    remote_id = models.CharField(max_length=255)

    class Meta:
        db_table = "crm_seen_records"
        constraints = [models.UniqueConstraint(fields=["organization", "run", "remote_id"], name="one_crm_seen_record")]

    def __str__(self) -> str:
        return self.remote_id
