"""Background runs as rows: PostgreSQL is the truth, Redis only rings the bell."""

from typing import Any, ClassVar

from django.db import models

from vocelio.audit.context import current_actor
from vocelio.organizations.models import TenantModel


class Doorbell(models.Model):
    """Says that a job has work left. Outside the policies, so that the sweeper finds every organization's.

    Rung at `due_at` and again until the job has finished; a running job pushes it ahead with each heartbeat.
    """

    job_id = models.UUIDField(primary_key=True)
    organization_id = models.UUIDField()
    task = models.CharField(max_length=100)
    due_at = models.DateTimeField()

    class Meta:
        db_table = "job_doorbells"
        indexes = [models.Index(fields=["due_at"], name="job_doorbells_due")]

    def __str__(self) -> str:
        return f"{self.task} {self.job_id}"


class JobStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    PROCESSING = "processing", "Processing"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class Job(TenantModel):
    """Base of every kind of background run; a subclass is one table, its task and its own counts.

    `epoch` fences: each claim raises it, and a step commits only while it still holds, so a worker that was
    thought dead changes nothing. `checkpoint` is where the next claim goes on.
    """

    # Celery name of the task that runs this kind, e.g. "contacts.tasks.run_import".
    task: ClassVar[str]
    # The noun in audit actions and events, e.g. "import".
    noun: ClassVar[str]

    status = models.CharField(max_length=20, choices=JobStatus, default=JobStatus.PENDING)
    total = models.PositiveIntegerField(null=True, help_text="Units of work, once known.")
    processed = models.PositiveIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent.")
    checkpoint = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    created_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    epoch = models.PositiveIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Claims since the last step that committed.")
    lease_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["organization", "-created_at"], name="%(class)s_newest")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name}, {self.created_at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and self.created_by_id is None:
            self.created_by_id = current_actor().user_id
        super().save(*args, **kwargs)

    @property
    def resource(self) -> str:
        return self._meta.model_name or ""

    @property
    def event(self) -> str:
        """Return the topic and type of this kind's progress events."""
        return f"{self.noun}_progress"

    def audit_counts(self) -> dict[str, int]:
        """Return the numbers that the audit entry of the finished run holds."""
        return {"processed": self.processed}

    def progress_event(self) -> dict[str, Any]:
        """Return the payload of this kind's progress event; the contents are API."""
        return {
            "jobId": str(self.id),
            "status": self.status,
            "progress": self.progress,
            "processed": self.processed,
            "total": self.total or 0,
        }
