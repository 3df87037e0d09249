"""The Celery side of jobs: the base task and the sweeper."""

import uuid
from typing import Any, TypeVar

from celery import Task, shared_task

from vocelio.audit.context import Actor, acting, identify
from vocelio.db.ticks import once_per
from vocelio.errors import VocelioError
from vocelio.jobs import services
from vocelio.jobs.models import Job
from vocelio.organizations.scope import organization_scope

JobT = TypeVar("JobT", bound=Job)


class JobTask(Task):  # type: ignore[type-arg]
    """Base of tasks that run a job: arguments are ids, the work is done as the person who started it.

    @shared_task(base=JobTask)
    def run_import(*, organization_id: str, job_id: str) -> None:
        imports.run_import(load_job(ContactImport, organization_id, job_id))
    """

    # Expected ends: logged, not reported as faults.
    throws = (services.JobNotClaimed, services.JobSuperseded, VocelioError)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with acting(Actor(door="job", request_id=str(kwargs.get("job_id", "")))):
            return super().__call__(*args, **kwargs)


def load_job(model: type[JobT], organization_id: str, job_id: str) -> JobT:
    """Return the job row of a message and act for the person who started it."""
    with organization_scope(uuid.UUID(organization_id)):
        job: JobT = model.objects.get(pk=job_id)
    if job.created_by_id is not None:
        identify(job.created_by_id)
    return job


@shared_task
@once_per(seconds=5)
def sweep_jobs() -> int:
    """Ring the jobs whose message or worker was lost."""
    return services.sweep_jobs()
