"""Take back an import: remove whom it made, restore whom it changed, leave alone what was changed since."""

import uuid
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import ContactImport, ImportUndo
from contacts.services.announcements import announce_bulk
from contacts.services.history import Change, change_cause, put_back
from contacts.services.import_kinds import RECORDS
from contacts.services.import_plans import Records
from vocelio.audit.services import record
from vocelio.errors import Conflict
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import Run, Step, enqueue_job, running

UNDO_DAYS = 30
CHUNK_ROWS = 10_000
# Ids carry the time of the machine that made them, jobs that of the database; clocks differ by less.
_CLOCKS = timedelta(minutes=15)

_LISTED_SINCE = """
        OR EXISTS (SELECT FROM contact_list_memberships AS membership WHERE membership.organization_id = %(organization)s
            AND membership.contact_id = made.id AND membership.cause_id IS DISTINCT FROM %(job)s)
"""
_UNLIST = """
    WITH listed AS MATERIALIZED (
        SELECT membership.id FROM contact_list_memberships AS membership
        WHERE organization_id = %(organization)s AND list_id = %(list)s AND cause_id = %(job)s
            AND NOT EXISTS (SELECT FROM contacts WHERE contacts.organization_id = %(organization)s
                AND contacts.id = membership.contact_id AND contacts.import_id = %(job)s)
        LIMIT %(most)s
    )
    DELETE FROM contact_list_memberships WHERE organization_id = %(organization)s
        AND id IN (SELECT id FROM listed) RETURNING contact_id
"""


@cache
def _made(records: Records) -> str:
    """Return what reads the records an import made, and which were touched since.

    They lie between its first and its last moment in the primary key (Contact.import_id).
    """
    table = records.model._meta.db_table
    return f"""
    WITH made AS MATERIALIZED (
        SELECT id, deleted_at FROM {table}
        WHERE organization_id = %(organization)s AND id > %(after)s AND id < %(end)s AND import_id = %(job)s
        ORDER BY id LIMIT %(most)s FOR NO KEY UPDATE
    )
    SELECT id, deleted_at IS NOT NULL,
        EXISTS (SELECT FROM {records.changes_table} AS change WHERE change.organization_id = %(organization)s
            AND change.{records.changes_column} = made.id AND change.cause_id IS DISTINCT FROM %(job)s)
        {_LISTED_SINCE if records.has_lists else ""}
    FROM made ORDER BY id
"""  # noqa: S608 - names of tables and columns


@cache
def _changed(records: Records) -> str:
    """Return what reads the newest changes first; of a record all of them at once, with the newest."""
    table, changes, whose = records.model._meta.db_table, records.changes_table, records.changes_column
    return f"""
    WITH batch AS MATERIALIZED (
        SELECT {whose} AS row_id, changed_at, id FROM {changes}
        WHERE organization_id = %(organization)s AND cause_id = %(job)s
            AND (changed_at, id) < (%(changed_at)s, %(id)s)
        ORDER BY changed_at DESC, id DESC LIMIT %(most)s
    ), newest AS MATERIALIZED (
        SELECT DISTINCT row_id FROM batch WHERE NOT EXISTS (
            SELECT FROM {changes} AS later WHERE later.organization_id = %(organization)s
            AND later.{whose} = batch.row_id AND later.cause_id = %(job)s
            AND (later.changed_at, later.id) >= (%(changed_at)s, %(id)s))
    )
    SELECT (SELECT array_agg(edge) FROM (SELECT changed_at::text || '|' || id AS edge FROM batch
                ORDER BY changed_at, id LIMIT 1) AS last),
        (SELECT count(*) FROM batch),
        coalesce((SELECT jsonb_agg(jsonb_build_array(row_id, before, after) ORDER BY changed_at DESC, id DESC)
            FROM newest CROSS JOIN LATERAL (
                SELECT change.before, change.after, change.changed_at, change.id FROM {changes} AS change
                WHERE change.organization_id = %(organization)s AND change.{whose} = newest.row_id
                    AND change.cause_id = %(job)s
                    AND NOT EXISTS (SELECT FROM {table} AS made WHERE made.organization_id = %(organization)s
                        AND made.id = newest.row_id AND made.import_id = %(job)s) OFFSET 0
            ) AS changes), '[]')::text
"""  # noqa: S608 - names of tables and columns


def undo_deadline(job: ContactImport) -> datetime | None:
    """Return until when the import can be undone; None while it runs or when there is nothing to undo."""
    if not JobStatus(job.status).is_final or job.completed_at is None or job.started_at is None:
        return None
    return job.completed_at + timedelta(days=UNDO_DAYS)


def latest_undo(job: ContactImport) -> ImportUndo | None:
    """Return the newest undo of an import."""
    found: ImportUndo | None = job.undos.order_by("-created_at", "-id").first()
    return found


def start_undo(job: ContactImport) -> ImportUndo:
    """Promise to take an ended import back; raise Conflict where that is too early, too late, or done already."""
    job = ContactImport.objects.select_for_update().get(pk=job.pk)
    deadline = undo_deadline(job)
    if deadline is None:
        raise Conflict("The import has not ended, or never began.", status=job.status)
    if deadline < timezone.now():
        raise Conflict(f"An import can be undone for {UNDO_DAYS} days.", undoableUntil=deadline.isoformat())
    undo = ImportUndo(contact_import=job)
    try:
        with transaction.atomic():
            undo.save()
    except IntegrityError as error:
        if "one_undo_per_import" not in str(error):
            raise
        raise Conflict("The import is being undone, or was.") from None
    record("import_undo.started", undo.resource, undo.id, importId=str(job.id))
    enqueue_job(undo)
    return undo


def run_undo(undo: ImportUndo) -> None:
    """Carry the undo on from where it stands: contacts made, contacts changed, list."""
    with running(undo) as run:
        with run.step() as step:
            job = ContactImport.objects.get(pk=run.job.contact_import_id)
            step.set(total=job.imported_contacts + job.updated_contacts)
        if "made" not in run.job.checkpoint:
            _remove_made(run, job)
        if "changed" not in run.job.checkpoint:
            _restore_changed(run, job)
        _take_off_list(run, job)


def _remove_made(run: Run[ImportUndo], job: ContactImport) -> None:
    """Move to the trash whom the import made and nobody has touched since."""
    assert job.started_at is not None  # noqa: S101 - undo_deadline saw to it
    assert job.completed_at is not None  # noqa: S101
    records = RECORDS[job.record_type]
    first, end = _id_at(job.started_at - _CLOCKS), _id_at(job.completed_at + _CLOCKS)
    while True:
        with run.step() as step:
            after = step.job.checkpoint.get("after", str(first))
            with connection.cursor() as cursor:
                cursor.execute(_made(records), _values(job) | {"after": after, "end": end})
                rows = cursor.fetchall()
            if not rows:
                # Made and purged meanwhile.
                purged = job.imported_contacts - step.job.removed - step.job.kept - step.job.gone
                step.advance(gone=max(0, purged), checkpoint={"made": True})
                return
            in_trash = {row[0] for row in rows if row[1]}
            touched = {row[0] for row in rows if row[2]} - in_trash
            untouched = [row for row in rows if row[0] not in in_trash | touched]
            used = records.in_use([row[0] for row in untouched])
            removed = [row[0] for row in untouched if row[0] not in used]
            if removed:
                with change_cause("import_undo", step.job.id):
                    gone = records.model._default_manager.filter(pk__in=removed)
                    gone.update(deleted_at=Now(), deleted_by_id=step.job.created_by_id)
                records.announce_undone(job, "deleted", removed)
            step.advance(
                len(rows),
                checkpoint={"after": str(rows[-1][0])},
                removed=len(removed),
                kept=len(touched) + len(used),
                gone=len(in_trash),
            )


def _restore_changed(run: Run[ImportUndo], job: ContactImport) -> None:
    """Put back the fields the import changed, where they still are as it left them."""
    records = RECORDS[job.record_type]
    while True:
        with run.step() as step:
            edge = step.job.checkpoint.get("edge") or ["infinity", str(uuid.UUID(int=2**128 - 1))]
            with connection.cursor() as cursor:
                cursor.execute(_changed(records), _values(job) | {"changed_at": edge[0], "id": edge[1]})
                last, number, document = cursor.fetchone()
            if not number:
                if linked := records.remove_links(job):
                    records.announce_undone(job, "updated", linked)
                step.advance(checkpoint={"made": True, "changed": True})
                return
            _put_back(records, job, step, document)
            step.set(checkpoint={"made": True, "edge": last[0].split("|")})


def _put_back(records: Records, job: ContactImport, step: Step[ImportUndo], document: str) -> None:
    changes = [Change(uuid.UUID(row_id), before, after) for row_id, before, after in orjson.loads(document)]
    concerned = {change.row_id for change in changes}
    with change_cause("import_undo", step.job.id):
        result = put_back(changes, records.model)
    partly = result.restored & (result.kept.keys() | result.failed.keys())
    unrestored = (result.kept.keys() | result.failed.keys()) - result.restored
    gone = concerned - result.restored - unrestored
    if result.restored:
        records.announce_undone(job, "updated", result.restored)
    step.advance(
        len(concerned),
        restored=len(result.restored - partly),
        partly_restored=len(partly),
        unrestored=len(unrestored),
        gone=len(gone),
    )


def _take_off_list(run: Run[ImportUndo], job: ContactImport) -> None:
    """Take off the list whom the import put on it besides those it made."""
    while job.target_list_id:
        with run.step() as step:
            with change_cause("import_undo", step.job.id), connection.cursor() as cursor:
                cursor.execute(_UNLIST, _values(job) | {"list": job.target_list_id})
                contact_ids = [row[0] for row in cursor.fetchall()]
            if not contact_ids:
                return
            announce_bulk("remove-from-list", contact_ids, [job.target_list_id])
            step.advance(unlisted=len(contact_ids))


def _values(job: ContactImport) -> dict[str, Any]:
    return {"organization": job.organization_id, "job": job.id, "most": CHUNK_ROWS}


def _id_at(moment: datetime) -> uuid.UUID:
    """Return the smallest id made at a moment: the first 48 bits of a UUID of version 7 are its milliseconds."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)
