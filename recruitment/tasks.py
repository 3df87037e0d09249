"""Celery's door to recruitment's housekeeping."""

import uuid

from celery import shared_task

from recruitment.models import CvBatch
from recruitment.services import applications, batches, careers, cvs, files, interviews, retention
from vocelio.db.holds import outgoing
from vocelio.db.ticks import once_per
from vocelio.jobs.tasks import JobTask, load_job
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


@shared_task
def remove_discarded_files() -> int:
    """Remove from the storage what deleted candidates left there, of every organization."""
    total = 0
    for organization_id in Organization.objects.values_list("pk", flat=True):
        removed = files.BATCH
        while removed == files.BATCH:
            removed = files.remove_discarded_files(organization_id)
            total += removed
    return total


@shared_task(base=JobTask)
def run_cv_batch(*, organization_id: str, job_id: str) -> None:
    """Carry on taking in a zip of CVs."""
    batches.run_batch(load_job(CvBatch, organization_id, job_id))


@shared_task
@once_per(seconds=60)
@outgoing
def send_rejections() -> int:
    """Promise the mails of rejections whose undo window is over, of every organization."""
    total = 0
    for organization_id in Organization.objects.filter(is_active=True).values_list("pk", flat=True):
        with organization_scope(organization_id):
            total += applications.send_rejections()
    return total


@shared_task(base=JobTask)
def read_candidate_file(*, organization_id: str, job_id: str) -> None:
    """Read a document that a candidate was given."""
    cvs.read_candidate_file(organization_id=uuid.UUID(organization_id), file_id=uuid.UUID(job_id))


@shared_task(base=JobTask)
def take_sent_application(*, organization_id: str, job_id: str) -> None:
    """Make an application of what a stranger sent."""
    careers.take_sent_application(organization_id=uuid.UUID(organization_id), sent_id=uuid.UUID(job_id))


@shared_task(base=JobTask)
@outgoing
def send_invitations(*, organization_id: str, job_id: str) -> None:
    """Mail the invitations of an interview."""
    interviews.send_invitations(organization_id=uuid.UUID(organization_id), interview_id=uuid.UUID(job_id))


@shared_task
@once_per(seconds=3600)
def keep_clock() -> int:
    """Ask candidates whether they may be kept and forget whose time is over, of every organization."""
    total = 0
    for organization_id in Organization.objects.filter(is_active=True).values_list("pk", flat=True):
        with organization_scope(organization_id):
            total += retention.keep_clock()
    return total


@shared_task(base=JobTask)
@outgoing
def mail_rejection(*, organization_id: str, job_id: str) -> None:
    """Mail one rejection."""
    applications.mail_rejection(organization_id=uuid.UUID(organization_id), application_id=uuid.UUID(job_id))


@shared_task(base=JobTask)
@outgoing
def mail_renewal(*, organization_id: str, job_id: str) -> None:
    """Ask one candidate whether they may be kept."""
    retention.mail_renewal(organization_id=uuid.UUID(organization_id), request_id=uuid.UUID(job_id))
