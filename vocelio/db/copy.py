"""COPY into a temporary table: the fastest way in, and the only one that row-level security allows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg import Copy

_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


def copy_to_temporary_table(name: str, columns: dict[str, str], rows: Iterable[Sequence[Any]]) -> int:
    """Create a temporary table that lives until the transaction ends, COPY the rows in, return their number.

    `columns` maps column names to PostgreSQL types. COPY straight into a table with policies is refused by
    PostgreSQL; the caller goes on with INSERT ... SELECT from the temporary table.
    """
    count = 0
    with _copying(name, columns) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    with connection.cursor() as cursor:
        # The planner knows nothing of a table filled a moment ago.
        cursor.execute(f"ANALYZE {name}")
    return count


def copy_lines_to_temporary_table(name: str, columns: dict[str, str], lines: Iterable[str]) -> None:
    """Do the same with rows that `copy_line` made, in advance or in another thread. No ANALYZE: not for joins."""
    with _copying(name, columns) as copy:
        copy.write("\n".join(lines))


def copy_line(cells: Sequence[str]) -> str:
    """Return a row in COPY's text format; every cell as text, none of them null."""
    if _SPECIAL.search("".join(cells)):
        cells = [_SPECIAL.sub(lambda special: _ESCAPES[special[0]], cell) for cell in cells]
    return "\t".join(cells)


@contextmanager
def _copying(name: str, columns: dict[str, str]) -> Iterator[Copy]:
    definition = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ({definition}) ON COMMIT DROP")
        with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
            yield copy
