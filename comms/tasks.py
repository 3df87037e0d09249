"""Celery's door to messages."""

import uuid

from celery import shared_task
from django.db import connection

from comms.models import MessageBatch
from comms.services import batches, outbox, retention, sequences
from contacts.filters.contacts import contacts_matching
from vocelio.db.holds import outgoing
from vocelio.db.ticks import once_per
from vocelio.jobs.tasks import JobTask, load_job
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


@shared_task(base=JobTask)
@outgoing
def run_batch(*, organization_id: str, job_id: str) -> None:
    """Queue a batch's messages from where it stands."""
    batches.run_batch(load_job(MessageBatch, organization_id, job_id), select=contacts_matching)


@shared_task(base=JobTask)
@outgoing
def send_messages(*, organization_id: str, job_id: str) -> int:
    """Send what an account has due; the id is the account's."""
    return outbox.send_account(uuid.UUID(organization_id), uuid.UUID(job_id))


@shared_task(base=JobTask)
def call_off_batch(*, organization_id: str, job_id: str) -> int:
    """Cancel what a stopped batch still has queued."""
    return batches.call_off(uuid.UUID(organization_id), uuid.UUID(job_id))


@shared_task
@once_per(seconds=5)
@outgoing
def wake_senders() -> int:
    """Have every account send that has something due, or something that a dead worker held."""
    return outbox.wake_due()


@shared_task
@once_per(seconds=30)
@outgoing
def advance_sequences() -> int:
    """Queue the next messages of sequences."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM organizations_with_due_enrolments()")
        organization_ids: list[uuid.UUID] = [row[0] for row in cursor.fetchall()]
    total = 0
    for organization_id in organization_ids:
        while True:
            with organization_scope(organization_id):
                done = sequences.advance_enrolments()
            total += done
            if not done:
                break
    return total


@shared_task
@once_per(seconds=3600)
def purge_bodies() -> int:
    """Forget what messages said where an organization chose a time for it."""
    total = 0
    for organization_id in Organization.objects.values_list("pk", flat=True):
        number = retention.BATCH
        while number == retention.BATCH:
            with organization_scope(organization_id):
                number = retention.purge_bodies()
            total += number
    return total
