"""Celery's door to recruitment's housekeeping."""

from celery import shared_task

from recruitment.services import files
from vocelio.organizations.models import Organization


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
