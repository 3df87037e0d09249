"""Celery's door to the CRM sync."""

import uuid

from celery import shared_task

from crm_sync.models import CrmSyncRun
from crm_sync.services import connections, engine, housekeeping, schedule
from vocelio.audit.context import Actor, acting
from vocelio.db.holds import outgoing
from vocelio.db.ticks import once_per
from vocelio.jobs.tasks import JobTask, load_job


@shared_task(base=JobTask)
@outgoing
def run_sync(*, organization_id: str, job_id: str) -> None:
    """Carry on a run from where it stands."""
    engine.run_sync(load_job(CrmSyncRun, organization_id, job_id))


@shared_task
@outgoing
def check_connection(*, organization_id: str, job_id: str) -> None:
    """Prove a connection and read its fields; `job_id` is the connection's."""
    with acting(Actor(door="job", request_id=job_id)):
        connections.check_promised(uuid.UUID(organization_id), uuid.UUID(job_id))


@shared_task
@once_per(seconds=60)
@outgoing
def start_due_syncs() -> int:
    """Start every automatic sync whose time has come."""
    with acting(Actor(door="schedule")):
        return schedule.start_due_syncs()


@shared_task
@once_per(seconds=600)
@outgoing
def renew_credentials() -> int:
    """Renew credentials and webhook subscriptions before they end."""
    with acting(Actor(door="schedule")):
        return schedule.renew_credentials()


@shared_task
@once_per(seconds=3600)
def purge_crm_history() -> None:
    """Forget old webhooks, consent attempts and per-record histories."""
    housekeeping.purge()
