"""What one step of a run did with each record: kept as items, summed up as the run's counts, watched by the brake."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.db import connection

from crm_sync.models import CrmLink, CrmSyncItem, CrmSyncRun
from crm_sync.models.links import POINTERS
from crm_sync.providers.values import Kind
from vocelio.db.copy import copy_to_temporary_table
from vocelio.db.ids import uuid7_series
from vocelio.errors import VocelioError
from vocelio.jobs.services import Step

# Below so many records a percentage says nothing.
FEW_DELETES = 10
FEW_CHANGES = 100
_COLUMNS = {
    "id": "uuid",
    "kind": "text",
    "link_id": "uuid",
    "contact_id": "uuid",
    "client_id": "uuid",
    "remote_id": "text",
    "side": "text",
    "action": "text",
    "outcome": "text",
    "fields": "text[]",
    "before": "jsonb",
    "after": "jsonb",
    "code": "text",
    "message": "text",
}


class MassChange(VocelioError):
    """More would be changed or deleted than the connection allows without being asked."""

    code = "MASS_CHANGE"
    status = 409
    message = "This run would change too much at once. Look at what has changed, then confirm the next sync."


class Journal:
    """Gathers the items and counts of one step, of records of one kind; `store` writes them in its transaction."""

    def __init__(self, run: CrmSyncRun, kind: Kind, *, linked: int, max_deletes: int, max_changes: int) -> None:
        self.run = run
        self.kind = kind
        self.linked = linked
        self.max_deletes = max_deletes
        self.max_changes = max_changes
        self.items: list[dict[str, Any]] = []
        self.skipped = 0
        self.changed_before = int(run.sync_details.get("brake", {}).get("changes", 0))
        self.deleted_before = int(run.sync_details.get("brake", {}).get("deletes", 0))
        self.changes = 0
        self.deletes = 0

    def add(
        self,
        *,
        side: str,
        action: str,
        link: CrmLink | None,
        remote_id: str,
        record_id: uuid.UUID | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        message: str = "",
        counts: bool = True,
    ) -> None:
        """Note what was done, or in a dry run would be."""
        self.items.append(
            {
                "link_id": link.pk if link else None,
                **dict.fromkeys(POINTERS.values()),
                POINTERS[self.kind]: record_id,
                "remote_id": remote_id,
                "side": side,
                "action": action,
                "outcome": CrmSyncItem.Outcome.PLANNED if self.run.is_dry else CrmSyncItem.Outcome.DONE,
                "fields": sorted(after or before or {}),
                "before": dict(before or {}),
                "after": dict(after or {}),
                "code": "",
                "message": message[:500],
                "counts": counts,
            }
        )

    def fail(
        self,
        *,
        side: str,
        action: str,
        link: CrmLink | None,
        remote_id: str,
        code: str,
        message: str,
        fields: Iterable[str] = (),
        record_id: uuid.UUID | None = None,
    ) -> None:
        """Note what could not be done, and why."""
        self.items.append(
            {
                "link_id": link.pk if link else None,
                **dict.fromkeys(POINTERS.values()),
                POINTERS[self.kind]: record_id,
                "remote_id": remote_id,
                "side": side,
                "action": action,
                "outcome": CrmSyncItem.Outcome.FAILED,
                "fields": [name for name in fields if name],
                "before": {},
                "after": {},
                "code": code[:60],
                "message": message[:500],
                "counts": True,
            }
        )

    def check_changes(self, number: int) -> None:
        """Raise MassChange when this many more changes of linked records are too many for one run."""
        self.changes += number
        self._check(self.changed_before + self.changes, self.max_changes, FEW_CHANGES, "changed")

    def check_deletes(self, number: int) -> None:
        """Raise MassChange when this many more deletions are too many for one run."""
        self.deletes += number
        self._check(self.deleted_before + self.deletes, self.max_deletes, FEW_DELETES, "deleted")

    def _check(self, number: int, percent: int, few: int, what: str) -> None:
        if self.run.is_confirmed or self.run.is_dry:
            return
        if number > max(few, self.linked * percent // 100):
            raise MassChange(
                f"More than {percent}% of the {self.linked} linked records would be {what}. "
                "Nothing further was done. Look at what happened in the CRM, then confirm the next sync."
            )

    def store(self, step: Step[CrmSyncRun], **checkpoint: Any) -> None:
        """Write the items and add their counts to the run, with the checkpoint."""
        counted = [item for item in self.items if item["counts"]]
        added = sum(1 for item in counted if self._did(item, CrmSyncItem.Action.ADD))
        failed = sum(1 for item in counted if item["outcome"] == CrmSyncItem.Outcome.FAILED)
        skipped = self.skipped + sum(1 for item in counted if self._did(item, CrmSyncItem.Action.LINK, "skip"))
        updated = len(counted) + self.skipped - added - failed - skipped
        self._insert()
        details = self._details(step.job)
        step.set(sync_details=details, checkpoint={**step.job.checkpoint, **checkpoint})
        step.advance(
            len(counted) + self.skipped,
            contacts_added=added,
            contacts_updated=updated,
            contacts_skipped=skipped,
            error_count=failed,
        )

    def _did(self, item: dict[str, Any], *actions: str) -> bool:
        return item["outcome"] != CrmSyncItem.Outcome.FAILED and item["action"] in actions

    def _details(self, run: CrmSyncRun) -> dict[str, Any]:
        """Return the run's breakdown by kind and side, with this step's share added."""
        details: dict[str, Any] = {**run.sync_details}
        key = "plan" if run.is_dry else "done"
        kinds = {**details.get(key, {})}
        table = {side: dict(counts) for side, counts in kinds.get(self.kind.value, {}).items()}
        for item in self.items:
            name = "failed" if item["outcome"] == CrmSyncItem.Outcome.FAILED else str(item["action"])
            side = table.setdefault(str(item["side"]), {})
            side[name] = side.get(name, 0) + 1
        if table:
            details[key] = {**kinds, self.kind.value: table}
        details["brake"] = {
            "changes": self.changed_before + self.changes,
            "deletes": self.deleted_before + self.deletes,
        }
        return details

    def _insert(self) -> None:
        if not self.items:
            return
        ids = uuid7_series(len(self.items))
        rows = (
            [item_id, self.kind.value, *(_cell(name, item[name]) for name in list(_COLUMNS)[2:])]
            for item_id, item in zip(ids, self.items, strict=True)
        )
        copy_to_temporary_table("staged_items", _COLUMNS, rows)
        names = ", ".join(_COLUMNS)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO crm_sync_items (organization_id, run_id, {names})"  # noqa: S608 - names above
                f" SELECT %s, %s, {names} FROM staged_items",
                [self.run.organization_id, self.run.pk],
            )
            cursor.execute("DROP TABLE staged_items")


def _cell(name: str, value: Any) -> Any:
    if name in ("before", "after"):
        return orjson.dumps(value).decode()
    return value
