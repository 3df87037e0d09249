"""What a dry run has seen so far: too much for memory, and nothing for the database, which it must not write to."""

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

from contacts.incoming import Incoming
from contacts.services.import_plans import Known


class Scratch:
    """Contacts by what they are known by, and their state where rows can change it, in a file of the process's own."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("CREATE TABLE marks (mark TEXT PRIMARY KEY, id BLOB NOT NULL) WITHOUT ROWID")
        database.execute("CREATE TABLE contacts (id BLOB PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID")

    def find(self, marks: Iterable[str]) -> dict[str, uuid.UUID]:
        """Return whom these stand for."""
        wanted = orjson.dumps(list(marks)).decode()
        rows = self._database.execute(
            "SELECT mark, id FROM marks WHERE mark IN (SELECT value FROM json_each(?))", [wanted]
        )
        return {mark: uuid.UUID(bytes=contact_id) for mark, contact_id in rows}

    def read(self, contact_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Known]:
        """Return the state of those that earlier rows made or changed."""
        found: dict[uuid.UUID, Known] = {}
        for contact_id in contact_ids:
            row = self._database.execute("SELECT state FROM contacts WHERE id = ?", [contact_id.bytes]).fetchone()
            if row is not None:
                phone, extension, email, values, tags, custom_fields = orjson.loads(row[0])
                found[contact_id] = Known(Incoming(0, phone, extension, email, values, tags, custom_fields), {})
        return found

    def keep(self, marks: Mapping[str, uuid.UUID], contacts: Mapping[uuid.UUID, Incoming]) -> None:
        """Remember what some rows would have done."""
        self._database.executemany(
            "INSERT OR REPLACE INTO marks VALUES (?, ?)",
            sorted((mark, contact_id.bytes) for mark, contact_id in marks.items()),
        )
        self._database.executemany(
            "INSERT OR REPLACE INTO contacts VALUES (?, ?)",
            [(contact_id.bytes, _state(contact)) for contact_id, contact in contacts.items()],
        )


@contextmanager
def open_scratch() -> Iterator[Scratch]:
    """Open an empty scratch, which is gone afterwards."""
    # An empty name is SQLite's for a temporary file without one.
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    try:
        yield Scratch(database)
    finally:
        database.close()


def _state(contact: Incoming) -> bytes:
    state: list[Any] = [contact.phone, contact.phone_extension, contact.email]
    return orjson.dumps([*state, contact.values, contact.tags, contact.custom_fields])
