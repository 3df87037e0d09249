"""Celery's door to Do-Not-Call jobs and housekeeping."""

import uuid

from celery import shared_task
from django.db import connection

from dnc.models import DncEntryTally, ListUpload, RegistryLoad, Scrub
from dnc.services import entries, registry_loads, retention, scrubs, sources, uploads
from vocelio.db.ticks import once_per
from vocelio.jobs.tasks import JobTask, load_job
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


@shared_task(base=JobTask)
def run_registry_load(*, organization_id: str, job_id: str) -> None:
    """Carry on a load of registry files from where it stands."""
    registry_loads.run_load(load_job(RegistryLoad, organization_id, job_id))


@shared_task(base=JobTask)
def run_list_upload(*, organization_id: str, job_id: str) -> None:
    """Load an uploaded file into its list."""
    uploads.run_upload(load_job(ListUpload, organization_id, job_id))


@shared_task(base=JobTask)
def run_scrub(*, organization_id: str, job_id: str) -> None:
    """Carry on a scrub from where it stands."""
    scrubs.run_scrub(load_job(Scrub, organization_id, job_id))


@shared_task
@once_per(seconds=30)
def follow_outdated_scrubs() -> int:
    """Repeat watched scrubs whose lists have changed."""
    return scrubs.follow_outdated()


@shared_task
@once_per(seconds=300)
def expire_entries() -> int:
    """Mark entries that have run out, in every organization that has some."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM organizations_with_expired_dnc_entries()")
        organization_ids: list[uuid.UUID] = [row[0] for row in cursor.fetchall()]
    total = 0
    for organization_id in organization_ids:
        with organization_scope(organization_id):
            total += entries.expire_entries()
    return total


@shared_task
@once_per(seconds=60)
def collect_sources() -> int:
    """Fetch the files of every list that is due."""
    return sources.collect_due()


@shared_task
@once_per(seconds=3600)
def purge_records() -> int:
    """Delete records that are past the years they must be kept, of all organizations."""
    total = 0
    for organization_id in Organization.objects.values_list("pk", flat=True):
        with organization_scope(organization_id):
            total += retention.purge_records()
    return total


@shared_task
def compact_entry_tallies() -> None:
    """Sum up the counters' changes of all organizations."""
    DncEntryTally.compact()
