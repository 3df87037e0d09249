"""Restore a backup into an empty database, prove that it is the same, and keep everything inside until released.

A restored outbox is that of an old moment: what was sent since the backup would be sent again. So nothing leaves the
installation until an operator says so (`manage.py release_outgoing`), and nobody is signed in: a session that was ended
since would be alive again.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

import psycopg
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from vocelio.db.holds import OUTGOING, PARKED
from vocelio.embedded.provision import provision
from vocelio.operations.manifest import BadBackup, Manifest, check_contents, read_manifest, sha256_of, table_states
from vocelio.operations.postgres_tools import find_tool, run_tool

Say = Callable[[str], None]

# Entries of the dump that this code makes itself, or that provisioning made before.
PROVISIONED = ("SCHEMA", "EXTENSION", "COMMENT")
WALLS = ("POLICY", "ROW SECURITY")
# Whoever was signed in then is not now; a password mail asked for then is not sent now.
SIGN_INS = ("refresh_tokens", "user_sessions", "django_session", "password_resets")
REASON = "Restored from the backup of {:%Y-%m-%d %H:%M} UTC; what was sent since then would be sent again."


def restore(folder: Path, *, say: Say, jobs: int | None = None) -> Manifest:
    """Restore into the database of DATABASE_OWNER_URL, which must be empty; raise BadBackup or ToolProblem.

    With DATABASE_ADMIN_URL in the environment, database and roles are made first.
    """
    manifest = read_manifest(folder)
    say("Reading the backup")
    check_contents(folder, manifest)
    _check_code(manifest)
    owner_url = settings.DATABASE_OWNER_URL
    if admin_url := os.environ.get("DATABASE_ADMIN_URL"):
        provision(admin_url, owner_url=owner_url, app_url=settings.DATABASE_URL)
    with psycopg.connect(owner_url) as connection:
        _check_target(connection, manifest)
        server = connection.info.server_version // 10000
    pg_restore = find_tool("pg_restore", at_least=max(manifest.pg_dump, server))
    database = folder / "database"
    listed = _list_of(pg_restore, database)
    parallel = f"--jobs={jobs or min(4, os.cpu_count() or 1)}"

    def load(entries: list[str], *arguments: str) -> None:
        with NamedTemporaryFile("w", suffix=".list") as selection:
            selection.write("\n".join(entries))
            selection.flush()
            chosen = ["--no-owner", "--no-acl", "--no-comments", "--exit-on-error", f"--use-list={selection.name}"]
            run_tool(pg_restore, [*chosen, *arguments, str(database)], url=owner_url)

    say("Loading the database")
    load([line for line in listed if _kind(line) not in (*PROVISIONED, *WALLS)], parallel)
    say("Putting up the walls")
    with psycopg.connect(owner_url) as connection:
        for table in _tables_with_owner_policy(listed):
            # The name of the owner may be another here than where the backup was taken.
            connection.execute(
                sql.SQL("CREATE POLICY owner ON {} TO CURRENT_USER USING (true) WITH CHECK (true)").format(
                    sql.Identifier(table)
                )
            )
    load([line for line in listed if _kind(line) in WALLS and not _is_owner_policy(line)])
    say("Comparing every table with the backup")
    with psycopg.connect(owner_url) as connection:
        _compare(dict(table_states(connection)), manifest)
        _hold(connection, manifest)
        _go_on_counting(connection)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    say("Restoring files")
    _restore_files(folder, manifest)
    # Brings an older backup to this code, and grants the application's role what it needs.
    say("Migrating")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "VOCELIO_DB_ROLE": "owner",
            "DATABASE_URL": settings.DATABASE_URL,
            "DATABASE_OWNER_URL": owner_url,
        },
        check=True,
    )
    return manifest


def _check_code(manifest: Manifest) -> None:
    known = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    unknown = [name for name in manifest.migrations if name not in known]
    if unknown:
        raise BadBackup(
            f"The backup was taken by newer code: this one does not know {len(unknown)} of its migrations,"
            f" the last is {unknown[-1]}. Restore with the version that took it, or a newer one."
        )


def _check_target(connection: psycopg.Connection, manifest: Manifest) -> None:
    tables, server, vector = connection.execute(
        "SELECT (SELECT count(*) FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')),"
        " current_setting('server_version_num')::int / 10000,"
        " (SELECT extversion FROM pg_extension WHERE extname = 'vector')"
    ).fetchone()  # type: ignore[misc]
    name = connection.info.dbname
    if tables:
        raise BadBackup(
            f"The database {name} is not empty ({tables} tables). Restore into a new one; nothing was done."
        )
    if server < manifest.server:
        raise BadBackup(f"The backup is of PostgreSQL {manifest.server}, this server is {server}.")
    if vector is None:
        raise BadBackup(f"{name} has no pgvector. Set DATABASE_ADMIN_URL, or run vocelio.embedded.provision before.")
    if _numbers(vector) < _numbers(manifest.vector):
        raise BadBackup(f"The backup is of pgvector {manifest.vector}, this server has {vector}.")


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def _list_of(pg_restore: Path, database: Path) -> list[str]:
    answer = subprocess.run([pg_restore, "--list", database], capture_output=True, text=True, check=True)  # noqa: S603
    return [line for line in answer.stdout.splitlines() if line and not line.startswith(";")]


def _kind(line: str) -> str:
    """Return the kind of an entry such as `4711; 1259 16385 ROW SECURITY public contacts owner`."""
    rest = line.split("; ", 1)[1].split(" ", 2)[2]
    return next((kind for kind in (*PROVISIONED, *WALLS) if rest.startswith(f"{kind} ")), "")


def _is_owner_policy(line: str) -> bool:
    return _kind(line) == "POLICY" and line.split()[-2] == "owner"


def _tables_with_owner_policy(listed: list[str]) -> list[str]:
    return [line.split()[-3] for line in listed if _is_owner_policy(line)]


def _compare(states: dict[str, object], manifest: Manifest) -> None:
    for table, expected in manifest.tables.items():
        if states.get(table) != expected:
            raise BadBackup(f"{table} is {states.get(table)} after the restore, the backup says {expected}.")


def _hold(connection: psycopg.Connection, manifest: Manifest) -> None:
    connection.execute(
        "INSERT INTO outgoing_holds (id, held_at, taken_at, reason) VALUES (1, now(), %s, %s)"
        " ON CONFLICT (id) DO UPDATE SET held_at = excluded.held_at, taken_at = excluded.taken_at,"
        " reason = excluded.reason",
        [manifest.moment, REASON.format(manifest.moment)],
    )
    # Promises of work that leaves the installation wait beyond all time; release_outgoing decides about them.
    connection.execute("UPDATE job_doorbells SET due_at = %s WHERE task = ANY(%s)", [PARKED, sorted(OUTGOING)])
    connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, SIGN_INS))))


def _go_on_counting(connection: psycopg.Connection) -> None:
    """Let transactions be numbered from where the audit log stands: this server counts anew."""
    row = connection.execute(
        "SELECT greatest(0, 1 - pg_current_xact_id()::text::bigint + greatest("
        "(SELECT max(transaction_id) FROM audit_log), (SELECT max(next_transaction) FROM audit_seals)))"
    ).fetchone()
    assert row is not None  # noqa: S101
    connection.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION transaction_offset() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE"
            " AS 'SELECT {}::bigint'"
        ).format(sql.SQL(str(int(row[0] or 0))))
    )


def _restore_files(folder: Path, manifest: Manifest) -> None:
    """Put back what is not there; names are made once and never used for another content."""
    for path, digest in manifest.files.items():
        name = path.removeprefix("files/")
        if default_storage.exists(name):
            continue
        with (folder / path).open("rb") as file:
            stored = default_storage.save(name, File(file))
        if stored != name:
            raise BadBackup(f"The file store keeps {name} as {stored}.")
        if sha256_of(folder / path) != digest:
            raise BadBackup(f"{path} changed while it was restored.")
