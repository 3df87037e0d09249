"""Start, cancel and describe runs; dead letters and their replay."""

import uuid
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from crm_sync.models import CrmHint, CrmIntegration, CrmLink, CrmSyncItem, CrmSyncRun
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import cancel_job, enqueue_job

ACTIVE = [JobStatus.PENDING, JobStatus.PROCESSING]
# Records a minute, of pulls and pushes together, on the slowest of the vendors with batches.
RECORDS_PER_MINUTE = 5_000


class SyncRunning(Conflict):
    code = "SYNC_RUNNING"
    message = "A sync of this connection is already running."


class NotConnected(Conflict):
    code = "CRM_NOT_CONNECTED"
    message = "This connection has to be made first."


def start_sync(
    *,
    integration: CrmIntegration,
    sync_type: str = CrmSyncRun.Type.MANUAL,
    full_sync: bool = False,
    date_from: datetime | None = None,
    dry_run: bool = False,
    confirm_mass_change: bool = False,
) -> CrmSyncRun:
    """Promise a run; raise SyncRunning, naming it, while another of the connection goes on."""
    if integration.status != CrmIntegration.Status.CONNECTED:
        raise NotConnected(status=integration.status)
    if full_sync and date_from is not None:
        raise Invalid.field("options.dateFrom", "A full sync reads everything.", constraint="exclusive")
    return _start(
        CrmSyncRun(
            integration=integration,
            sync_type=sync_type,
            is_full=full_sync,
            is_dry=dry_run,
            date_from=date_from,
            is_confirmed=confirm_mass_change,
        )
    )


def start_rollback(*, run: CrmSyncRun) -> CrmSyncRun:
    """Promise to undo on our side what a run did here; the CRM is left as it is."""
    if run.status in ACTIVE:
        raise Conflict("The run has not ended yet.", status=run.status)
    if run.is_dry or run.sync_type == CrmSyncRun.Type.ROLLBACK:
        raise Conflict("There is nothing to undo: this run has changed nothing of its own.")
    done = CrmSyncItem.objects.filter(run=run, side=CrmSyncItem.Side.LOCAL, outcome=CrmSyncItem.Outcome.DONE).exclude(
        action__in=[CrmSyncItem.Action.LINK, CrmSyncItem.Action.SKIP]
    )
    if not done.exists():
        raise Conflict("There is nothing to undo: this run has changed nothing here, or has been undone.")
    return _start(CrmSyncRun(integration=run.integration, sync_type=CrmSyncRun.Type.ROLLBACK, undoes=run))


def cancel_sync(*, integration: CrmIntegration) -> CrmSyncRun:
    """Stop the connection's run after the step in hand; what it has done stays."""
    run = CrmSyncRun.objects.filter(integration=integration, status__in=ACTIVE).first()
    if run is None:
        raise Conflict("No sync of this connection is running.")
    cancelled: CrmSyncRun = cancel_job(run)
    return cancelled


def replay(*, link: CrmLink) -> CrmLink:
    """Take a dead letter up again with the next run: read anew from the CRM, or sent there anew."""
    link = CrmLink.objects.select_for_update().get(pk=link.pk)
    if link.state not in CrmLink.DEAD:
        raise Conflict("This record has no failure to replay.")
    if link.state == CrmLink.State.QUARANTINED or link.remote_id:
        CrmHint.objects.get_or_create(integration_id=link.integration_id, kind=link.kind, remote_id=link.remote_id)
    if link.state == CrmLink.State.REJECTED:
        link.state = CrmLink.State.LINKED if link.remote_id else CrmLink.State.NEW
        link.is_due = True
        link.attempts = 0
        link.code = link.reason = link.field = ""
        link.save()
    record("crm_record.replayed", "crmlink", link.pk)
    return link


def estimate_duration(run: CrmSyncRun) -> str:
    """Say in words how long the run may take: by the last run of its kind, else by the number of records."""
    integration = run.integration
    before = (
        CrmSyncRun.objects.filter(integration=integration, status=JobStatus.COMPLETED, is_full=run.is_full)
        .exclude(sync_type__in=[CrmSyncRun.Type.ROLLBACK, CrmSyncRun.Type.WEBHOOK])
        .order_by("-created_at")
        .first()
    )
    if before is not None and before.duration is not None:
        minutes = before.duration // 60_000
    else:
        minutes = integration.total_contacts // RECORDS_PER_MINUTE
    return f"{minutes}-{minutes + 2} minutes" if minutes else "less than a minute"


def describe(run: CrmSyncRun) -> dict[str, Any]:
    """Return the run's details as people and programs read them."""
    details = {name: value for name, value in run.sync_details.items() if name != "brake"}
    return details | {"fullSync": bool(run.checkpoint.get("isFull", run.is_full))}


def active_run(integration_id: uuid.UUID) -> CrmSyncRun | None:
    """Return the connection's run that has not ended."""
    run: CrmSyncRun | None = CrmSyncRun.objects.filter(integration_id=integration_id, status__in=ACTIVE).first()
    return run


def _start(run: CrmSyncRun) -> CrmSyncRun:
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError as error:
        if "one_crm_sync_at_a_time" not in str(error):
            raise
        current = active_run(run.integration_id)
        raise SyncRunning(syncJobId=str(current.pk) if current else None) from None
    record("crm_sync.started", run.resource, run.pk, syncType=run.sync_type, dryRun=run.is_dry)
    enqueue_job(run)
    return run
