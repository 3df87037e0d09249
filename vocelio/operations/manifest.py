"""What a backup says of itself, and what the tables of a database hold, as figures to compare."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

FORMAT = 1
NAME = "manifest.json"
PIECE = 1024 * 1024
# How values read as text must not depend on the server's settings.
READ_ALIKE = (
    "SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; SET bytea_output = 'hex';"
    " SET extra_float_digits = 1"
)


class BadBackup(Exception):
    """The folder holds no whole backup, or not the one it says; the text says where."""


@dataclass(frozen=True)
class TableState:
    """Rows of a table and a sum over the md5 of each, in no order. Generated columns follow from the others."""

    rows: int
    checksum: str


@dataclass(frozen=True)
class Manifest:
    """Written last: a folder without it is no backup."""

    format: int
    taken_at: str
    server: int
    pg_dump: int
    vector: str
    migrations: list[str]
    tables: dict[str, TableState]
    # Paths below the folder, with their SHA-256.
    database: dict[str, str]
    files: dict[str, str]
    has_files: bool
    note: str = "The master keys are not in here. Without them what is encrypted cannot be read: keep them elsewhere."

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.taken_at)

    def write(self, folder: Path) -> None:
        (folder / NAME).write_text(json.dumps(asdict(self), indent=1, sort_keys=True))


def read_manifest(folder: Path) -> Manifest:
    """Return what the backup says; raise BadBackup."""
    try:
        content: dict[str, Any] = json.loads((folder / NAME).read_text())
    except FileNotFoundError:
        raise BadBackup(f"{folder} holds no {NAME}: no backup, or one that was interrupted.") from None
    except ValueError as error:
        raise BadBackup(f"{folder / NAME} is damaged: {error}") from error
    if content.get("format") != FORMAT:
        raise BadBackup(f"{folder} has format {content.get('format')}, this code reads {FORMAT}.")
    content["tables"] = {name: TableState(**state) for name, state in content["tables"].items()}
    return Manifest(**content)


def check_contents(folder: Path, manifest: Manifest) -> None:
    """Read every file of the backup and compare; raise BadBackup at the first that is missing or another."""
    for name, expected in {**manifest.database, **manifest.files}.items():
        path = folder / name
        if not path.is_file():
            raise BadBackup(f"{name} is missing.")
        if sha256_of(path) != expected:
            raise BadBackup(f"{name} was changed or damaged: its SHA-256 is not the manifest's.")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def table_states(connection: psycopg.Connection) -> Iterator[tuple[str, TableState]]:
    """Yield every table and what it holds, as the connection's snapshot sees it; one with partitions as a whole."""
    connection.execute(READ_ALIKE)
    columns = connection.execute(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attname) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace"
        # What an extension brings, it brings again.
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        " GROUP BY 1 ORDER BY 1"
    ).fetchall()
    for table, names in columns:
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(('x' || left(md5(ROW({})::text), 15))::bit(60)::bigint::numeric), 0)::text"
            " FROM {}"
        ).format(sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table))
        row = connection.execute(query).fetchone()
        assert row is not None  # noqa: S101
        yield table, TableState(*row)
