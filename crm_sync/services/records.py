"""Compare records of both sides and store what comes of it: the heart of pulls, and of what precedes pushes.

`take_records` works in the caller's transaction on one page: one statement to find the links, one for our records,
one for those that look alike, then set-based writes.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from contacts.services import batches
from crm_sync.models import CrmConflict, CrmLink, CrmSyncItem
from crm_sync.models.links import POINTERS
from crm_sync.providers.values import RemoteRecord, Value
from crm_sync.services.comparison import Comparison, Row
from crm_sync.services.fields import TIGHTENING, Unusable, restored
from crm_sync.services.journal import Journal
from crm_sync.services.link_rows import links_of_ours, links_of_records, store_links
from crm_sync.services.merge import merge
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.realtime.publish import publish


def take_records(comparison: Comparison, journal: Journal, records: Sequence[RemoteRecord]) -> None:
    """Merge a page of the CRM's records into ours; what the CRM has to be told is left due on its link."""
    # A page may hold a record twice; the later one is the newer.
    newest = {each.id: each for each in records}
    if not newest:
        return
    batches.take_turns()
    remote_values = comparison.records.fields.read_remote(
        newest.values(), comparison.mapping, comparison.types, comparison.region
    )
    rows = _with_links(comparison, newest, remote_values)
    journal.skipped += len(records) - len(newest)
    rows = [row for row in rows if not _stays_gone(comparison, journal, row)]
    _pair(comparison, rows)
    _merge_all(comparison, rows)
    _write(comparison, journal, rows)


def _with_links(
    comparison: Comparison, records: Mapping[str, RemoteRecord], values: Sequence[dict[str, Value | Unusable]]
) -> list[Row]:
    by_id = links_of_records(comparison.integration, comparison.kind.value, records, lock=True)
    rows = []
    for each, remote in zip(records.values(), values, strict=True):
        link = by_id.get(each.id)
        is_first = link is None or link.record_id is None
        if link is None:
            link = CrmLink(
                id=uuid7(), integration=comparison.integration, kind=comparison.kind.value, remote_id=each.id
            )
        rows.append(Row(each, remote, link, is_first, had_conflict=link.has_conflict))
    return rows


def _stays_gone(comparison: Comparison, journal: Journal, row: Row) -> bool:
    """Say whether a tombstone keeps the record from coming back; one that the CRM has brought back is revived."""
    if row.link.state != CrmLink.State.TOMBSTONED:
        return False
    if row.link.code == "REMOTE_DELETED":
        row.is_revived = True
        return False
    journal.skipped += 1
    return True


def _pair(comparison: Comparison, rows: list[Row]) -> None:
    """Give each row its record of ours: the linked one, else one that is the same and that nobody else has."""
    kind = comparison.records
    choices = kind.choices(rows)
    candidates = {record_id for ids in choices for record_id in ids}
    linked = {row.link.record_id for row in rows if row.link.record_id}
    ours = kind.locked(candidates | linked)
    # A link that was never sent to the CRM does not keep its record from being paired.
    taken = {
        link.record_id
        for link in links_of_ours(comparison.integration, kind.kind, candidates)
        if link.state != CrmLink.State.TOMBSTONED and (link.remote_id or link.state == CrmLink.State.CREATING)
    }
    taken |= linked | comparison.paired
    for row, ids in zip(rows, choices, strict=True):
        if row.link.record_id:
            row.ours = ours.get(row.link.record_id)
            continue
        for record_id in ids:
            if record_id not in taken and record_id in ours:
                row.ours = ours[record_id]
                taken.add(record_id)
                if comparison.is_dry:
                    comparison.paired.add(record_id)
                break
    kind.check_paired(rows)


def _merge_all(comparison: Comparison, rows: list[Row]) -> None:
    kind = comparison.records
    names = [rule.local for rule in comparison.rules]
    # Somebody new may be known to have said no already.
    known = [row.ours or kind.blank(row) for row in rows]
    refused = kind.refused(known, names)
    undecided = _open_conflicts(rows)
    for row, blank in zip(rows, known, strict=True):
        link = row.link
        row.local = kind.fields.local_values(row.ours or kind.model(), names)
        row.local |= kind.fields.local_values(blank, TIGHTENING.keys() & set(names), refused)
        row.merge = merge(
            comparison.rules,
            row.local,
            row.remote,
            {} if row.is_first else {name: restored(value) for name, value in link.local_base.items()},
            {} if row.is_first else {name: restored(value) for name, value in link.remote_base.items()},
            local_is_newer=row.is_newer_here(row.record.changed_at),
            undecided=undecided.get(link.pk, frozenset()),
        )
        row.notes = [f"{name}: {reason}" for name, reason in row.merge.unusable.items()]
    kind.settle(comparison, rows)
    for row in rows:
        if row.ours is None and not (comparison.settings.create_local and comparison.settings.pulls):
            row.problem = ("NOT_WANTED", "", "")
        row.makes_ours = row.ours is None and row.problem is None


def _write(comparison: Comparison, journal: Journal, rows: list[Row]) -> None:
    kind = comparison.records
    new, changed = [], []
    for row in rows:
        if row.problem:
            continue
        plain = {name: value for name, value in row.merge.to_local.items() if name not in TIGHTENING}
        if row.makes_ours:
            whole = kind.whole_row(uuid7(), None, plain)
            row.ours = kind.model(pk=whole["id"], phone=whole["phone"], email=whole["email"])
            new.append((row, whole))
        elif plain and row.ours is not None and row.ours.deleted_at is None:
            changed.append((row, kind.whole_row(row.ours.pk, row.ours, plain)))
    journal.check_changes(sum(1 for row, _ in changed if not row.is_first))
    if comparison.is_dry:
        _plan(comparison, journal, rows)
        return
    versions = kind.writer.add([row for _, row in new], source=comparison.integration.crm_type)
    for each, _ in new:
        if each.ours is not None and each.ours.pk not in versions:
            # Somebody took the place since the look-up, which cannot be while writers take turns, but for one record
            # typed in by hand this very moment. The next run finds it.
            each.problem = ("TAKEN", kind.fields.needed[-1], f"Another {kind.noun} has taken its place this moment.")
            each.ours = None
    versions |= kind.writer.change([row for _, row in changed])
    kind.tell(comparison, rows)
    restored_ids = _restore(comparison, rows)
    links = [_link_after(row, versions) for row in rows if row.problem is None or row.problem[0] != "NOT_WANTED"]
    _adopt(comparison, rows)
    store_links(links)
    _store_conflicts(comparison, rows)
    _note(comparison, journal, rows)
    touched = [each.ours.pk for each, _ in [*new, *changed] if each.ours is not None] + restored_ids
    if touched:
        record(
            f"{kind.noun}.synced",
            kind.noun,
            integrationId=str(comparison.integration.pk),
            runId=str(comparison.run.pk),
            created=len(new),
            updated=len(changed),
        )
        kind.announce("synced", touched, owners_of_ids=[row["id"] for _, row in changed])


def _adopt(comparison: Comparison, rows: list[Row]) -> None:
    """Drop links of records that were to be made in the CRM and turn out to be there already."""
    matched = [row.ours.pk for row in rows if row.ours is not None and row.is_first and not row.makes_ours]
    if matched:
        unmade = [
            link.pk
            for link in links_of_ours(comparison.integration, comparison.kind, matched)
            if not link.remote_id and link.state in (CrmLink.State.NEW, CrmLink.State.REJECTED)
        ]
        CrmLink.objects.filter(pk__in=unmade).delete()


def _restore(comparison: Comparison, rows: list[Row]) -> list[uuid.UUID]:
    """Bring records back from the trash that the CRM has brought back, where their place is still free."""
    kind = comparison.records
    gone = [row.ours for row in rows if row.is_revived and row.ours is not None and row.ours.deleted_at is not None]
    if not gone:
        return []
    free = kind.free_to_restore(gone)
    kind.model.objects.filter(pk__in=free).update(deleted_at=None, deleted_by=None)
    return free


def _link_after(row: Row, versions: Mapping[uuid.UUID, datetime]) -> CrmLink:
    """Return the row's link as it has to be stored."""
    link, result = row.link, row.merge
    link.remote_version = row.record.version[:255]
    link.remote_changed_at = row.record.changed_at
    link.code = link.reason = link.field = ""
    if row.problem:
        code, name, reason = row.problem
        link.state, link.code, link.field, link.reason = CrmLink.State.QUARANTINED, code, name, reason[:500]
        link.point_to(None)
        link.is_due = False
        link.local_base, link.remote_base = {}, {}
        return link
    ours = row.ours
    assert ours is not None  # noqa: S101 - a row without a problem has one
    link.point_to(ours.pk)
    link.state = CrmLink.State.LINKED
    link.local_base, link.remote_base = dict(result.local_base), dict(result.remote_base)
    link.local_version = versions.get(ours.pk) or ours.updated_at
    link.is_due = link.is_due or bool(result.to_remote)
    link.has_conflict = bool(result.conflicts)
    if result.unusable:
        name, reason = next(iter(result.unusable.items()))
        link.field, link.reason = name, reason[:500]
    return link


def _store_conflicts(comparison: Comparison, rows: list[Row]) -> None:
    """Keep the conflict inbox equal to what the merge left undecided."""
    touched = [row for row in rows if row.had_conflict or row.merge.conflicts]
    for row in touched:
        fields = row.merge.conflicts
        stale = CrmConflict.objects.open().filter(link=row.link).exclude(field__in=list(fields))
        stale.update(status=CrmConflict.Status.RESOLVED, resolution="agreed", resolved_at=timezone.now())
        for name, (mine, theirs) in fields.items():
            CrmConflict.objects.update_or_create(
                link=row.link,
                field=name,
                status=CrmConflict.Status.OPEN,
                defaults={"local_value": mine, "remote_value": theirs},
                create_defaults={
                    "integration": comparison.integration,
                    POINTERS[comparison.kind]: row.ours.pk if row.ours else None,
                    "local_value": mine,
                    "remote_value": theirs,
                },
            )
    if found := sum(len(row.merge.conflicts) for row in touched):
        integration_id = str(comparison.integration.pk)
        told = {"integrationId": integration_id, "conflicts": found}
        publish("crm_sync_update", key=integration_id, type="crm_conflicts_found", data=told)


def _open_conflicts(rows: list[Row]) -> dict[uuid.UUID, frozenset[str]]:
    ids = [row.link.pk for row in rows if row.link.has_conflict]
    found: dict[uuid.UUID, frozenset[str]] = {}
    if ids:
        for link_id, name in CrmConflict.objects.open().filter(link_id__in=ids).values_list("link_id", "field"):
            found[link_id] = found.get(link_id, frozenset()) | {name}
    return found


def _plan(comparison: Comparison, journal: Journal, rows: list[Row]) -> None:
    """Note what a real run would do on both sides."""
    _note(comparison, journal, rows)
    for row in rows:
        if row.problem is None and row.merge.to_remote and comparison.settings.pushes:
            journal.add(
                side=CrmSyncItem.Side.REMOTE,
                action=CrmSyncItem.Action.UPDATE,
                link=None if row.is_first else row.link,
                record_id=None if row.makes_ours or row.ours is None else row.ours.pk,
                remote_id=row.record.id,
                before={name: _plain(row.remote.get(name)) for name in row.merge.to_remote},
                after=row.merge.to_remote,
                counts=False,
            )


def _note(comparison: Comparison, journal: Journal, rows: list[Row]) -> None:
    for row in rows:
        common: dict[str, Any] = {
            "side": CrmSyncItem.Side.LOCAL,
            "link": None if comparison.is_dry and row.is_first else row.link,
            "remote_id": row.record.id,
            "message": "; ".join(row.notes),
        }
        if row.problem:
            code, name, reason = row.problem
            if code == "NOT_WANTED":
                journal.skipped += 1
                continue
            journal.fail(code=code, fields=[name], **{**common, "action": CrmSyncItem.Action.ADD, "message": reason})
            continue
        assert row.ours is not None  # noqa: S101 - a row without a problem has one
        # A record that a dry run would make does not exist.
        record_id = None if comparison.is_dry and row.makes_ours else row.ours.pk
        changes = row.merge.to_local
        if row.makes_ours:
            journal.add(action=CrmSyncItem.Action.ADD, record_id=record_id, after=changes, **common)
        elif changes:
            before = {name: row.local[name] for name in changes}
            journal.add(action=CrmSyncItem.Action.UPDATE, record_id=record_id, before=before, after=changes, **common)
        elif row.is_first:
            journal.add(action=CrmSyncItem.Action.LINK, record_id=record_id, **common)
        else:
            journal.skipped += 1


def _plain(value: Value | Unusable) -> Value:
    return None if isinstance(value, Unusable) else value
