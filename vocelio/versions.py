"""Optimistic locking: whoever changes a record says which version they looked at; the second of two is told."""

from typing import Any, TypeVar

from django.db import models

from vocelio.errors import Conflict

ModelT = TypeVar("ModelT", bound=models.Model)


class VersionConflict(Conflict):
    """Somebody else was faster; `current` is the record as it is now."""

    code = "VERSION_CONFLICT"
    message = "Somebody else has changed this meanwhile. Look at it again and repeat."


def lock(rows: Any, pk: Any, version: int | None, state: Any) -> Any:
    """Return the row locked until the transaction ends; raise VersionConflict unless it is still at `version`.

    Without a version the caller takes it as it is. `state` makes the `current` of the refusal.
    """
    row = rows.select_for_update(of=("self",), no_key=True).get(pk=pk)
    if version is not None and row.version != version:
        raise VersionConflict(current=state(row), version=row.version)
    return row
