"""A table in partitions as it is a while after it was divided."""

from datetime import date

import psycopg

from vocelio.db.partitions import all_partitions


def end_first_part(owner: psycopg.Connection, table: str, until: date, period: str) -> None:
    """Let the first partition end in the past, and make those that follow for the rows there are."""
    first = f"{table}_first"
    for part in all_partitions(table):
        if part.name not in (first, f"{table}_default"):
            owner.execute(f"DROP TABLE {part.name}")
    owner.execute(f"ALTER TABLE {table} DETACH PARTITION {first}")
    owner.execute(f"ALTER TABLE {first} DISABLE TRIGGER USER")
    owner.execute(f"WITH moved AS (DELETE FROM {first} RETURNING *) INSERT INTO {table} SELECT * FROM moved")
    owner.execute(f"ALTER TABLE {first} ENABLE TRIGGER USER")
    owner.execute(f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{until:%Y-%m-%d}')")
    owner.execute(f"SELECT make_partitions('{table}', '{period}', 3)")
