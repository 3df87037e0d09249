"""Write our changes in the CRM: in batches, halved when refused, never twice, every outcome stored as it comes in."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm_sync.models import CrmConflict, CrmLink, CrmSyncItem
from crm_sync.providers.failures import BatchRejected, OutcomeUnknown
from crm_sync.providers.values import (
    Deleted,
    Merged,
    Operation,
    Outcome,
    PushItem,
    PushResult,
    RemoteRecord,
    Value,
)
from crm_sync.services.comparison import Comparison
from crm_sync.services.fields import TIGHTENING, Unusable, problem_of, restored
from crm_sync.services.gone import take_gone, tombstone
from crm_sync.services.journal import Journal
from crm_sync.services.link_rows import links_of_records, store_links
from crm_sync.services.merge import Direction, merge
from crm_sync.services.records import take_records

# A row that fails for the moment is tried in so many runs before a person has to look.
MOST_ATTEMPTS = 5


@dataclass
class Outgoing:
    """One write to the CRM."""

    link_id: uuid.UUID
    remote_id: str
    # By our names: what is written, and what was there.
    values: dict[str, Value]
    before: dict[str, Value]
    local: dict[str, Value]
    version: datetime | None
    record_id: uuid.UUID | None
    attempted_at: datetime | None = None

    def item(self, mapping: Mapping[str, str]) -> PushItem:
        return PushItem(
            key=str(self.link_id),
            values={mapping[name]: value for name, value in self.values.items()},
            remote_id=self.remote_id,
            attempted_at=self.attempted_at,
        )


@dataclass
class Work:
    """What some due links come to."""

    creates: list[Outgoing] = field(default_factory=list)
    updates: list[Outgoing] = field(default_factory=list)
    deletes: list[Outgoing] = field(default_factory=list)

    @property
    def by_operation(self) -> list[tuple[Operation, list[Outgoing]]]:
        return [
            (Operation.CREATE, self.creates),
            (Operation.UPDATE, self.updates),
            (Operation.DELETE, self.deletes),
        ]


def count_due(comparison: Comparison) -> int:
    """Return how many links have to be compared with the CRM."""
    due: int = _due(comparison).count()
    return due


def due_links(comparison: Comparison, *, after: str, limit: int) -> list[CrmLink]:
    """Return the next links to be compared with the CRM, locked."""
    links = _due(comparison)
    if after:
        links = links.filter(pk__gt=after)
    return list(links.select_for_update().order_by("id")[:limit])


def _due(comparison: Comparison) -> Any:
    return CrmLink.objects.due().filter(integration=comparison.integration, kind=comparison.kind.value)


def prepare(comparison: Comparison, journal: Journal, links: Sequence[CrmLink]) -> Work:
    """Decide what to write for these links; store those that need no write, and that creates are under way."""
    kind = comparison.records
    found = kind.among(link.record_id for link in links if link.record_id)
    names = [rule.local for rule in comparison.rules]
    refused = kind.refused(found.values(), names)
    work = Work()
    settled: list[CrmLink] = []
    for link in links:
        ours = found.get(link.record_id) if link.record_id else None
        if ours is None or ours.deleted_at is not None:
            if _is_to_be_deleted(comparison, link):
                work.deletes.append(Outgoing(link.pk, link.remote_id, {}, {}, {}, None, link.record_id))
                continue
            tombstone(link, "LOCAL_DELETED")
            settled.append(link)
            continue
        local = kind.fields.local_values(ours, names, refused)
        if not comparison.settings.pushes:
            link.is_due = False
            settled.append(link)
            continue
        before = {name: restored(link.remote_base.get(name)) for name in names}
        values = _changes(comparison, link, local, before)
        if not values and link.remote_id:
            link.is_due, link.local_version = False, ours.updated_at
            settled.append(link)
            continue
        values, problem = _checked(comparison, values, is_new=not link.remote_id)
        if problem:
            name, reason = problem
            _reject(link, "INVALID_VALUE", name, reason, ours.updated_at)
            journal.fail(
                side=CrmSyncItem.Side.REMOTE,
                action=CrmSyncItem.Action.UPDATE if link.remote_id else CrmSyncItem.Action.ADD,
                link=link,
                record_id=ours.pk,
                remote_id=link.remote_id,
                code="INVALID_VALUE",
                message=reason,
                fields=[name],
            )
            settled.append(link)
            continue
        outgoing = Outgoing(
            link.pk,
            link.remote_id,
            values,
            {name: before[name] for name in values},
            local,
            ours.updated_at,
            ours.pk,
            link.attempted_at,
        )
        if link.remote_id:
            work.updates.append(outgoing)
        else:
            work.creates.append(outgoing)
            # Committed before anything is sent: whoever finds it so knows that the record may exist.
            link.state, link.attempted_at = CrmLink.State.CREATING, link.attempted_at or timezone.now()
            settled.append(link)
    store_links(settled)
    return work


def plan(comparison: Comparison, journal: Journal, links: Sequence[CrmLink]) -> None:
    """Note what `prepare` would write, for a dry run."""
    kind = comparison.records
    found = kind.among(link.record_id for link in links if link.record_id)
    names = [rule.local for rule in comparison.rules]
    refused = kind.refused(found.values(), names)
    for link in links:
        ours = found.get(link.record_id) if link.record_id else None
        if ours is None or ours.pk in comparison.paired:
            continue
        is_stored = not link._state.adding
        common: dict[str, Any] = {
            "side": CrmSyncItem.Side.REMOTE,
            "link": link if is_stored else None,
            "record_id": ours.pk,
            "remote_id": link.remote_id,
        }
        if ours.deleted_at is not None:
            if _is_to_be_deleted(comparison, link):
                journal.add(action=CrmSyncItem.Action.DELETE, **common)
            continue
        local = kind.fields.local_values(ours, names, refused)
        before = {name: restored(link.remote_base.get(name)) for name in names}
        values, problem = _checked(comparison, _changes(comparison, link, local, before), is_new=not link.remote_id)
        action = CrmSyncItem.Action.UPDATE if link.remote_id else CrmSyncItem.Action.ADD
        if problem:
            journal.fail(action=action, code="INVALID_VALUE", message=problem[1], fields=[problem[0]], **common)
        elif values or not link.remote_id:
            journal.add(action=action, before={name: before[name] for name in values}, after=values, **common)


def take_current(
    comparison: Comparison, journal: Journal, records: Sequence[RemoteRecord], gone: Sequence[Deleted | Merged]
) -> list[str]:
    """Merge the records as they are in the CRM this moment, before anything is written there."""
    skipped = journal.skipped
    take_records(comparison, journal, records)
    journal.skipped = skipped
    return take_gone(comparison, journal, gone)


def push_batch(
    provider_push: Callable[[Sequence[PushItem]], Sequence[PushResult]], items: Sequence[PushItem]
) -> Iterator[Sequence[PushResult]]:
    """Push a batch and yield what came of it; halve it while the vendor refuses all for the sake of one."""
    try:
        yield provider_push(items)
    except BatchRejected as refusal:
        if len(items) == 1:
            yield [
                PushResult(items[0].key, Outcome.REJECTED, code=refusal.code, message=str(refusal), field=refusal.field)
            ]
            return
        middle = len(items) // 2
        yield from push_batch(provider_push, items[:middle])
        yield from push_batch(provider_push, items[middle:])
    except OutcomeUnknown:
        # Nothing is stored: creates are looked for, changes repeated.
        yield []


def take_results(
    comparison: Comparison,
    journal: Journal,
    operation: Operation,
    outgoing: Mapping[str, Outgoing],
    results: Sequence[PushResult],
) -> list[str]:
    """Store what became of some writes; return the ids of records that have to be read first."""
    links = {
        str(link.pk): link
        for link in CrmLink.objects.select_for_update().filter(pk__in=[each.key for each in results]).order_by("id")
    }
    ids = [each.remote_id for each in results if each.remote_id]
    taken = set(links_of_records(comparison.integration, comparison.kind.value, ids))
    kind = comparison.records
    versions = kind.versions(link.record_id for link in links.values() if link.record_id)
    taken_by = f"Another {kind.noun} is linked to this record."
    to_read: list[str] = []
    gone: list[Deleted | Merged] = []
    for result in results:
        link, sent = links.get(result.key), outgoing[result.key]
        if link is None:
            continue
        match result.outcome:
            case Outcome.DONE:
                if operation == Operation.CREATE and result.remote_id in taken:
                    # An upsert has met a record that another of ours is linked to.
                    _fail(journal, link, operation, "DUPLICATE", taken_by, "")
                    continue
                _done(comparison, journal, operation, link, sent, result, versions.get(link.record_id))
            case Outcome.GONE if operation == Operation.DELETE:
                _done(comparison, journal, operation, link, sent, result, None)
            case Outcome.GONE:
                gone.append(Deleted(link.remote_id))
            case Outcome.MERGED:
                gone.append(Merged(link.remote_id, into=result.remote_id))
            case Outcome.DUPLICATE if result.remote_id and result.remote_id not in taken:
                # The same, made over there meanwhile: pair them, then compare.
                link.remote_id, link.state, link.attempted_at = result.remote_id, CrmLink.State.LINKED, None
                to_read.append(result.remote_id)
                taken.add(result.remote_id)
            case Outcome.RETRY:
                link.attempts += 1
                if link.attempts >= MOST_ATTEMPTS:
                    _fail(journal, link, operation, result.code or "RETRIED", result.message, result.field)
            case _:
                code = result.code or result.outcome.value.upper()
                _fail(journal, link, operation, code, result.message or "The CRM refuses this record.", result.field)
    gone_ids = {each.id for each in gone}
    store_links([link for link in links.values() if link.remote_id not in gone_ids])
    return [*to_read, *take_gone(comparison, journal, gone)]


def adopt(comparison: Comparison, journal: Journal, outgoing: Outgoing, record: RemoteRecord) -> bool:
    """Pair ours with the record that an unanswered create has made; False when that is another's."""
    link = CrmLink.objects.select_for_update().get(pk=outgoing.link_id)
    if links_of_records(comparison.integration, comparison.kind.value, [record.id]):
        message = f"Another {comparison.records.noun} is linked to this record."
        _fail(journal, link, Operation.CREATE, "DUPLICATE", message, "")
        store_links([link])
        return False
    link.remote_id, link.state, link.attempted_at, link.attempts = record.id, CrmLink.State.LINKED, None, 0
    store_links([link])
    journal.add(
        side=CrmSyncItem.Side.REMOTE,
        action=CrmSyncItem.Action.ADD,
        link=link,
        record_id=link.record_id,
        remote_id=record.id,
        after=outgoing.values,
        message="Found after a write that was not answered.",
    )
    take_current(comparison, journal, [record], [])
    return True


def _is_to_be_deleted(comparison: Comparison, link: CrmLink) -> bool:
    settings = comparison.settings
    return bool(link.remote_id) and settings.local_deletes == "delete" and settings.pushes


def _changes(
    comparison: Comparison, link: CrmLink, local: Mapping[str, Value], remote: Mapping[str, Value]
) -> dict[str, Value]:
    """Return the fields to be written, taking the CRM's for what they were when last read."""
    if not link.remote_id:
        return {
            rule.local: local[rule.local]
            for rule in comparison.rules
            if rule.direction != Direction.PULL and local[rule.local] not in (None, False)
        }
    undecided = frozenset(name for name in link.local_base if link.has_conflict and _is_open(link, name))
    return merge(
        comparison.rules,
        local,
        remote,
        {name: restored(value) for name, value in link.local_base.items()},
        {name: restored(value) for name, value in link.remote_base.items()},
        local_is_newer=True,
        undecided=undecided,
    ).to_remote


def _is_open(link: CrmLink, name: str) -> bool:
    return bool(CrmConflict.objects.open().filter(link=link, field=name).exists())


def _checked(
    comparison: Comparison, values: dict[str, Value], *, is_new: bool
) -> tuple[dict[str, Value], tuple[str, str] | None]:
    """Return the values, and the first that the CRM's own description of its fields speaks against."""
    mapping = comparison.mapping
    if comparison.types:
        for name, value in values.items():
            if reason := problem_of(comparison.types.get(mapping[name]), value):
                return values, (name, reason)
        if is_new:
            for rule in comparison.rules:
                kind = comparison.types.get(rule.remote)
                if kind is not None and kind.is_required and rule.local not in values and kind.is_writable:
                    return values, (rule.local, f"{kind.label} must not be empty.")
    return values, None


def _done(
    comparison: Comparison,
    journal: Journal,
    operation: Operation,
    link: CrmLink,
    sent: Outgoing,
    result: PushResult,
    version: datetime | None,
) -> None:
    """Store a write that the CRM has confirmed, with the values as it stored them."""
    action = {
        Operation.CREATE: CrmSyncItem.Action.ADD,
        Operation.UPDATE: CrmSyncItem.Action.UPDATE,
        Operation.DELETE: CrmSyncItem.Action.DELETE,
    }[operation]
    journal.add(
        side=CrmSyncItem.Side.REMOTE,
        action=action,
        link=link,
        record_id=sent.record_id,
        remote_id=result.remote_id or link.remote_id,
        before=sent.before,
        after=sent.values,
    )
    link.attempted_at, link.attempts = None, 0
    link.code = link.reason = link.field = ""
    if operation == Operation.DELETE:
        tombstone(link, "LOCAL_DELETED")
        return
    link.state = CrmLink.State.LINKED
    link.remote_id = result.remote_id or link.remote_id
    stored: dict[str, Value | Unusable] = {}
    if result.record is not None:
        (stored,) = comparison.records.fields.read_remote(
            [result.record], comparison.mapping, comparison.types, comparison.region
        )
        link.remote_version = result.record.version[:255] or link.remote_version
        link.remote_changed_at = result.record.changed_at or link.remote_changed_at
    names = list(sent.local) if operation == Operation.CREATE else list(sent.values)
    for name in names:
        value = stored.get(name, sent.values.get(name))
        if isinstance(value, Unusable):
            value = sent.values.get(name)
        if name in TIGHTENING:
            value = bool(value)
        link.local_base[name] = sent.local[name]
        link.remote_base[name] = value
    link.local_version = sent.version
    link.is_due = version is not None and sent.version is not None and version != sent.version


def _fail(journal: Journal, link: CrmLink, operation: Operation, code: str, message: str, name: str) -> None:
    action = {
        Operation.CREATE: CrmSyncItem.Action.ADD,
        Operation.UPDATE: CrmSyncItem.Action.UPDATE,
        Operation.DELETE: CrmSyncItem.Action.DELETE,
    }[operation]
    journal.fail(
        side=CrmSyncItem.Side.REMOTE,
        action=action,
        link=link,
        record_id=link.record_id,
        remote_id=link.remote_id,
        code=code,
        message=message,
        fields=[name],
    )
    _reject(link, code, name, message, link.local_version)


def _reject(link: CrmLink, code: str, name: str, reason: str, version: datetime | None) -> None:
    link.state, link.is_due = CrmLink.State.REJECTED, False
    link.code, link.field, link.reason = code[:60], name[:100], reason[:500]
    link.attempted_at, link.local_version = None, version
