"""What a Citus cluster asks of tables distributed by organization, held of the schema as it stands (docs/scaling.md).

Every key holds the distribution column, and a foreign key leads to a table distributed alike, or to one that each
node has a whole copy of.
"""

from django.db import connection

# Few rows, read everywhere: Citus' reference tables.
REFERENCE_TABLES = {"organizations", "users", "dnc_registries"}
# What would have to change first, and how.
IN_THE_WAY = {"one_job_per_address": "jobs.public_slug: unique over all; moves to a reference table of addresses"}

_TENANT = """
    WITH tenant AS (
        SELECT c.oid, c.relname, a.attnum FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relrowsecurity
    )
"""


def names(sql: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TENANT + sql)
        return {name for (name,) in cursor.fetchall()}


def test_every_primary_key_and_unique_index_holds_the_organization() -> None:
    without = names(
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN tenant ON tenant.oid = i.indrelid"
        " WHERE (i.indisunique OR i.indisexclusion) AND NOT tenant.attnum = ANY (i.indkey::int2[])"
    )
    assert without == set(IN_THE_WAY)


def test_every_foreign_key_holds_the_organization_or_leads_to_a_reference_table() -> None:
    leads_to = names(
        "SELECT DISTINCT k.confrelid::regclass::text FROM pg_constraint k JOIN tenant ON tenant.oid = k.conrelid"
        " WHERE k.contype = 'f' AND NOT tenant.attnum = ANY (k.conkey)"
    )
    assert leads_to <= REFERENCE_TABLES


def test_no_reference_table_leads_to_a_distributed_one() -> None:
    leads = names(
        "SELECT k.conrelid::regclass::text FROM pg_constraint k JOIN tenant ON tenant.oid = k.confrelid"
        " WHERE k.contype = 'f' AND k.conrelid NOT IN (SELECT oid FROM tenant)"
    )
    assert leads == set()
