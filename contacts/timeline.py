"""What happened with a contact, told by everybody who knows a part of it.

Another app adds its part in its `apps.ready()`, and contacts never hear of it:

    def calls(contact_id: uuid.UUID, before: datetime | None, limit: int) -> Iterable[Entry]:
        rows = Call.objects.filter(contact_id=contact_id, ...).order_by("-started_at")[:limit]
        return [Entry(row.started_at, "call", str(row.pk), "Called", row.user_id, {"seconds": row.seconds}) for row in rows]

    register("call", calls)
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One thing that happened: when, of which kind, the id of its row, a line for people, by whom, and details."""

    at: datetime
    kind: str
    id: str
    title: str
    user_id: uuid.UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


# Returns at most `limit` entries not later than `before` (None: the newest), the newest first; in an open scope.
Source = Callable[[uuid.UUID, datetime | None, int], Iterable[Entry]]

_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Add a source of entries; a name taken twice is a mistake of the programmer's."""
    if _sources.setdefault(name, source) is not source:
        raise ValueError(f"There are two timeline sources named {name!r}")


def read_timeline(contact_id: uuid.UUID, *, position: tuple[datetime, str] | None = None, limit: int) -> list[Entry]:
    """Return the entries that follow the position, the newest first, of all sources together."""
    before = position[0] if position else None
    entries: list[Entry] = []
    for source in _sources.values():
        ask = limit
        while True:
            found = list(source(contact_id, before, ask))
            fresh = [entry for entry in found if position is None or (entry.at, entry.id) < position]
            # Many entries of one moment may all stand before the position.
            if len(fresh) >= min(limit, ask) or len(found) < ask:
                break
            ask *= 2
        entries += fresh
    return sorted(entries, key=lambda entry: (entry.at, entry.id), reverse=True)[:limit]
