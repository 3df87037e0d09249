"""The queue's door to notifications."""

import uuid

from celery import shared_task

from vocelio.db.holds import outgoing
from vocelio.jobs.tasks import JobTask
from vocelio.notifications.services import notifications
from vocelio.organizations.scope import organization_scope


@shared_task(base=JobTask)
@outgoing
def mail_notification(*, organization_id: str, job_id: str) -> None:
    """Mail one notification."""
    with organization_scope(uuid.UUID(organization_id)):
        notifications.mail_notification(notification_id=uuid.UUID(job_id))
