"""Whether every tenant table still stands behind the walls that its migration put up."""

from django.apps import apps
from django.db import connection

from vocelio.db.tenancy import WITHOUT_POLICY

_TABLES = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
       coalesce((SELECT array_agg(p.polname::text) FROM pg_policy p WHERE p.polrelid = c.oid), '{}'),
       -- Of the tenant policy: for every command and role, the same condition for reading and writing, on the setting.
       EXISTS (
           SELECT FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = c.relname
           AND p.policyname = 'tenant' AND p.permissive = 'PERMISSIVE' AND p.cmd = 'ALL' AND p.roles = '{public}'
           AND p.qual = p.with_check AND p.qual LIKE '(organization_id = ( SELECT %%''app.org''%%)'
       ),
       EXISTS (
           SELECT FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = c.relname
           AND p.policyname = 'owner' AND p.roles = ARRAY[pg_get_userbyid(c.relowner)]
       ),
       c.relispartition, EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner)
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""


def broken_walls() -> list[tuple[str, str]]:
    """Return (table, reason) of every table that row-level security does not hold as it should."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        rows = cursor.fetchall()
    broken = []
    for table, is_forced, names, has_tenant, has_owner, is_partition, is_granted in rows:
        if table in WITHOUT_POLICY:
            continue
        if not is_forced:
            broken.append((table, "row-level security is not enabled and forced"))
        elif is_partition and is_granted:
            broken.append((table, "it is a partition and can be reached without its table"))
        elif has_tenant == is_partition:
            broken.append((table, "its tenant policy is missing or another"))
        elif not has_owner:
            broken.append((table, "its owner's policy is missing or another"))
        elif len(names) > (1 if is_partition else 2):
            broken.append((table, f"it has more policies than it should: {', '.join(sorted(names))}"))
    found = {row[0] for row in rows}
    missing = {model._meta.db_table for model in apps.get_models() if model._meta.managed} - found
    return broken + [(table, "the table is missing") for table in sorted(missing)]
