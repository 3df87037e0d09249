"""Enqueue, claim, run and cancel jobs; sweep up after what Redis or a worker lost."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from celery import current_app
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from prometheus_client import Histogram

from vocelio.audit.services import record
from vocelio.errors import Conflict, VocelioError
from vocelio.jobs.models import Doorbell, Job, JobStatus
from vocelio.jobs.signals import job_finished
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.publish import publish

logger = logging.getLogger(__name__)

JobT = TypeVar("JobT", bound=Job)

# A worker that has not been heard of for this long has lost its job. Four heartbeats fit in.
LEASE = timedelta(seconds=20)
HEARTBEAT_SECONDS = 5.0
# A message that Redis lost is sent again after this long.
RING_AGAIN = timedelta(seconds=30)
# Claims without one committed step; then the job fails instead of killing workers for ever.
MAX_ATTEMPTS = 10

SECONDS = Histogram(
    "vocelio_job_seconds",
    "From a job's beginning to its end, by how it ended.",
    ["kind", "status"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 150, 300, 900, 3600, 14400),
)


class JobNotClaimed(Exception):
    """Another worker holds the job, or it has finished. Nothing to do."""


class JobSuperseded(Exception):
    """This worker was thought dead and another took over; its step was rolled back."""


class JobCancelled(Exception):
    """A person cancelled the job between two steps."""


def enqueue_job(job: Job) -> None:
    """Promise to run the job: the promise commits with the caller's transaction, the bell rings after it."""
    promise_task(job.task, organization_id=job.organization_id, row_id=job.id)


def promise_task(task: str, *, organization_id: uuid.UUID, row_id: uuid.UUID) -> None:
    """Promise the same for a row that is no job; its task ends by forget_task, else it is rung again."""
    due = {"organization_id": organization_id, "task": task, "due_at": Now() + RING_AGAIN}
    Doorbell.objects.update_or_create(job_id=row_id, defaults=due)
    transaction.on_commit(lambda: ring(organization_id, row_id, task))


def forget_task(row_id: uuid.UUID) -> None:
    """Say that the promise is kept."""
    Doorbell.objects.filter(pk=row_id).delete()


def postpone_task(row_id: uuid.UUID, until: datetime) -> None:
    """Have a promised task rung at a time, and not before."""
    Doorbell.objects.filter(pk=row_id).update(due_at=until)


def ring(organization_id: uuid.UUID, job_id: uuid.UUID, task: str) -> None:
    """Send the task's message; when Redis is away, the sweeper sends it later."""
    try:
        current_app.send_task(
            task, kwargs={"organization_id": str(organization_id), "job_id": str(job_id)}, retry=False
        )
    except (BrokerError, OSError) as error:
        logger.warning(
            "Queue unreachable, job waits for the sweeper", extra={"job_id": str(job_id), "error": str(error)}
        )


def sweep_jobs(limit: int = 1000) -> int:
    """Ring every doorbell that is due; return how many. Two sweepers at once share the work."""
    with transaction.atomic():
        due = list(
            Doorbell.objects.select_for_update(skip_locked=True).filter(due_at__lte=Now()).order_by("due_at")[:limit]
        )
        Doorbell.objects.filter(pk__in=[bell.pk for bell in due]).update(due_at=Now() + RING_AGAIN)
    for bell in due:
        ring(bell.organization_id, bell.job_id, bell.task)
    return len(due)


def cancel_job(job: JobT) -> JobT:
    """Ask the job to stop: at once while it waits, after the step in hand while it runs."""
    model = type(job)
    job = model.objects.select_for_update().get(pk=job.pk)
    if JobStatus(job.status).is_final:
        raise Conflict(f"The {job.noun} has already {job.status}.", status=job.status)
    job.cancel_requested_at = Now()
    job.save(update_fields=["cancel_requested_at"])
    record(f"{job.noun}.cancel_requested", job.resource, job.id)
    if job.status == JobStatus.PENDING:
        _finish(job, JobStatus.CANCELLED)
    job.refresh_from_db()
    return job


class JobParked(Exception):
    """The work cannot go on before `until` (somebody else's quota); the job waits and resumes from its checkpoint."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until.isoformat()}")
        self.until = until


@contextmanager
def running(job: JobT) -> Iterator["Run[JobT]"]:
    """Claim the job and hold it while the work inside runs step by step.

    Leaving normally completes it; a VocelioError or any other exception fails it with a reason, is audited
    and raised again; JobParked gives it back until a time. JobNotClaimed when another worker holds it.
    """
    run = Run(_claim(job))
    with _heartbeat(run):
        try:
            yield run
        except (JobSuperseded, OperationalError, InterfaceError):
            # Not this worker's to decide: the next claim goes on from the last checkpoint.
            raise
        except JobCancelled:
            run.finish(JobStatus.CANCELLED)
        except JobParked as parked:
            run.park(parked.until)
        except VocelioError as error:
            run.finish(JobStatus.FAILED, code=error.code, message=error.message)
            raise
        except Exception:
            run.finish(JobStatus.FAILED, code="INTERNAL_ERROR", message="An unexpected error; it has been logged.")
            raise
        else:
            run.finish(JobStatus.COMPLETED)


class Run(Generic[JobT]):
    """A claimed job: hands out steps, each one transaction that commits only while the claim holds."""

    def __init__(self, job: JobT) -> None:
        self.job = job

    @contextmanager
    def step(self) -> Iterator["Step[JobT]"]:
        """Open the organization's scope for one unit of work and commit it together with its progress.

        Raise JobCancelled instead when a person has asked for the end.
        """
        if self.job.cancel_requested_at is not None:
            raise JobCancelled
        with organization_scope(self.job.organization_id):
            step = Step(self.job)
            yield step
            step.commit()

    def finish(self, status: JobStatus, *, code: str = "", message: str = "") -> None:
        with organization_scope(self.job.organization_id):
            if not _hold(self.job):
                raise JobSuperseded
            _finish(self.job, status, code=code, message=message)

    def park(self, until: datetime) -> None:
        """Let go of the job; the sweeper rings it again at `until`."""
        with organization_scope(self.job.organization_id):
            if not _hold(self.job, attempt=0):
                raise JobSuperseded
            # No heartbeat prolongs what is pending, and a person may cancel it at once.
            self.job.status, self.job.lease_until = JobStatus.PENDING, None
            self.job.save(update_fields=["status", "lease_until"])
            postpone_task(self.job.pk, until)
            _publish(self.job)


class Step(Generic[JobT]):
    """One transaction of a run."""

    def __init__(self, job: JobT) -> None:
        self.job = job
        self.changes: dict[str, Any] = {}

    def advance(self, units: int = 0, *, checkpoint: dict[str, Any] | None = None, **counts: int) -> None:
        """Add to `processed` and to the job's own counters; replace the checkpoint."""
        for name, number in {"processed": units, **counts}.items():
            self.changes[name] = getattr(self.job, name) + number
            setattr(self.job, name, self.changes[name])
        if checkpoint is not None:
            self.set(checkpoint=checkpoint)

    def set(self, **values: Any) -> None:
        """Store values on the job row with this step."""
        for name, value in values.items():
            self.changes[name] = value
            setattr(self.job, name, value)

    def commit(self) -> None:
        job = self.job
        if job.total:
            # 100 is for the finish alone.
            self.set(progress=min(99, job.processed * 100 // job.total))
        if not _hold(job, attempt=0, **self.changes):
            raise JobSuperseded
        _publish(job)


def _publish(job: Job) -> None:
    publish(job.event, key=str(job.id), type=job.event, data=job.progress_event())


def _claim(job: JobT) -> JobT:
    """Take the job over if nobody holds a valid lease, raising its epoch."""
    model = type(job)
    with organization_scope(job.organization_id):
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
        claimed = model.objects.filter(free, pk=job.pk, status__in=[JobStatus.PENDING, JobStatus.PROCESSING]).update(
            epoch=F("epoch") + 1,
            attempt=F("attempt") + 1,
            status=JobStatus.PROCESSING,
            lease_until=Now() + LEASE,
            started_at=Coalesce("started_at", Now()),
        )
        job = model.objects.get(pk=job.pk)
        if claimed and job.attempt > MAX_ATTEMPTS:
            _finish(job, JobStatus.FAILED, code="GAVE_UP", message="Stopped after repeated crashes.")
            claimed = 0
        elif claimed:
            Doorbell.objects.filter(pk=job.pk).update(due_at=Now() + LEASE)
        elif JobStatus(job.status).is_final:
            Doorbell.objects.filter(pk=job.pk).delete()
    if not claimed:
        raise JobNotClaimed
    return job


def _hold(job: Job, **changes: Any) -> bool:
    """Store changes and prolong the lease if this claim is still the latest; learn of a cancel request."""
    held = type(job).objects.filter(pk=job.pk, epoch=job.epoch, status=JobStatus.PROCESSING)
    if not held.update(lease_until=Now() + LEASE, **changes):
        return False
    job.cancel_requested_at = type(job).objects.values_list("cancel_requested_at", flat=True).get(pk=job.pk)
    return True


def _finish(job: Job, status: JobStatus, *, code: str = "", message: str = "") -> None:
    """Store the outcome, silence the doorbell, audit once, tell those who watch."""
    job.status, job.error_code, job.error_message = status, code, message
    job.completed_at = timezone.now()
    if status == JobStatus.COMPLETED:
        job.progress = 100
    job.lease_until = None
    job.save(update_fields=["status", "error_code", "error_message", "completed_at", "progress", "lease_until"])
    Doorbell.objects.filter(pk=job.pk).delete()
    record(f"{job.noun}.{status}", job.resource, job.id, **job.audit_counts())
    _publish(job)
    job_finished.send(type(job), job=job)
    if job.started_at is not None:
        took = (job.completed_at - job.started_at).total_seconds()
        transaction.on_commit(lambda: SECONDS.labels(job.noun, str(status)).observe(took))


@contextmanager
def _heartbeat(run: Run[Any]) -> Iterator[None]:
    """Prolong the lease from a thread of its own while a long step runs."""
    stop = threading.Event()
    job = run.job
    model, job_id, organization_id, epoch = type(job), job.pk, job.organization_id, job.epoch

    def beat() -> None:
        try:
            while not stop.wait(HEARTBEAT_SECONDS):
                with organization_scope(organization_id):
                    held = model.objects.filter(pk=job_id, epoch=epoch, status=JobStatus.PROCESSING)
                    if not held.update(lease_until=Now() + LEASE):
                        return
                    Doorbell.objects.filter(pk=job_id).update(due_at=Now() + LEASE)
        except OperationalError:
            logger.exception("Heartbeat lost the database; the lease runs out", extra={"job_id": str(job_id)})
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
