"""Follow what disappeared in the CRM: deletions, merges, records a full run no longer met."""

import uuid
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection
from django.db.models.functions import Now

from contacts.services import batches
from crm_sync.models import CrmLink, CrmSeenRecord, CrmSyncItem, CrmSyncRun
from crm_sync.providers.values import Deleted, Merged
from crm_sync.services.comparison import Comparison
from crm_sync.services.journal import Journal
from crm_sync.services.link_rows import links_of_records, store_links
from vocelio.audit.services import record
from vocelio.db.copy import copy_to_temporary_table


def take_gone(comparison: Comparison, journal: Journal, gone: Iterable[Deleted | Merged]) -> list[str]:
    """Tombstone what was deleted, redirect and merge what was merged; return the ids of merge winners to be read."""
    found = {each.id: each for each in gone}
    if not found:
        return []
    batches.take_turns()
    winners = [each.into for each in found.values() if isinstance(each, Merged)]
    links = links_of_records(comparison.integration, comparison.kind.value, [*found, *winners], lock=True)
    lost = [
        (links[each.id], each)
        for each in found.values()
        if each.id in links and links[each.id].state != CrmLink.State.TOMBSTONED
    ]
    moved: list[CrmLink] = []
    ended: list[tuple[CrmLink, Deleted | Merged]] = []
    unknown: list[str] = []
    for link, each in lost:
        if (
            isinstance(each, Merged)
            and each.into not in links
            and each.into not in {other.remote_id for other in moved}
        ):
            # The record lives on under another id, and so does ours.
            link.remote_id = each.into
            moved.append(link)
            unknown.append(each.into)
        else:
            ended.append((link, each))
            if isinstance(each, Merged):
                unknown.append(each.into)
    journal.check_deletes(sum(1 for link, _ in ended if link.state == CrmLink.State.LINKED))
    survivors = _survivors(comparison, links, ended, found)
    if comparison.is_dry:
        for link, each in ended:
            trashed = comparison.settings.remote_deletes == "trash"
            _note(journal, link, each, merged=link.pk in survivors, trashed=trashed)
        return unknown
    deleted = _trash(comparison, [link.record_id for link, _ in ended if link.record_id and link.pk not in survivors])
    for link, each in ended:
        _note(journal, link, each, merged=link.pk in survivors, trashed=link.record_id in deleted)
        tombstone(link, "REMOTE_MERGED" if isinstance(each, Merged) else "REMOTE_DELETED")
    for link in moved:
        journal.add(
            side=CrmSyncItem.Side.LOCAL,
            action=CrmSyncItem.Action.LINK,
            link=link,
            record_id=link.record_id,
            remote_id=link.remote_id,
            message="Follows a merge in the CRM.",
        )
    store_links([*moved, *(link for link, _ in ended)])
    for link, _ in ended:
        survivor_id = survivors.get(link.pk)
        if survivor_id is not None and link.record_id is not None:
            # Read anew: an earlier merge of this page may have changed either.
            both = comparison.records.among([survivor_id, link.record_id])
            comparison.records.merge(both[survivor_id], both[link.record_id])
    return unknown


def tombstone(link: CrmLink, code: str) -> None:
    """Mark the link as gone for good and forget what was known of the person; the caller stores it."""
    link.state, link.code = CrmLink.State.TOMBSTONED, code
    link.local_base, link.remote_base = {}, {}
    link.is_due = link.has_conflict = False
    link.reason = link.field = ""


def note_seen(run: CrmSyncRun, ids: Sequence[str]) -> None:
    """Note that a full run has met these records."""
    if not ids:
        return
    copy_to_temporary_table("staged_seen", {"remote_id": "text"}, ([each] for each in ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_seen_records (id, organization_id, run_id, remote_id)"
            " SELECT uuid7(), %s, %s, remote_id FROM staged_seen ON CONFLICT DO NOTHING",
            [run.organization_id, run.pk],
        )
        cursor.execute("DROP TABLE staged_seen")


def count_missing(comparison: Comparison) -> int:
    """Return how many linked records a full run has not met."""
    return len(missing_ids(comparison, limit=None))


def missing_ids(comparison: Comparison, *, limit: int | None, after: str = "") -> list[str]:
    """Return remote ids of links the run has not met, in order, beyond `after`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT remote_id FROM crm_record_links AS link WHERE organization_id = %(organization)s"
            " AND integration_id = %(integration)s AND kind = %(kind)s AND state = 'linked'"
            " AND created_at < %(started)s AND remote_id > %(after)s AND NOT EXISTS (SELECT FROM crm_seen_records AS seen"
            " WHERE seen.organization_id = link.organization_id AND seen.run_id = %(run)s"
            " AND seen.remote_id = link.remote_id) ORDER BY remote_id LIMIT %(limit)s",
            {
                "organization": comparison.run.organization_id,
                "integration": comparison.integration.pk,
                "kind": comparison.kind.value,
                "run": comparison.run.pk,
                "started": comparison.run.started_at,
                "after": after,
                "limit": limit,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def unknown_ids(comparison: Comparison, ids: Sequence[str]) -> list[str]:
    """Return those ids that no link has: records the cursor has missed."""
    return sorted(set(ids) - links_of_records(comparison.integration, comparison.kind.value, ids).keys())


def forget_seen(run: CrmSyncRun) -> None:
    """Empty the list of records the run has met."""
    CrmSeenRecord.objects.filter(run=run).delete()


def _survivors(
    comparison: Comparison,
    links: Mapping[str, CrmLink],
    ended: Sequence[tuple[CrmLink, Deleted | Merged]],
    found: Mapping[str, Deleted | Merged],
) -> dict[uuid.UUID, uuid.UUID]:
    """Return, by the loser's link, the record that takes in the loser's: both are linked, both of ours live."""
    pairs: dict[uuid.UUID, tuple[uuid.UUID, uuid.UUID]] = {}
    for link, each in ended:
        if not isinstance(each, Merged) or not link.record_id or not comparison.settings.pulls:
            continue
        into, passed = each.into, {each.id}
        while into not in passed and isinstance(further := found.get(into), Merged):
            # A winner that lost to a third.
            passed.add(into)
            into = further.into
        winner = links.get(into)
        if winner is not None and winner.state == CrmLink.State.LINKED and winner.record_id:
            pairs[link.pk] = (winner.record_id, link.record_id)
    wanted = {record_id for pair in pairs.values() for record_id in pair}
    alive = set(comparison.records.model.objects.alive().filter(pk__in=wanted).values_list("pk", flat=True))
    return {link_id: pair[0] for link_id, pair in pairs.items() if alive.issuperset(pair) and pair[0] != pair[1]}


def _trash(comparison: Comparison, record_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Put our records into the trash, from which people can bring them back for 30 days."""
    if comparison.settings.remote_deletes != "trash" or not record_ids:
        return set()
    kind = comparison.records
    rows = kind.model.objects.select_for_update().alive().filter(pk__in=list(record_ids)).order_by("pk")
    trashed = set(rows.values_list("pk", flat=True))
    if trashed:
        kind.announce("deleted", trashed, owners_of_ids=trashed)
        kind.model.objects.filter(pk__in=trashed).update(deleted_at=Now(), deleted_by=None)
        record(
            f"{kind.noun}.sync_deleted",
            kind.noun,
            integrationId=str(comparison.integration.pk),
            runId=str(comparison.run.pk),
            ids=sorted(str(record_id) for record_id in trashed),
        )
    return trashed


def _note(journal: Journal, link: CrmLink, each: Deleted | Merged, *, merged: bool, trashed: bool) -> None:
    what = f"Merged into {each.into} in the CRM." if isinstance(each, Merged) else "Deleted in the CRM."
    action = CrmSyncItem.Action.DELETE if trashed else CrmSyncItem.Action.SKIP
    journal.add(
        side=CrmSyncItem.Side.LOCAL,
        action=CrmSyncItem.Action.MERGE if merged else action,
        link=link,
        record_id=link.record_id,
        remote_id=link.remote_id,
        message=what if merged or trashed else f"{what} Ours is kept.",
    )
