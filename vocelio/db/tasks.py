"""Celery's door to the tables themselves."""

from celery import shared_task

from vocelio.db import partitions
from vocelio.db.ticks import once_per


@shared_task
@once_per(seconds=3600)
def keep_partitions() -> int:
    """Make the partitions of the coming time."""
    return partitions.keep_partitions()
