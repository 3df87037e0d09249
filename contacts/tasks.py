"""Celery's door to the contacts' jobs."""

from celery import shared_task

from vocelio.jobs.tasks import JobTask


@shared_task(base=JobTask)
def run_import(*, organization_id: str, job_id: str) -> None:
    """Carry on an import from where it stands."""
