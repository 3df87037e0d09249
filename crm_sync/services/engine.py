"""One run of the sync, phase by phase. Calls to the CRM stand between steps, never inside one.

Every phase reads where it stands from the run's checkpoint and commits the next place together with the rows it wrote,
so that a killed worker's run goes on with nothing lost and nothing written twice. A kind's cursors move at its very end,
then the next kind of record begins.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm_sync.models import CrmHint, CrmIntegration, CrmLink, CrmSyncRun
from crm_sync.providers.failures import HistoryGone, PositionLost
from crm_sync.providers.remote import Remote
from crm_sync.providers.values import Kind, ObjectType, Operation, PushItem
from crm_sync.services import cursors, gone, marks, push
from crm_sync.services.calls import open_remote
from crm_sync.services.comparison import Comparison
from crm_sync.services.connections import store_fields
from crm_sync.services.hints import add_hint
from crm_sync.services.interruptions import SyncFailed, interruptions
from crm_sync.services.journal import Journal, MassChange
from crm_sync.services.records import take_records
from crm_sync.services.rollback import undo_run
from crm_sync.services.rules import kinds_of
from crm_sync.services.totals import refresh_totals
from vocelio.jobs.services import Run, running
from vocelio.organizations.scope import organization_scope

logger = logging.getLogger(__name__)

# How many due links are looked at in one step.
PUSH_CHUNK = 500
# How often the push goes over what was left for a moment.
MOST_PASSES = 3
PLAN = {
    "full": ["fields", "pull", "missing", "hints", "changed", "trashed", "push"],
    "incremental": ["fields", "gone", "pull", "hints", "ids", "missing", "changed", "trashed", "push"],
    "webhook_sync": ["fields", "hints", "push"],
}


def run_sync(job: CrmSyncRun) -> None:
    """Run a sync, or its rollback, from where it stands to its end."""
    with organization_scope(job.organization_id):
        integration = CrmIntegration.objects.get(pk=job.integration_id)
    with running(job) as run:
        run.job.integration = integration
        with interruptions(run):
            if run.job.sync_type == CrmSyncRun.Type.ROLLBACK:
                undo_run(run)
            else:
                with open_remote(integration) as remote:
                    Engine(run, remote).work()


class Engine:
    """A run at work."""

    def __init__(self, run: Run[CrmSyncRun], remote: Remote) -> None:
        self.run = run
        self.remote = remote
        self.job = run.job
        self.integration: CrmIntegration = run.job.integration
        self.provider = self.integration.provider

    def work(self) -> None:
        """Go through the phases that are left."""
        if self.job.parked_until is not None:
            with self.run.step() as step:
                step.set(parked_until=None)
        if not self.job.checkpoint:
            with self.run.step() as step:
                kinds = self._kinds()
                step.set(checkpoint=self._first(kinds))
        while True:
            self._take_up(Kind(self.job.checkpoint["kinds"][0]))
            phases = self._phases()
            for phase in phases[phases.index(self.job.checkpoint["phase"]) :]:
                if phase == "end":
                    break
                getattr(self, f"_{phase}")()
                self._enter(phases[phases.index(phase) + 1])
            if not self._end():
                return

    # ---- frame

    def _phases(self) -> list[str]:
        name = "full" if self.job.checkpoint.get("isFull") else "incremental"
        if self.job.sync_type == CrmSyncRun.Type.WEBHOOK:
            name = CrmSyncRun.Type.WEBHOOK.value
        return [*PLAN[name], "end"]

    def _kinds(self) -> list[Kind]:
        """Return what the run goes through; hints of what is not synced any more are dropped."""
        wanted = kinds_of(self.integration)
        hints = CrmHint.objects.filter(integration=self.integration)
        hints.exclude(kind__in=wanted).delete()
        if self.job.sync_type == CrmSyncRun.Type.WEBHOOK:
            hinted = set(hints.values_list("kind", flat=True))
            return [kind for kind in wanted if kind.value in hinted] or wanted[:1]
        return wanted

    def _first(self, kinds: list[Kind]) -> dict[str, Any]:
        """Fix, once for a kind, what is read from and up to."""
        overlap = self.provider.types[kinds[0]].overlap
        first = cursors.first_checkpoint(self.job, kinds[0], overlap)
        return {"phase": "fields", "kinds": [kind.value for kind in kinds], **first}

    def _take_up(self, kind: Kind) -> None:
        self.kind = kind
        self.type: ObjectType = self.provider.types[kind]
        with organization_scope(self.job.organization_id):
            self.comparison = Comparison.of(self.job, kind)
            self.linked = CrmLink.objects.linked().filter(integration=self.integration, kind=kind.value).count()

    def _enter(self, phase: str) -> None:
        """Note the next phase; stored with its first step, since an ended phase finds nothing to do a second time."""
        kept = {name: value for name, value in self.job.checkpoint.items() if name not in PLACES}
        self.job.checkpoint = {**kept, "phase": phase}

    def _place(self, position: str) -> dict[str, str]:
        """Return where a phase of pages stands; at its last page, that the next phase begins."""
        if position:
            return {"position": position}
        phases = self._phases()
        return {"position": "", "phase": phases[phases.index(self.job.checkpoint["phase"]) + 1]}

    def _journal(self) -> Journal:
        return Journal(
            self.job,
            self.kind,
            linked=self.linked,
            max_deletes=self.comparison.settings.max_deletes,
            max_changes=self.comparison.settings.max_changes,
        )

    # ---- phases

    def _fields(self) -> None:
        """Learn which fields the CRM has today; a mapped one that is gone fails the run by its name."""
        fields = self.provider.fields(self.remote, self.kind)
        with self.run.step():
            store_fields(self.integration, self.kind, fields)
        missing = sorted({rule.remote for rule in self.comparison.rules} - {field.name for field in fields})
        if missing:
            raise SyncFailed(f"The CRM has no field {', '.join(missing)} any more. Change the mapping.")
        with organization_scope(self.job.organization_id):
            self.comparison = Comparison.of(self.job, self.kind)

    def _gone(self) -> None:
        """Follow deletions and merges where the CRM tells them; compare ids where its memory is too short."""
        since = cursors.time_of(self.job, "goneSince")
        if not self.type.tells_gone or since is None:
            return
        position = self.job.checkpoint.get("position", "")
        while True:
            try:
                page = self.provider.gone(self.remote, self.kind, since=since, position=position)
            except (HistoryGone, PositionLost):
                with self.run.step() as step:
                    step.set(checkpoint={**self.job.checkpoint, "mustCompareIds": True})
                return
            with self.run.step() as step:
                journal = self._journal()
                self._hint(gone.take_gone(self.comparison, journal, page.gone))
                journal.store(step, **self._place(page.position))
            position = page.position
            if not position:
                return

    def _pull(self) -> None:
        """Read what changed, page by page, each committed with its place."""
        since = cursors.time_of(self.job, "since")
        is_full = self.job.checkpoint["isFull"]
        position = self.job.checkpoint.get("position", "")
        told = None if position else self.provider.count(self.remote, self.kind, since=since)
        while True:
            try:
                page = self.provider.changes(
                    self.remote, self.kind, since=since, position=position, names=self.comparison.names
                )
            except PositionLost:
                if not position:
                    raise
                position = ""
                continue
            with self.run.step() as step:
                if not position:
                    step.set(total=self.job.processed + self._expected(told, is_full=is_full))
                journal = self._journal()
                take_records(self.comparison, journal, page.records)
                self._hint(gone.take_gone(self.comparison, journal, page.gone))
                if is_full:
                    gone.note_seen(self.job, [record.id for record in page.records])
                newest = max(filter(None, [cursors.time_of(self.job, "newest"), page.newest]), default=None)
                journal.store(step, newest=newest.isoformat() if newest else None, **self._place(page.position))
                step.set(pauses=0)
            position = page.position
            if not position:
                return

    def _expected(self, told: int | None, *, is_full: bool) -> int:
        """Return about how many records the kind will take, for the progress; the push counts what is due exactly."""
        pulled = self.linked if told is None and is_full else told or 0
        if self.linked or not self.comparison.settings.pushes:
            return pulled
        return pulled + int(self.comparison.records.model.objects.alive().count())

    def _ids(self) -> None:
        """Compare the ids of both sides, from time to time, or when the CRM could not tell what is gone."""
        checkpoint = self.job.checkpoint
        last = cursors.time_of(self.job, "idsAt")
        hours = self.comparison.settings.reconcile_hours
        is_due = last is None or last < timezone.now() - timedelta(hours=hours)
        if not (checkpoint.get("mustCompareIds") or (is_due and not self.type.tells_gone)):
            return
        position = checkpoint.get("position", "")
        while True:
            try:
                page = self.provider.ids(self.remote, self.kind, position=position)
            except PositionLost:
                if not position:
                    raise
                position = ""
                continue
            with self.run.step() as step:
                gone.note_seen(self.job, page.ids)
                self._hint(gone.unknown_ids(self.comparison, page.ids))
                place = self._place(page.position) | {"comparedIds": not page.position}
                step.set(checkpoint={**self.job.checkpoint, **place})
            position = page.position
            if not position:
                return

    def _missing(self) -> None:
        """Look after linked records that no page held, and tombstone those that are gone."""
        checkpoint = self.job.checkpoint
        if not (checkpoint["isFull"] or checkpoint.get("comparedIds")):
            return
        with organization_scope(self.job.organization_id):
            lost = gone.count_missing(self.comparison)
            journal = self._journal()
        if lost and lost == self.linked and not self.job.is_confirmed and not self.job.is_dry:
            raise MassChange(
                f"The CRM shows none of the {self.linked} linked records. Nothing was done: check which account this is "
                "and what its permissions are, then confirm the next sync."
            )
        # Before anything is deleted: half of the deletions would be as wrong as all of them.
        journal.check_deletes(lost)
        after = checkpoint.get("after", "")
        while True:
            with organization_scope(self.job.organization_id):
                ids = gone.missing_ids(self.comparison, limit=self.type.fetch_size, after=after)
            if not ids:
                break
            found = self.provider.fetch(self.remote, self.kind, ids=ids, names=self.comparison.names)
            with self.run.step() as step:
                journal = self._journal()
                take_records(self.comparison, journal, found.records)
                self._hint(gone.take_gone(self.comparison, journal, found.gone))
                journal.store(step, after=ids[-1])
            after = ids[-1]
        with self.run.step():
            gone.forget_seen(self.job)

    def _hints(self) -> None:
        """Read the records that webhooks, merges and comparisons of ids have pointed at."""
        if self.job.is_dry:
            return
        after = self.job.checkpoint.get("after", "")
        while True:
            with organization_scope(self.job.organization_id):
                hints = CrmHint.objects.filter(
                    integration=self.integration, kind=self.kind.value, remote_id__gt=after
                ).order_by("remote_id")
                counts = dict(hints.values_list("remote_id", "count")[: self.type.fetch_size])
            if not counts:
                return
            ids = list(counts)
            found = self.provider.fetch(self.remote, self.kind, ids=ids, names=self.comparison.names)
            with self.run.step() as step:
                journal = self._journal()
                take_records(self.comparison, journal, found.records)
                further = gone.take_gone(self.comparison, journal, found.gone)
                journal.store(step, after=ids[-1])
                for remote_id, count in counts.items():
                    # One that came meanwhile has raised the count, and stays.
                    CrmHint.objects.filter(
                        integration=self.integration, kind=self.kind.value, remote_id=remote_id, count=count
                    ).delete()
                self._hint(further)
            after = ids[-1]

    def _changed(self) -> None:
        """Find our records that are new or changed."""
        self._look(trashed=False)

    def _trashed(self) -> None:
        """Find our records that went to the trash; before the first run there can be none that matter."""
        if cursors.time_of(self.job, "localSince") is not None or self.linked:
            self._look(trashed=True)

    def _look(self, *, trashed: bool) -> None:
        stored = self.job.checkpoint.get("place")
        place: marks.Place | None = (
            marks.Place(*stored) if stored else marks.Place.start(cursors.time_of(self.job, "localSince"))
        )
        while place is not None:
            with self.run.step() as step:
                if self.job.is_dry:
                    journal = self._journal()
                    links, place = marks.changed_links(self.comparison, place, trashed=trashed)
                    push.plan(self.comparison, journal, links)
                    journal.store(step, place=place)
                else:
                    mark = marks.mark_trashed if trashed else marks.mark_changed
                    place = mark(self.comparison, place)
                    step.set(checkpoint={**self.job.checkpoint, "place": place})

    def _push(self) -> None:
        """Write in the CRM what is due there, in passes until nothing is left for a moment."""
        if self.job.is_dry:
            return
        with organization_scope(self.job.organization_id):
            self._journal().check_deletes(marks.count_deletes(self.comparison))
        for number in range(self.job.checkpoint.get("pass", 0), MOST_PASSES):
            if not self._push_pass(number):
                return

    def _push_pass(self, number: int) -> bool:
        """Go over the due links once; say whether there were any."""
        after, did_any = self.job.checkpoint.get("after", ""), False
        while True:
            with self.run.step() as step:
                journal = self._journal()
                links = push.due_links(self.comparison, after=after, limit=PUSH_CHUNK)
                if not after:
                    step.set(total=self.job.processed + push.count_due(self.comparison))
                work = push.prepare(self.comparison, journal, links)
                journal.store(step)
            if not links:
                break
            did_any = True
            work = self._verified(work)
            for operation, outgoing in work.by_operation:
                self._write(operation, outgoing)
            after = str(links[-1].pk)
            self.job.checkpoint = {**self.job.checkpoint, "after": after, "pass": number}
        self.job.checkpoint = {**self.job.checkpoint, "after": "", "pass": number + 1}
        return did_any

    def _verified(self, work: push.Work) -> push.Work:
        """Look at the CRM's side once more before it is written, and for creates that were not answered."""
        work.creates = self._not_made(work.creates)
        if not work.updates:
            return work
        for batch in _batches(work.updates, self.type.fetch_size):
            found = self.provider.fetch(
                self.remote, self.kind, ids=[each.remote_id for each in batch], names=self.comparison.names
            )
            with self.run.step() as step:
                journal = self._journal()
                self._hint(push.take_current(self.comparison, journal, found.records, found.gone))
                journal.store(step)
        with self.run.step() as step:
            journal = self._journal()
            ids = [each.link_id for each in work.updates]
            links = CrmLink.objects.due().select_for_update().filter(pk__in=ids, state=CrmLink.State.LINKED)
            again = push.prepare(self.comparison, journal, list(links.order_by("id")))
            journal.store(step)
        return push.Work(creates=work.creates, updates=again.updates, deletes=[*work.deletes, *again.deletes])

    def _not_made(self, creates: list[push.Outgoing]) -> list[push.Outgoing]:
        """Return the creates that have certainly not been carried out yet; pair the others with what they made."""
        if self.type.creates_repeat:
            return creates
        doubtful = [each for each in creates if each.attempted_at is not None]
        for batch in _batches(doubtful, self.type.fetch_size):
            items = [each.item(self.comparison.mapping) for each in batch]
            found = self.provider.find(self.remote, self.kind, items, names=self.comparison.names)
            made = [each for each in batch if str(each.link_id) in found]
            with self.run.step() as step:
                journal = self._journal()
                for each in made:
                    push.adopt(self.comparison, journal, each, found[str(each.link_id)])
                journal.store(step)
            creates = [each for each in creates if each not in made]
        return creates

    def _write(self, operation: Operation, outgoing: list[push.Outgoing]) -> None:
        by_key = {str(each.link_id): each for each in outgoing}

        def send(items: Any) -> Any:
            return self.provider.push(self.remote, self.kind, operation, items, names=self.comparison.names)

        for batch in _batches(outgoing, self.type.batch[operation]):
            items: list[PushItem] = [each.item(self.comparison.mapping) for each in batch]
            for results in push.push_batch(send, items):
                with self.run.step() as step:
                    journal = self._journal()
                    ids = push.take_results(self.comparison, journal, operation, by_key, results)
                    journal.store(step)
                    step.set(pauses=0 if results else step.job.pauses)
                self._read_now(ids)

    def _read_now(self, ids: list[str]) -> None:
        """Compare records that a write has told us of."""
        for batch in _batches(ids, self.type.fetch_size):
            found = self.provider.fetch(self.remote, self.kind, ids=batch, names=self.comparison.names)
            with self.run.step() as step:
                journal = self._journal()
                push.take_current(self.comparison, journal, found.records, found.gone)
                journal.store(step)

    # ---- end

    def _end(self) -> bool:
        """Move the kind's cursors past what has been read, and say how things stand; say whether a kind is left."""
        left = [Kind(kind) for kind in self.job.checkpoint["kinds"][1:]]
        with self.run.step() as step:
            details = {name: value for name, value in self.job.sync_details.items() if name != "brake"}
            if self.job.is_dry:
                details["cost"] = self._cost(details)
                gone.forget_seen(self.job)
            else:
                cursors.move_cursors(self.job, self.kind, tells_gone=self.type.tells_gone)
            step.set(sync_details=details)
            if left:
                step.set(checkpoint=self._first(left))
            else:
                step.set(total=self.job.processed)
                if not self.job.is_dry:
                    refresh_totals(self.integration, synced_at=timezone.now())
        return bool(left)

    def _cost(self, details: dict[str, Any]) -> dict[str, int]:
        """Return what carrying the plan out would cost of the vendor's quota, by unit, kinds before this included."""
        plan: dict[str, int] = details.get("plan", {}).get(self.kind.value, {}).get("remote", {})
        total: dict[str, int] = {**details.get("cost", {})}
        for action, operation in (
            ("add", Operation.CREATE),
            ("update", Operation.UPDATE),
            ("delete", Operation.DELETE),
        ):
            if count := plan.get(action, 0):
                for unit, units in self.provider.cost(self.kind, operation, count).items():
                    total[unit] = total.get(unit, 0) + units
        return total

    def _hint(self, ids: list[str]) -> None:
        if self.job.is_dry:
            return
        for remote_id in ids:
            add_hint(self.integration, self.kind.value, remote_id)


# What belongs to one phase alone.
PLACES = ("position", "after", "place", "pass")


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
