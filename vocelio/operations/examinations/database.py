"""PostgreSQL: role, versions, schema, walls, connections."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from vocelio.db.partitions import all_partitions
from vocelio.db.roles import inspect_role
from vocelio.db.walls import broken_walls
from vocelio.operations.findings import Finding, fail, ok, warn

OLDEST_POSTGRES, OLDEST_VECTOR = 15, (0, 8)
# A transaction this old keeps vacuum from removing dead rows everywhere.
LONG_TRANSACTION_SECONDS = 3600


def role() -> Iterator[Finding]:
    """Say whether row-level security binds the role."""
    report = inspect_role()
    if not report.reasons:
        yield ok("database role", f"{report.role} is held by the policies")
    elif settings.AS_OWNER:
        yield warn("database role", f"{report.role} is the owner", "Run without VOCELIO_DB_ROLE=owner.")
    else:
        yield fail(
            "database role",
            f"{report.role} could bypass row-level security: {'; '.join(report.reasons)}",
            "Point DATABASE_URL at the restricted role; vocelio.embedded.provision makes it (docs/deployment.md).",
        )


def versions() -> Iterator[Finding]:
    """Say whether server and pgvector are new enough."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        (major,) = cursor.fetchone()
    if major < OLDEST_POSTGRES:
        yield fail("PostgreSQL", f"Version {major}", f"Upgrade the server to {OLDEST_POSTGRES} or newer.")
    else:
        yield ok("PostgreSQL", f"Version {major}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        found = cursor.fetchone()
    if found is None:
        yield fail("pgvector", "Not installed", 'Have a superuser run "CREATE EXTENSION vector".')
    elif tuple(int(part) for part in found[0].split(".")[:2]) < OLDEST_VECTOR:
        yield warn("pgvector", f"Version {found[0]}", 'Install 0.8 or newer, then "ALTER EXTENSION vector UPDATE".')
    else:
        yield ok("pgvector", f"Version {found[0]}")


def migrations() -> Iterator[Finding]:
    """Say whether the schema is the one this code was written for."""
    executor = MigrationExecutor(connection)
    missing = [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    unknown = sorted(
        ".".join(key) for key in set(executor.loader.applied_migrations) - set(executor.loader.graph.nodes)
    )
    if missing:
        yield fail(
            "migrations",
            f"{len(missing)} not applied, the first is {missing[0]}",
            "VOCELIO_DB_ROLE=owner python manage.py migrate",
        )
    elif unknown:
        yield warn("migrations", f"The database is newer than this code: {unknown[-1]}", "Finish the upgrade.")
    else:
        yield ok("migrations", "All applied")


def policies() -> Iterator[Finding]:
    """Say whether every tenant table stands behind its walls."""
    broken = broken_walls()
    for table, reason in broken:
        yield fail("policies", f"{table}: {reason}", "Stop serving; see who changed it, and put it back as the owner.")
    if not broken:
        yield ok("policies", "Every tenant table is behind row-level security")


def partitions() -> Iterator[Finding]:
    """Say whether the tables that are divided by time have their next part."""
    found = all_partitions()
    waiting = [each for each in found if each.is_default and each.holds_rows]
    ends = {each.parent: each.until for each in found if each.until is not None}
    late = sorted(table for table, until in ends.items() if until < timezone.now() + timedelta(days=2))
    for partition in waiting:
        yield warn(
            "partitions",
            f"{partition.name} holds rows whose own partition is missing; nothing is lost",
            "Beat makes partitions each hour and moves them there; see beat. Rows far in the past or future stay.",
        )
    if late:
        yield warn("partitions", f"The next ones of {', '.join(late)} are missing", "Beat makes them; see beat.")
    if not waiting and not late:
        yield ok("partitions", f"Made ahead, of {len(ends)} tables")


def connections() -> Iterator[Finding]:
    """Say whether connections run out and whether a forgotten transaction holds up vacuum."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int, coalesce(max(extract(epoch FROM"
            " now() - xact_start)) FILTER (WHERE pid <> pg_backend_pid() AND datname = current_database()), 0)::int"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        used, limit, oldest = cursor.fetchone()
    if used > 0.85 * limit:
        yield warn("connections", f"{used} of {limit} in use", "Raise max_connections or put PgBouncer in front.")
    else:
        yield ok("connections", f"{used} of {limit} in use")
    if oldest > LONG_TRANSACTION_SECONDS:
        yield warn(
            "transactions",
            f"One has been open for {oldest // 60} minutes and holds up vacuum",
            "Find it in pg_stat_activity by xact_start; pg_terminate_backend(pid) ends it.",
        )
