"""Celery's door to the contacts' jobs."""

from celery import shared_task

from contacts.models import ContactImport
from contacts.services import imports
from vocelio.jobs.tasks import JobTask, load_job


@shared_task(base=JobTask)
def run_import(*, organization_id: str, job_id: str) -> None:
    """Carry on an import from where it stands."""
    imports.run_import(load_job(ContactImport, organization_id, job_id))
