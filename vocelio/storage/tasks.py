"""Celery's door to the files."""

from celery import shared_task

from vocelio.db.ticks import once_per
from vocelio.organizations.models import Organization
from vocelio.storage.orphans import sweep_files as sweep


@shared_task
@once_per(seconds=86400)
def sweep_files() -> int:
    """Delete the files of every organization that nothing refers to."""
    return sum(map(sweep, Organization.objects.values_list("pk", flat=True)))
