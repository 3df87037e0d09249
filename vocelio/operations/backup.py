"""Back up the database and the uploaded files into a folder. A manifest, written last, makes it whole.

pg_dump runs as the owner under its own policies: FORCE ROW LEVEL SECURITY binds the owner too, and pg_dump without
--enable-row-security refuses such tables. Each has a policy that lets its owner see everything; where one is missing
the dump would silently lack rows, so walls are looked at first.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.files.storage import Storage, default_storage

from vocelio.db.walls import broken_walls
from vocelio.operations.manifest import FORMAT, PIECE, BadBackup, Manifest, sha256_of, table_states
from vocelio.operations.postgres_tools import find_tool, run_tool, version

Say = Callable[[str], None]


def back_up(folder: Path, *, say: Say, with_files: bool = True, jobs: int | None = None) -> Manifest:
    """Write a backup into a folder that is empty or not there yet; return its manifest."""
    if folder.exists() and any(folder.iterdir()):
        raise BadBackup(f"{folder} is not empty.")
    if broken := broken_walls():
        raise BadBackup(f"Not everything could be read: {broken[0][0]}: {broken[0][1]}. See manage.py doctor.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = settings.DATABASE_OWNER_URL
    with psycopg.connect(url) as connection:
        # One snapshot for the dump and for the figures beside it; released as this transaction ends.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        taken_at, snapshot, server, vector = connection.execute(
            "SELECT now(), pg_export_snapshot(), current_setting('server_version_num')::int / 10000,"
            " (SELECT extversion FROM pg_extension WHERE extname = 'vector')"
        ).fetchone()  # type: ignore[misc]
        pg_dump = find_tool("pg_dump", at_least=server)
        say(f"Dumping {connection.info.dbname} as {connection.info.user}")
        run_tool(
            pg_dump,
            [
                *(
                    "--format=directory",
                    f"--file={folder / 'database'}",
                    f"--jobs={jobs or min(4, os.cpu_count() or 1)}",
                ),
                *(f"--snapshot={snapshot}", "--enable-row-security", "--schema=public", "--no-owner", "--no-acl"),
            ],
            url=url,
        )
        say("Counting and summing up every table")
        migrations = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1").fetchall()
        tables = dict(table_states(connection))
    files: dict[str, str] = {}
    if with_files:
        say("Copying uploaded files")
        for name in stored_files():
            # Deleted meanwhile, as upkeep does with files past their time.
            with suppress(FileNotFoundError):
                files[f"files/{name}"] = copy_out(default_storage, name, folder / "files" / name)
    manifest = Manifest(
        format=FORMAT,
        taken_at=taken_at.astimezone(UTC).isoformat(),
        server=server,
        pg_dump=version(pg_dump),
        vector=vector,
        migrations=[name for (name,) in migrations],
        tables=tables,
        database={str(path.relative_to(folder)): sha256_of(path) for path in sorted((folder / "database").rglob("*"))},
        files=files,
        has_files=with_files,
    )
    manifest.write(folder)
    _note(url)
    return manifest


def stored_files(folder: str = "") -> Iterator[str]:
    """Yield the names of all files of the storage, whichever it is."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(names):
        yield f"{folder}/{name}" if folder else name
    for inner in sorted(folders):
        yield from stored_files(f"{folder}/{inner}" if folder else inner)


def copy_out(storage: Storage, name: str, target: Path) -> str:
    """Copy a stored file to a path; return its SHA-256."""
    digest = hashlib.sha256()
    with storage.open(name) as source:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("wb") as copy:
            while piece := source.read(PIECE):
                digest.update(piece)
                copy.write(piece)
    return digest.hexdigest()


def _note(url: str) -> None:
    """Leave the time for the doctor."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO schedule_ticks (schedule, ticked_at) VALUES ('backup', %s)"
            " ON CONFLICT (schedule) DO UPDATE SET ticked_at = excluded.ticked_at",
            [datetime.now(UTC)],
        )
