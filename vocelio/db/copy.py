"""COPY into a temporary table: the fastest way in, and the only one that row-level security allows."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection


def copy_to_temporary_table(name: str, columns: dict[str, str], rows: Iterable[Sequence[Any]], *, analyze: bool = True) -> int:
    """Create a temporary table that lives until the transaction ends, COPY the rows in, return their number.

    `columns` maps column names to PostgreSQL types. COPY straight into a table with policies is refused by
    PostgreSQL; the caller goes on with INSERT ... SELECT from the temporary table. A table that will not be joined needs no `analyze`.
    """
    count = 0
    with connection.cursor() as cursor:
        definition = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ({definition}) ON COMMIT DROP")
        with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
        if analyze:
            # The planner knows nothing of a table filled a moment ago.
            cursor.execute(f"ANALYZE {name}")
    return count
