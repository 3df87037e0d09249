"""What sockets and the apps above hear of recruitment."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from recruitment.models import Application, JobOpening
from recruitment.signals import jobs_changed
from vocelio.audit.context import current_actor
from vocelio.realtime.publish import publish


def announce_job(event: str, job: JobOpening, owners: Iterable[uuid.UUID | None] = ()) -> None:
    """Publish `job_created`, `job_updated`, `job_status_changed` or `job_deleted`."""
    publish(
        "jobs",
        type=event,
        data={"jobId": str(job.pk), "status": job.status, "version": job.version, "updatedBy": _actor()},
        owners=[job.assigned_to_id, *owners],
    )
    transaction.on_commit(lambda: jobs_changed.send(sender=None, organization_id=job.organization_id, job_ids=[job.pk]))


def announce_application(
    event: str, application: Application, owners: Iterable[uuid.UUID | None] = (), **data: Any
) -> None:
    """Publish `application_created`, `application_updated` or `application_moved`."""
    publish(
        "applications",
        type=event,
        data={
            "applicationId": str(application.pk),
            "jobId": str(application.job_id),
            "stageId": str(application.stage_id),
            "status": application.status,
            "version": application.version,
            "updatedBy": _actor(),
            **data,
        },
        owners=[application.assigned_to_id, *owners],
    )


def announce_applications(action: str, applications: Iterable[Application]) -> None:
    """Publish one `applications_changed` a job for many, whose followers then read them anew."""
    rows = list(applications)
    for job_id in {row.job_id for row in rows}:
        changed = [row for row in rows if row.job_id == job_id]
        publish(
            "applications",
            type="applications_changed",
            data={"action": action, "count": len(changed), "jobId": str(job_id), "updatedBy": _actor()},
            owners=[row.assigned_to_id for row in changed],
        )


def _actor() -> str | None:
    user_id = current_actor().user_id
    return str(user_id) if user_id else None
