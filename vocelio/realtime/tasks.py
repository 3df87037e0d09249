"""Celery's door to the events."""

from celery import shared_task

from vocelio.db.ticks import once_per
from vocelio.realtime import history


@shared_task
@once_per(seconds=3600)
def purge_events() -> int:
    """Delete the events that are no longer kept."""
    return history.purge_events()
