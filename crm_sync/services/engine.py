"""One run of the sync, phase by phase. Calls to the CRM stand between steps, never inside one.

Every phase reads where it stands from the run's checkpoint and commits the next place together with the rows it wrote,
so that a killed worker's run goes on with nothing lost and nothing written twice. Cursors move at the very end.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from crm_sync.models import CrmHint, CrmIntegration, CrmLink, CrmSyncRun
from crm_sync.providers.failures import AuthExpired, HistoryGone, PositionLost, QuotaReached
from crm_sync.providers.remote import Remote
from crm_sync.providers.values import ObjectType, Operation, PushItem
from crm_sync.services import cursors, gone, marks, push
from crm_sync.services.calls import open_remote
from crm_sync.services.connections import store_fields
from crm_sync.services.hints import add_hint
from crm_sync.services.journal import Journal, MassChange
from crm_sync.services.records import Comparison, take_records
from crm_sync.services.rollback import undo_run
from crm_sync.services.totals import refresh_totals
from vocelio.errors import VocelioError
from vocelio.jobs.services import JobParked, Run, running
from vocelio.organizations.scope import organization_scope
from vocelio.plugins import PluginError

logger = logging.getLogger(__name__)

# How many due links are looked at in one step.
PUSH_CHUNK = 500
# After a passing failure the run waits so long, twice as long each time, and gives up after so many pauses in a row.
FIRST_PAUSE = timedelta(minutes=1)
MOST_PAUSES = 6
# How often the push goes over what was left for a moment.
MOST_PASSES = 3
PLAN = {
    "full": ["fields", "pull", "missing", "hints", "changed", "trashed", "push"],
    "incremental": ["fields", "gone", "pull", "hints", "ids", "missing", "changed", "trashed", "push"],
    "webhook_sync": ["fields", "hints", "push"],
}


class SyncFailed(VocelioError):
    """The CRM, or the connection to it, keeps the run from going on."""

    code = "SYNC_FAILED"
    status = 502


def run_sync(job: CrmSyncRun) -> None:
    """Run a sync, or its rollback, from where it stands to its end."""
    with organization_scope(job.organization_id):
        integration = CrmIntegration.objects.get(pk=job.integration_id)
    with running(job) as run:
        run.job.integration = integration
        with _failures(run):
            if run.job.sync_type == CrmSyncRun.Type.ROLLBACK:
                undo_run(run)
            else:
                with open_remote(integration) as remote:
                    Engine(run, remote).work()


@contextmanager
def _failures(run: Run[CrmSyncRun]) -> Iterator[None]:
    """Turn what the CRM does to us into a pause or into the run's end."""
    try:
        yield
    except MassChange:
        with run.step() as step:
            CrmIntegration.objects.filter(pk=step.job.integration_id).update(needs_confirmation=True)
        raise
    except QuotaReached as error:
        raise _pause(run, error.resets_at or timezone.now() + FIRST_PAUSE) from None
    except AuthExpired as error:
        raise _failed(error) from None
    except PluginError as error:
        if error.permanent or run.job.pauses >= MOST_PAUSES:
            raise _failed(error) from None
        wait = FIRST_PAUSE * 2**run.job.pauses
        if error.retry_after is not None:
            wait = max(timedelta(seconds=error.retry_after), timedelta(seconds=1))
        raise _pause(run, timezone.now() + wait, counts=True) from None


def _failed(error: PluginError) -> SyncFailed:
    failure = SyncFailed(str(error))
    failure.code = error.code or SyncFailed.code
    return failure


def _pause(run: Run[CrmSyncRun], until: datetime, *, counts: bool = False) -> JobParked:
    with run.step() as step:
        step.set(parked_until=until, pauses=step.job.pauses + 1 if counts else step.job.pauses)
    return JobParked(until)


class Engine:
    """A run at work."""

    def __init__(self, run: Run[CrmSyncRun], remote: Remote) -> None:
        self.run = run
        self.remote = remote
        self.job = run.job
        self.integration: CrmIntegration = run.job.integration
        self.provider = self.integration.provider
        with organization_scope(self.job.organization_id):
            self.comparison = Comparison.of(self.job)
            self.linked = (
                CrmLink.objects.linked().filter(integration=self.integration, kind=self.comparison.kind.value).count()
            )
        self.kind = self.comparison.kind
        self.type: ObjectType = self.provider.types[self.kind]

    def work(self) -> None:
        """Go through the phases that are left."""
        if self.job.parked_until is not None:
            with self.run.step() as step:
                step.set(parked_until=None)
        if not self.job.checkpoint:
            self._begin()
        phases = self._phases()
        for phase in phases[phases.index(self.job.checkpoint["phase"]) :]:
            if phase == "end":
                break
            getattr(self, f"_{phase}")()
            self._enter(phases[phases.index(phase) + 1])
        self._end()

    # ---- frame

    def _phases(self) -> list[str]:
        name = "full" if self.job.checkpoint.get("isFull") else "incremental"
        if self.job.sync_type == CrmSyncRun.Type.WEBHOOK:
            name = CrmSyncRun.Type.WEBHOOK.value
        return [*PLAN[name], "end"]

    def _begin(self) -> None:
        """Fix, once for the run, what it reads from and up to."""
        with self.run.step() as step:
            step.set(checkpoint={"phase": "fields", **cursors.first_checkpoint(self.job, self.kind, self.type.overlap)})

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
            self.comparison = Comparison.of(self.job)

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
        if self.job.total is None and not self.job.checkpoint.get("position"):
            total = self.provider.count(self.remote, self.kind, since=since)
            if total is not None:
                with self.run.step() as step:
                    step.set(total=total)
        position = self.job.checkpoint.get("position", "")
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
        """Find our contacts that are new or changed."""
        self._look(trashed=False)

    def _trashed(self) -> None:
        """Find our contacts that went to the trash; before the first run there can be none that matter."""
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

    def _end(self) -> None:
        """Move the cursors past what has been read, and say how things stand."""
        if self.job.is_dry:
            with self.run.step() as step:
                plan = self.job.sync_details.get("plan", {}).get("remote", {})
                details = {**self.job.sync_details, "cost": self._cost(plan)}
                step.set(sync_details=details, total=self.job.processed)
                gone.forget_seen(self.job)
            return
        with self.run.step() as step:
            cursors.move_cursors(self.job, self.kind, tells_gone=self.type.tells_gone)
            refresh_totals(self.integration, synced_at=timezone.now())
            step.set(total=self.job.processed)

    def _cost(self, plan: dict[str, int]) -> dict[str, int]:
        """Return what carrying the plan out would cost of the vendor's quota, by unit."""
        total: dict[str, int] = {}
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
