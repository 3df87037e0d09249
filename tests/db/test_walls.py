"""The three walls of tenancy, for every table there is."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from tests.factories import Person
from tests.rows import make_row, tenant_models
from vocelio.db.fields import TenantForeignKey
from vocelio.db.ids import uuid7
from vocelio.db.partitions import all_partitions
from vocelio.db.roles import inspect_role
from vocelio.db.tenancy import WITHOUT_POLICY
from vocelio.organizations.scope import ScopeMissing, organization_scope

MODELS = pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model.__name__)


def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def affected(sql: str, *parameters: Any) -> int:
    """Return how many rows a statement changed; append-only tables refuse it outright."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(sql, parameters)
                return int(cursor.rowcount)
        except ProgrammingError as error:
            if "permission denied" in str(error):
                return 0
            raise


def test_the_suite_runs_as_a_role_that_cannot_bypass_policies():
    assert inspect_role().reasons == ()


def test_every_table_is_behind_policies_or_listed_with_a_reason():
    unprotected = {
        name
        for (name,) in rows(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
            " AND NOT (relrowsecurity AND relforcerowsecurity)"
        )
    }
    assert unprotected == set(WITHOUT_POLICY)


def test_every_tenant_table_has_the_two_policies():
    found = {
        (table, policy)
        for table, policy in rows("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'")
    }
    parts = {(partition.name, "owner") for partition in all_partitions()}
    assert found == parts | {
        (model._meta.db_table, policy) for model in tenant_models() for policy in ("tenant", "owner")
    }


@MODELS
def test_managers_refuse_to_work_without_a_scope(model):
    with pytest.raises(ScopeMissing):
        model.objects.count()


@MODELS
def test_raw_sql_neither_sees_nor_touches_another_organizations_rows(model, admin: Person, outsider: Person):
    table = model._meta.db_table
    with organization_scope(outsider.organization.id):
        foreign = make_row(model)
        ((document,),) = rows(f"SELECT to_jsonb(t) FROM {table} t WHERE id = %s", foreign.pk)
    document = json.loads(document) if isinstance(document, str) else document
    with organization_scope(admin.organization.id):
        assert rows(f"SELECT count(*) FROM {table} WHERE organization_id <> %s", admin.organization.id) == [(0,)]
        assert affected(f"UPDATE {table} SET id = id WHERE id = %s", foreign.pk) == 0
        assert affected(f"DELETE FROM {table} WHERE id = %s", foreign.pk) == 0
        copy = json.dumps({**document, "id": str(uuid7())})
        # Generated columns take no values.
        columns = ", ".join(f'"{field.column}"' for field in model._meta.local_concrete_fields if not field.generated)
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            rows(
                f"INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, %s::jsonb)"
                " RETURNING 1",
                copy,
            )


@pytest.mark.parametrize(
    ("model", "field"),
    [
        pytest.param(model, field, id=f"{model.__name__}.{field.name}")
        for model in tenant_models()
        for field in model._meta.local_fields
        if isinstance(field, TenantForeignKey)
    ],
)
def test_foreign_keys_cannot_point_into_another_organization(model, field, admin: Person, outsider: Person):
    with organization_scope(outsider.organization.id):
        foreign = make_row(field.related_model)
    with (
        organization_scope(admin.organization.id),
        pytest.raises(IntegrityError, match="_tenant"),
        transaction.atomic(),
    ):
        make_row(model, **{field.attname: foreign.pk})


def test_every_reference_between_tenant_tables_is_a_tenant_foreign_key():
    plain = [
        f"{model.__name__}.{field.name}"
        for model in tenant_models()
        for field in model._meta.local_fields
        if field.is_relation and field.related_model in tenant_models() and not isinstance(field, TenantForeignKey)
    ]
    assert plain == []


def test_no_setting_means_no_rows(admin: Person):
    with organization_scope(admin.organization.id):
        make_row(tenant_models()[0])
    for model in tenant_models():
        assert rows(f"SELECT count(*) FROM {model._meta.db_table}") == [(0,)]


def test_the_application_role_runs_no_ddl():
    with pytest.raises(DatabaseError, match="permission denied"):
        rows("CREATE TABLE mine (id int)")
    with pytest.raises(DatabaseError, match="must be owner"):
        rows("ALTER TABLE contacts DISABLE ROW LEVEL SECURITY")


def test_views_cannot_be_written_through():
    writable = rows(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
        " AND (has_table_privilege(oid, 'INSERT') OR has_table_privilege(oid, 'UPDATE')"
        " OR has_table_privilege(oid, 'DELETE'))"
    )
    assert writable == []
