"""Changes to whatever a filter finds."""

from typing import Any

from django.db import models

from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.organizations.models import TenantRow


class BulkJob(Job):
    """One change to all contacts that a filter found, in short transactions; processed = succeeded + failed."""

    task = "contacts.tasks.run_bulk"
    noun = "bulk"

    action = models.CharField(max_length=30)
    filter = models.JSONField(default=dict, help_text="Parameters of GET /contacts.")
    data = models.JSONField(default=dict)
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    # The job that this one undoes; its own action is then "undo".
    undoes = TenantForeignKey("self", on_delete=models.CASCADE, null=True, related_name="undoings", db_index=False)

    class Meta(Job.Meta):
        db_table = "bulk_jobs"

    def audit_counts(self) -> dict[str, int]:
        return {"processed": self.processed, "succeeded": self.succeeded, "failed": self.failed}

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"action": self.action, "succeeded": self.succeeded, "failed": self.failed}


class BulkFailure(TenantRow):
    """A contact that a bulk job could not change, and why."""

    job = TenantForeignKey(BulkJob, on_delete=models.CASCADE, related_name="failures", db_index=False)
    contact_id = models.UUIDField()
    code = models.CharField(max_length=60)
    error = models.CharField(max_length=300)

    class Meta:
        db_table = "bulk_failures"
        indexes = [models.Index(fields=["organization", "job", "contact_id"], name="failures_of_job")]

    def __str__(self) -> str:
        return f"{self.contact_id}: {self.code}"
