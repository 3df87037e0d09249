"""Change the master key while everything runs: wrap every organization's key anew, a batch at a time.

The data is not touched: it is encrypted by the organizations' keys, and those alone are wrapped by the master key.
Readers accept every key of MASTER_KEYS meanwhile, so no order of restarts breaks a read.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from vocelio.crypto.envelope import Undecryptable, master_keys, unwrap, wrap

BATCH = 500
_FIRST = uuid.UUID(int=0)


@dataclass
class KeyCount:
    """How the organizations' keys are wrapped."""

    total: int = 0
    older: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class StoredKey:
    """One organization's key as it rests."""

    id: uuid.UUID
    organization_id: uuid.UUID
    wrapped: str


def count_keys() -> KeyCount:
    """Try the master keys on every organization's key."""
    newest, count = master_keys()[0], KeyCount()
    for batch in _batches():
        for stored in batch:
            count.total += 1
            key, master_key = _opened(stored)
            count.unreadable += key is None
            count.older += key is not None and master_key != newest
    return count


def rewrap_batches() -> Iterator[KeyCount]:
    """Wrap by the newest master key what an older one wraps; yield the count so far after each committed batch.

    May be stopped and begun again at any moment, also twice at once: a key is replaced only while it is what was read,
    and what is wrapped by the newest key already is passed over. Keys that no master key opens stay as they are.
    """
    newest, count = master_keys()[0], KeyCount()
    for batch in _batches():
        changed: list[tuple[uuid.UUID, str, str]] = []
        for stored in batch:
            count.total += 1
            key, master_key = _opened(stored)
            if key is None:
                count.unreadable += 1
            elif master_key != newest:
                changed.append((stored.id, stored.wrapped, wrap(newest, key, stored.organization_id)))
        if changed:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT rewrap_organization_keys(%s::uuid[], %s, %s)",
                    [list(column) for column in zip(*changed, strict=True)],
                )
                count.older += cursor.fetchone()[0]
        yield count


def _batches() -> Iterator[list[StoredKey]]:
    after = _FIRST
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM organization_keys_after(%s, %s)", [after, BATCH])
            batch = [StoredKey(*row) for row in cursor.fetchall()]
        if not batch:
            return
        yield batch
        after = batch[-1].id


def _opened(stored: StoredKey) -> tuple[bytes, bytes] | tuple[None, None]:
    try:
        return unwrap(stored.wrapped, stored.organization_id)
    except Undecryptable:
        return None, None
