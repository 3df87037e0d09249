"""What the application's database role may do, and the proof that it cannot go round the policies."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

# Written once, never changed: the role may only add and read.
APPEND_ONLY_TABLES = (
    "audit_log",
    "audit_seals",
    "audit_archives",
    "contact_profile_audit_log",
    "deal_stage_history",
    "application_stage_events",
    "dnc_certificates",
    "dnc_registry_accesses",
)


def grant_application_role() -> None:
    """Give the application's role its rights on every table; called after each migrate, as the owner.

    None on partitions, which it reaches by their tables.
    """
    role = settings.DATABASE_APP_ROLE
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user, quote_ident(%s)", [role])
        owner, quoted = cursor.fetchone()
        if not role or role == owner:
            return
        cursor.execute(
            f"GRANT USAGE ON SCHEMA public TO {quoted};"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted};"
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted};"
            f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {quoted};"
        )
        tables = connection.introspection.get_table_list(cursor)
        for table in tables:
            if table.name in APPEND_ONLY_TABLES:
                cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table.name} FROM {quoted}")
            elif table.type == "p":
                cursor.execute(f"REVOKE ALL ON {table.name} FROM {quoted}")
            elif table.type == "v":
                # A view writes with its owner's rights, whom the policies let through.
                cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table.name} FROM {quoted}")


@dataclass(frozen=True)
class RoleReport:
    """How the connected role could bypass row-level security; empty when it cannot."""

    role: str
    reasons: tuple[str, ...]


def inspect_role() -> RoleReport:
    """Say by which means the connected role could see another organization's rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT current_user, rolsuper, rolbypassrls,
                   EXISTS (SELECT FROM pg_class WHERE relrowsecurity AND pg_has_role(current_user, relowner, 'USAGE')),
                   has_schema_privilege(current_user, 'public', 'CREATE')
            FROM pg_roles WHERE rolname = current_user
            """
        )
        role, is_superuser, bypasses, owns_tables, may_create = cursor.fetchone()
    reasons = [
        reason
        for applies, reason in [
            (is_superuser, "it is a superuser"),
            (bypasses, "it has BYPASSRLS"),
            (owns_tables, "it owns tables with policies, or is a member of their owner"),
            (may_create, "it may create objects in the schema"),
        ]
        if applies
    ]
    return RoleReport(role, tuple(reasons))
