"""Undo, on our side alone, what a run did here. The CRM keeps what it has, and the next sync does not fight over it."""

import uuid
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from contacts.services import batches
from contacts.services.followers import NotMerged
from crm_sync.models import CrmLink, CrmSyncItem, CrmSyncRun
from crm_sync.providers.values import Value
from crm_sync.services.fields import TIGHTENING, restored
from crm_sync.services.gone import tombstone
from crm_sync.services.journal import Journal
from crm_sync.services.kinds import RecordKind, record_kinds
from crm_sync.services.kinds.kind import Ours
from crm_sync.services.link_rows import store_links
from crm_sync.services.totals import refresh_totals
from vocelio.audit.services import record
from vocelio.errors import Conflict, VocelioError
from vocelio.jobs.services import Run

CHUNK = 500


def undo_run(run: Run[CrmSyncRun]) -> None:
    """Put our records back to what they were before the run, where nobody has changed them since."""
    for kind in reversed(record_kinds()):
        _undo_kind(run, kind)


def _undo_kind(run: Run[CrmSyncRun], kind: RecordKind) -> None:
    while True:
        with run.step() as step:
            items = list(
                CrmSyncItem.objects.select_for_update()
                .filter(
                    run_id=run.job.undoes_id,
                    kind=kind.kind.value,
                    side=CrmSyncItem.Side.LOCAL,
                    outcome=CrmSyncItem.Outcome.DONE,
                )
                .exclude(action__in=[CrmSyncItem.Action.LINK, CrmSyncItem.Action.SKIP])
                .order_by("-id")[:CHUNK]
            )
            if not items:
                refresh_totals(run.job.integration)
                return
            journal = Journal(run.job, kind.kind, linked=0, max_deletes=100, max_changes=100)
            _undo(run.job, kind, journal, items)
            CrmSyncItem.objects.filter(pk__in=[item.pk for item in items]).update(outcome=CrmSyncItem.Outcome.UNDONE)
            journal.store(step)


def _undo(run: CrmSyncRun, kind: RecordKind, journal: Journal, items: list[CrmSyncItem]) -> None:
    batches.take_turns()
    merges = [item for item in items if item.action == CrmSyncItem.Action.MERGE]
    for item in merges:
        _undo_merge(kind, journal, item)
    items = [item for item in items if item not in merges]
    records = kind.locked(item.record_id for item in items if item.record_id)
    links = {
        link.pk: link
        for link in CrmLink.objects.select_for_update()
        .filter(pk__in=[item.link_id for item in items if item.link_id])
        .order_by("id")
    }
    rows: dict[uuid.UUID, dict[str, Any]] = {}
    changed_links: dict[uuid.UUID, CrmLink] = {}
    trashed: list[uuid.UUID] = []
    restored_ids: list[uuid.UUID] = []
    for item in items:
        ours = records.get(item.record_id) if item.record_id else None
        link = links.get(item.link_id) if item.link_id else None
        if ours is None or not _undo_one(kind, item, ours, link, rows, trashed, restored_ids):
            _kept(journal, item, link)
            continue
        if link is not None:
            changed_links[link.pk] = link
        journal.add(
            side=CrmSyncItem.Side.LOCAL,
            action={"add": "delete", "delete": "add"}.get(item.action, "update"),
            link=link,
            record_id=item.record_id,
            remote_id=item.remote_id,
            before=item.after,
            after=item.before,
        )
    versions = kind.writer.change(list(rows.values()))
    for link in changed_links.values():
        link.local_version = versions.get(link.record_id, link.local_version) if link.record_id else None
    if trashed:
        kind.announce("deleted", trashed, owners_of_ids=trashed)
        kind.model.objects.filter(pk__in=trashed).update(deleted_at=Now(), deleted_by_id=run.created_by_id)
    if restored_ids:
        kind.model.objects.filter(pk__in=restored_ids).update(deleted_at=None, deleted_by=None)
        kind.announce("restore", restored_ids, owners_of_ids=restored_ids)
    if rows:
        kind.announce("synced", rows, owners_of_ids=rows)
    store_links(list(changed_links.values()))
    record(
        f"{kind.noun}.sync_undone",
        kind.noun,
        runId=str(run.undoes_id),
        changed=len(rows),
        trashed=len(trashed),
        restored=len(restored_ids),
    )


def _undo_merge(kind: RecordKind, journal: Journal, item: CrmSyncItem) -> None:
    """Make two of a record again that followed a merge in the CRM."""
    absorbed = kind.model.objects.filter(pk=item.record_id).first()
    try:
        if absorbed is None:
            raise NotMerged
        with transaction.atomic():
            kind.unmerge(absorbed)
    except Conflict:
        _kept(journal, item, None)
        return
    journal.add(
        side=CrmSyncItem.Side.LOCAL,
        action=CrmSyncItem.Action.ADD,
        link=None,
        record_id=item.record_id,
        remote_id=item.remote_id,
        message="The merge was taken back.",
    )


def _undo_one(
    kind: RecordKind,
    item: CrmSyncItem,
    ours: Ours,
    link: CrmLink | None,
    rows: dict[uuid.UUID, dict[str, Any]],
    trashed: list[uuid.UUID],
    restored_ids: list[uuid.UUID],
) -> bool:
    """Prepare the undoing of one item; False when somebody has changed the record since."""
    match item.action:
        case CrmSyncItem.Action.ADD:
            if ours.deleted_at is not None or link is None or link.local_version != ours.updated_at:
                return False
            trashed.append(ours.pk)
            tombstone(link, "ROLLED_BACK")
            return True
        case CrmSyncItem.Action.DELETE:
            if ours.deleted_at is None:
                return False
            if not kind.free_to_restore([ours]):
                return False
            restored_ids.append(ours.pk)
            return True
    if ours.deleted_at is not None:
        return False
    names = [name for name in item.after if name not in TIGHTENING]
    current = kind.fields.local_values(ours, names)
    back: dict[str, Value] = {
        name: restored(item.before.get(name)) for name in names if current[name] == restored(item.after[name])
    }
    for name in [name for name in back if name in kind.fields.identity]:
        try:
            kind.check_value(ours.pk, name, kind.whole_row(ours.pk, ours, back))
        except VocelioError:
            del back[name]
    if not back:
        return False
    rows[ours.pk] = kind.whole_row(ours.pk, ours, back)
    for column, value in rows[ours.pk].items():
        # A later item of the same record builds on this one.
        setattr(ours, column, value)
    if link is not None and link.state == CrmLink.State.LINKED:
        # Both sides now count as unchanged, so that the next sync neither brings the values back nor sends these out.
        link.local_base = {**link.local_base, **back}
    return True


def _kept(journal: Journal, item: CrmSyncItem, link: CrmLink | None) -> None:
    journal.add(
        side=CrmSyncItem.Side.LOCAL,
        action=CrmSyncItem.Action.SKIP,
        link=link,
        record_id=item.record_id,
        remote_id=item.remote_id,
        message="Left as it is: it has been changed since.",
    )
