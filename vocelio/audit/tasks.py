"""Celery's door to the audit log."""

from celery import shared_task

from vocelio.audit import seals
from vocelio.db.ticks import once_per


@shared_task
@once_per(seconds=60)
def seal_audit_log() -> int:
    """Seal what was added to every organization's audit log."""
    return seals.seal_audit_log()
