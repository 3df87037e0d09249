"""Migration operations of what apps above add to contacts."""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class AddProfileKind(Operation):
    """Show a table of profiles in the views contact_profiles, contact_profile_summary and contact_insights.

    The model subclasses `contacts.models.Profile`. `state` and `is_open` are SQL over its columns: where the profile
    stands in the app's own words, and whether the person is to be worked now (buys, looks for work).
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, kind: str, model: str, *, state: str, is_open: str) -> None:
        self.kind, self.model, self.state, self.is_open = kind, model, state, is_open

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.kind, self.model], {"state": self.state, "is_open": self.is_open}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: views are not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model)._meta.db_table
        schema_editor.execute(
            f"CREATE VIEW profiles_of_{self.kind} WITH (security_invoker = true) AS"  # noqa: S608 - of migrations alone
            f" SELECT id, organization_id, created_at, updated_at, '{self.kind}'::text AS kind, contact_id, is_primary,"
            f" headline, ({self.state})::text AS state, ({self.is_open}) AS is_open FROM {table};"
            " SELECT rebuild_contact_profiles('')"
        )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        schema_editor.execute(
            f"SELECT rebuild_contact_profiles('profiles_of_{self.kind}'); DROP VIEW profiles_of_{self.kind}"
        )

    def describe(self) -> str:
        return f"Add {self.kind} profiles to the summary of contacts"


class FollowProfiles(Operation):
    """Keep contact_profile_summary and contact_insights up to date with a table of profiles."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, model: str) -> None:
        self.model = model

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: triggers are not part of Django's model state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model)._meta.db_table
        for name, event, rows in (
            ("new", "INSERT", "NEW TABLE AS came"),
            ("changed", "UPDATE", "OLD TABLE AS gone NEW TABLE AS came"),
            ("gone", "DELETE", "OLD TABLE AS gone"),
        ):
            schema_editor.execute(
                f"CREATE TRIGGER follow_{name} AFTER {event} ON {table} REFERENCING {rows}"
                " FOR EACH STATEMENT EXECUTE FUNCTION follow_profiles()"
            )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = from_state.apps.get_model(app_label, self.model)._meta.db_table
        for name in ("new", "changed", "gone"):
            schema_editor.execute(f"DROP TRIGGER follow_{name} ON {table}")

    def describe(self) -> str:
        return f"Follow changes of {self.model}"
