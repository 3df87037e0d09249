"""Celery's door to the API's own upkeep."""

from celery import shared_task

from vocelio.api import idempotency
from vocelio.db.ticks import once_per


@shared_task
@once_per(seconds=3600)
def purge_idempotency_keys() -> int:
    """Forget the keys that are past their day."""
    return idempotency.purge_keys()
