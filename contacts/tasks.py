"""Celery's door to the contacts' jobs and housekeeping."""

import uuid

from celery import shared_task

from contacts.filters.contacts import contacts_matching
from contacts.filters.selection import Selection
from contacts.models import (
    BulkJob,
    ContactArrival,
    ContactExport,
    ContactImport,
    ContactTally,
    DuplicateScan,
    ImportPreview,
    ImportUndo,
)
from contacts.services import (
    bulk_jobs,
    clients,
    contacts,
    duplicates,
    exports,
    imports,
    insights,
    previews,
    retention,
    undo,
)
from vocelio.db.ticks import once_per
from vocelio.jobs.tasks import JobTask, load_job
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


@shared_task(base=JobTask)
def run_import(*, organization_id: str, job_id: str) -> None:
    """Carry on an import from where it stands."""
    imports.run_import(load_job(ContactImport, organization_id, job_id))


@shared_task(base=JobTask)
def preview_import(*, organization_id: str, job_id: str) -> None:
    """Say what an import would do."""
    previews.run_preview(load_job(ImportPreview, organization_id, job_id))


@shared_task(base=JobTask)
def run_undo(*, organization_id: str, job_id: str) -> None:
    """Carry on the undo of an import from where it stands."""
    undo.run_undo(load_job(ImportUndo, organization_id, job_id))


@shared_task(base=JobTask)
def run_export(*, organization_id: str, job_id: str) -> None:
    """Write the contacts of a list into a file."""
    job = load_job(ContactExport, organization_id, job_id)
    exports.run_export(job, choose=Selection(job.filter, job.sort).contacts)


@shared_task(base=JobTask)
def run_bulk(*, organization_id: str, job_id: str) -> None:
    """Carry on a change of whatever a filter finds."""
    bulk_jobs.run_bulk(load_job(BulkJob, organization_id, job_id), select=contacts_matching)


@shared_task(base=JobTask)
def scan_duplicates(*, organization_id: str, job_id: str) -> None:
    """Look for contacts that may be one person."""
    duplicates.run_scan(load_job(DuplicateScan, organization_id, job_id))


@shared_task
@once_per(seconds=3600)
def start_due_scans() -> int:
    """Start the daily search for duplicates where contacts changed."""
    return duplicates.start_due_scans()


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
@once_per(seconds=3600)
def purge_files() -> int:
    """Delete uploaded and exported files that are past their time, of all organizations."""
    total = 0
    for organization_id in Organization.objects.values_list("pk", flat=True):
        with organization_scope(organization_id):
            total += retention.purge_files()
    return total


@shared_task
def purge_clients() -> int:
    """Remove for good what has been in any organization's trash of clients for 30 days."""
    total = 0
    for organization_id in Organization.objects.values_list("pk", flat=True):
        with organization_scope(organization_id):
            total += clients.purge_clients()
    return total


@shared_task
@once_per(seconds=3600)
def renew_insights() -> None:
    """Find anew what profiles tell about each other, of every organization: relations end on their day."""
    for organization_id in Organization.objects.filter(is_active=True).values_list("pk", flat=True):
        last: uuid.UUID | None = None
        while True:
            with organization_scope(organization_id):
                last = insights.renew_insights(last)
            if last is None:
                break


@shared_task
def compact_tallies() -> None:
    """Sum up the counters' changes of all organizations."""
    ContactTally.compact()
    ContactArrival.compact()
