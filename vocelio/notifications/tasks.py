"""The queue's door to notifications."""

import uuid

from celery import shared_task

from vocelio.db.holds import outgoing
from vocelio.db.ticks import once_per
from vocelio.jobs.tasks import JobTask
from vocelio.notifications.services import notifications
from vocelio.notifications.services.purges import purge_told
from vocelio.organizations.scope import organization_scope


@shared_task(base=JobTask)
@outgoing
def mail_notification(*, organization_id: str, job_id: str) -> None:
    """Mail one notification."""
    with organization_scope(uuid.UUID(organization_id)):
        notifications.mail_notification(notification_id=uuid.UUID(job_id))


@shared_task
@once_per(seconds=3600)
def purge_notifications() -> int:
    """Forget what people and feeds were told long ago."""
    return purge_told()
