"""Celery's door to the contacts' jobs and housekeeping."""

from celery import shared_task

from contacts.models import ContactImport, ContactTally
from contacts.services import contacts, imports
from vocelio.jobs.tasks import JobTask, load_job
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


@shared_task(base=JobTask)
def run_import(*, organization_id: str, job_id: str) -> None:
    """Carry on an import from where it stands."""
    imports.run_import(load_job(ContactImport, organization_id, job_id))


@shared_task
def purge_trash() -> int:
    """Remove for good what has been in any organization's trash for 30 days, a batch to a transaction."""
    total = 0
    for organization_id in Organization.objects.values_list("pk", flat=True):
        purged = 1
        while purged:
            with organization_scope(organization_id):
                purged = contacts.purge_trash()
            total += purged
    return total


@shared_task
def compact_tallies() -> None:
    """Sum up the counters' changes of all organizations."""
    ContactTally.compact()
