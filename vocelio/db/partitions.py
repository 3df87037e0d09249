"""Tables that grow for ever, in partitions by the time of their rows.

Each such table has a partition for all before it was divided, one for each day or month, some ahead, and a default one,
so that no write ever fails for want of a partition. The application's role cannot make tables: it calls
`keep_partitions_of_<table>()`, which can do nothing but make the next ones, and where rows are not kept for ever
`drop_partitions_of_<table>(before)`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import connection, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

Period = Literal["day", "month"]
AHEAD: dict[Period, int] = {"day": 7, "month": 3}


class PartitionByTime(Operation):
    """Divide a protected tenant table by `created_at`, which becomes part of its primary key.

    The table as it is becomes the first partition, for all until the period after the next day: nothing is copied, so
    that it takes a moment whatever the number of rows. The migration has `atomic = False`, since the new key is built
    beside the writes. Unique constraints other than the primary key hold within each partition.
    """

    reversible = False
    reduces_to_sql = False

    def __init__(self, model: str, period: Period, *, may_be_dropped: bool = False) -> None:
        self.model, self.period, self.may_be_dropped = model, period, may_be_dropped

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model, self.period], {"may_be_dropped": self.may_be_dropped}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: Django knows the table, not its parts."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        table, key = model._meta.db_table, f"{model._meta.db_table}_by_time"
        with connection.cursor() as cursor:
            cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", [table])
            if cursor.fetchone()[0]:
                return
            cursor.execute(
                "SELECT date_trunc(%s, now() + interval '1 day', 'UTC') + %s::interval",
                [self.period, f"1 {self.period}"],
            )
            until = cursor.fetchone()[0]
            # Beside the writes, so that the locks below are held for a moment only.
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {key}")
            cursor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {key} ON {table} (organization_id, id, created_at)")
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS first_part")
            cursor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT first_part CHECK (created_at < '{until.isoformat()}') NOT VALID"
            )
            cursor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT first_part")
        with transaction.atomic(), connection.cursor() as cursor:
            self._divide(cursor, table, key, until)

    def _divide(self, cursor: Any, table: str, key: str, until: datetime) -> None:
        first = f"{table}_first"
        cursor.execute(
            "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indrelid = %s::regclass AND NOT i.indisunique",
            [table],
        )
        indexes = cursor.fetchall()
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
            [table],
        )
        foreign_keys = cursor.fetchall()
        cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
        )
        triggers = [definition for (definition,) in cursor.fetchall()]
        cursor.execute(
            "SELECT policyname, qual, with_check, policyname = 'owner' FROM pg_policies"
            " WHERE schemaname = 'public' AND tablename = %s",
            [table],
        )
        policies = cursor.fetchall()
        cursor.execute(
            "SELECT quote_ident(pg_get_userbyid(a.grantee)), string_agg(a.privilege_type, ', ') FROM pg_class c,"
            " aclexplode(c.relacl) a WHERE c.oid = %s::regclass AND a.grantee <> c.relowner GROUP BY 1",
            [table],
        )
        # The code before this migration serves meanwhile: it must not wait for the grants at the end of `migrate`.
        grants = cursor.fetchall()
        statements = [
            f"ALTER TABLE {table} RENAME TO {first}",
            f"ALTER TABLE {first} DROP CONSTRAINT {table}_pkey,"
            f" ADD CONSTRAINT {first}_pkey PRIMARY KEY USING INDEX {key}",
            f"DROP POLICY tenant ON {first}",
            *(f"ALTER INDEX {name} RENAME TO {name}_first" for name, _ in indexes),
            f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING GENERATED)"
            " PARTITION BY RANGE (created_at)",
            f"ALTER TABLE {table} ADD PRIMARY KEY (organization_id, id, created_at)",
            *(definition for _, definition in indexes),
            *(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for name, definition in foreign_keys),
            *triggers,
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            *(
                f"CREATE POLICY {name} ON {table} {'TO CURRENT_USER' if is_owner else ''}"
                f" USING ({using}) WITH CHECK ({check})"
                for name, using, check, is_owner in policies
            ),
            *(f"REVOKE ALL ON {first} FROM {role}" for role, _ in grants),
            *(f"GRANT {rights} ON {table} TO {role}" for role, rights in grants),
            f"CREATE TABLE {table}_default (LIKE {first} INCLUDING ALL)",
            f"ALTER TABLE {table}_default DROP CONSTRAINT first_part",
            f"SELECT close_partition('{table}', '{table}_default')",
            f"ALTER TABLE {table} ATTACH PARTITION {table}_default DEFAULT",
            f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{until.isoformat()}')",
            f"ALTER TABLE {first} DROP CONSTRAINT first_part",
            f"CREATE FUNCTION keep_partitions_of_{table}() RETURNS int LANGUAGE sql SECURITY DEFINER"
            " SET search_path = pg_catalog, public, pg_temp"
            f" RETURN make_partitions('{table}', '{self.period}', {AHEAD[self.period]})",
            f"SELECT keep_partitions_of_{table}()",
        ]
        if self.may_be_dropped:
            statements.append(
                f"CREATE FUNCTION drop_partitions_of_{table}(before timestamptz) RETURNS int LANGUAGE sql"
                " SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
                f" RETURN drop_partitions('{table}', least(before, now() - interval '1 day'))"
            )
        for statement in statements:
            cursor.execute(statement)

    def describe(self) -> str:
        return f"Partition the table of {self.model} by {self.period}"


@dataclass(frozen=True)
class Partition:
    """A part of a table: the rows of a time, from `since` until before `until`; the default one has neither."""

    parent: str
    name: str
    since: datetime | None
    until: datetime | None
    is_default: bool
    holds_rows: bool


def all_partitions(parent: str = "") -> list[Partition]:
    """Return the partitions of a table, or of all that are divided, oldest first."""
    with connection.cursor() as cursor:
        # The beginning of time is beyond what Python knows.
        cursor.execute(
            "SELECT parent, partition, nullif(since, '-infinity'), until, is_default, holds_rows FROM time_partitions()"
            " WHERE %s IN ('', parent) ORDER BY parent, until",
            [parent],
        )
        return [Partition(*row) for row in cursor.fetchall()]


def keep_partitions() -> int:
    """Make the partitions of the coming time, of every table that is divided; return how many were missing."""
    made = 0
    with connection.cursor() as cursor:
        for parent in sorted({partition.parent for partition in all_partitions()}):
            cursor.execute(f"SELECT keep_partitions_of_{parent}()")
            made += cursor.fetchone()[0]
    return made
