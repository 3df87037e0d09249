"""Migration operations: the walls every tenant table stands behind."""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from vocelio.db.fields import TenantForeignKey

# The sub-select makes the setting an init plan, evaluated once a statement, and leaves the column bare:
# casting the column instead costs 25 times.
CURRENT_ORGANIZATION = "(SELECT nullif(current_setting('app.org', true), '')::uuid)"

ON_DELETE = {
    models.CASCADE: "ON DELETE CASCADE",
    models.SET_NULL: "ON DELETE SET NULL ({column})",
    models.PROTECT: "ON DELETE NO ACTION",
    models.RESTRICT: "ON DELETE NO ACTION",
}


class ProtectTenantTable(Operation):
    """Put a freshly created tenant table behind its walls.

    Primary key (organization_id, id), which foreign keys refer to and a sharded database distributes by;
    row-level security, enabled and forced; composite foreign keys; the updated_at trigger where it has the
    column. Use it in the migration that creates the model, after CreateModel.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, model: str) -> None:
        self.model = model

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: the walls are not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        table = model._meta.db_table
        schema_editor.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (organization_id, id);"
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
            f"CREATE POLICY tenant ON {table} USING (organization_id = {CURRENT_ORGANIZATION})"
            f" WITH CHECK (organization_id = {CURRENT_ORGANIZATION});"
            # The owner migrates, checks foreign keys and runs the search functions; it never serves requests.
            f"CREATE POLICY owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true);"
        )
        for field in model._meta.local_fields:
            if isinstance(field, TenantForeignKey):
                schema_editor.execute(tenant_foreign_key_sql(table, field))
            if field.name == "updated_at":
                schema_editor.execute(
                    f"CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} FOR EACH ROW"
                    " WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION set_updated_at()"
                )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Nothing: dropping the table, which follows, drops its walls."""

    def describe(self) -> str:
        return f"Protect tenant table of {self.model}"


class AddTenantForeignKey(Operation):
    """Add the composite constraint of a TenantForeignKey that came to a table after its creation."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, model: str, field: str) -> None:
        self.model, self.field = model, field

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model, self.field], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: the constraint is not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        schema_editor.execute(tenant_foreign_key_sql(model._meta.db_table, model._meta.get_field(self.field)))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model)
        column = model._meta.get_field(self.field).column
        schema_editor.execute(
            f"ALTER TABLE {model._meta.db_table} DROP CONSTRAINT {model._meta.db_table}_{column}_tenant"
        )

    def describe(self) -> str:
        return f"Keep {self.model}.{self.field} inside its organization"


def tenant_foreign_key_sql(table: str, field: Any) -> str:
    column, target = field.column, field.remote_field.model._meta.db_table
    on_delete = ON_DELETE[field.remote_field.on_delete].format(column=column)
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_tenant FOREIGN KEY (organization_id, {column})"
        f" REFERENCES {target} (organization_id, id) {on_delete}"
    )
