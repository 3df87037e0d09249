"""Triggers of tables outside the policies; ProtectTenantTable sets those of tenant tables."""

from django.db import migrations


class KeepUpdatedAt(migrations.RunSQL):
    """Let the database keep updated_at on a table, whoever writes."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} FOR EACH ROW"
            " WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION set_updated_at()",
            f"DROP TRIGGER set_updated_at ON {table}",
        )

    def deconstruct(self) -> tuple[str, list[str], dict[str, str]]:
        return type(self).__name__, [self.table], {}
