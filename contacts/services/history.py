"""Say why contacts and clients change, and put them back as they were."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from psycopg.pq import TransactionStatus

from contacts.models import Client, Contact
from vocelio.audit.context import current_actor
from vocelio.organizations.scope import current_organization_id, current_scope, set_locally

# Columns that the history of a table does not tell of; apps above add their own.
UNRECORDED: dict[type[Model], set[str]] = {Contact: {"id", "organization_id", "search", "updated_at"}}
UNRECORDED[Client] = UNRECORDED[Contact] | {"sort_name"}


def recorded_columns(model: type[Model]) -> list[str]:
    """Return every column the history of contacts, or of clients, tells of."""
    return [str(each.column) for each in model._meta.local_concrete_fields if each.column not in UNRECORDED[model]]


@contextmanager
def change_cause(cause: str, cause_id: uuid.UUID | None = None) -> Iterator[None]:
    """Give the history, and new list memberships, this cause for what changes inside; needs an open scope.

    with change_cause("import", job.id):
        Contact.objects.filter(...).update(status="inactive")

    The acting user is noted by itself. Causes may be nested: the inner one holds.
    """
    notes = current_scope().notes
    outer, inner = notes.get("change_cause", ["", ""]), [cause, str(cause_id or "")]
    notes["change_cause"] = list(inner)
    _tell(*inner)
    try:
        yield
    finally:
        notes["change_cause"] = outer
        # A statement that failed ends the transaction, or its savepoint, and the settings with it.
        if connection.connection.info.transaction_status != TransactionStatus.INERROR:
            _tell(*map(str, outer))


def _tell(cause: str, cause_id: str) -> None:
    set_locally({"app.cause": cause, "app.cause_id": cause_id, "app.user": str(current_actor().user_id or "")})


class Change(NamedTuple):
    """What to undo of one contact or client: columns as ContactChange and ClientChange hold them."""

    row_id: uuid.UUID
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass
class PutBack:
    """What became of changes that were to be undone.

    `restored` are contacts (or clients) of which something was put back, `kept` the columns left alone because they
    were changed since, by contact, `failed` contacts which could not be put back, with the name of the constraint:
    their phone number was taken meanwhile, say.
    """

    restored: set[uuid.UUID] = field(default_factory=set)
    kept: dict[uuid.UUID, set[str]] = field(default_factory=dict)
    failed: dict[uuid.UUID, str] = field(default_factory=dict)


def put_back(changes: Sequence[Change], model: type[Model] = Contact) -> PutBack:
    """Undo changes, the newest first, each column only where the contact still has what the change left there.

    Of tags and custom fields, those are put back that the change touched; others that came since stay. Contacts that
    no longer exist are passed over. Clients are put back in the same way.
    """
    result = PutBack()
    for round_ in _rounds(changes):
        _put_back(round_, result, model)
    return result


def _rounds(changes: Iterable[Change]) -> list[list[Change]]:
    """Part the changes so that none holds two of one contact, and later rounds hold the earlier changes."""
    rounds: list[list[Change]] = []
    seen: dict[uuid.UUID, int] = {}
    for change in changes:
        number = seen[change.row_id] = seen.get(change.row_id, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(change)
    return rounds


def _put_back(changes: list[Change], result: PutBack, model: type[Model]) -> None:
    """Undo at most one change of each row in one statement; of those that cannot be, find which by halving."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            document = json.dumps([change._asdict() for change in changes], default=str)
            cursor.execute(_statement(model), {"organization": current_organization_id(), "changes": document})
            rows = cursor.fetchall()
    except IntegrityError as error:
        if len(changes) == 1:
            constraint = getattr(error.__cause__, "diag", None)
            result.failed[changes[0].row_id] = getattr(constraint, "constraint_name", None) or "integrity"
            return
        middle = len(changes) // 2
        _put_back(changes[:middle], result, model)
        _put_back(changes[middle:], result, model)
        return
    for row_id, is_restored, kept in rows:
        if is_restored:
            result.restored.add(row_id)
        if kept:
            result.kept.setdefault(row_id, set()).update(kept)


def _is_same(column: str) -> str:
    """Return the SQL that says whether the contact still has what the change left in the column."""
    if column == "custom_fields":
        return "cardinality(keys) > 0"
    if column == "tags":
        return """(to_jsonb(present.tags) = after -> 'tags' OR cardinality(added || removed) > 0
            AND present.tags @> added AND NOT present.tags && removed)"""
    return f"coalesce(to_jsonb(present.{column}), 'null') = after -> '{column}'"


def _value_before(table: str, column: str) -> str:
    """Return the SQL of the column as it is to become."""
    if column == "custom_fields":
        return f"""({table}.custom_fields - keys) || coalesce((SELECT jsonb_object_agg(key, value)
            FROM jsonb_each(before -> 'custom_fields') WHERE key = ANY (keys)), '{{}}')"""  # noqa: S608 - see _statement
    if column == "tags":
        return f"""CASE WHEN to_jsonb({table}.tags) = after -> 'tags' THEN (had).tags
            ELSE ARRAY(SELECT tag FROM unnest({table}.tags) AS tag WHERE tag <> ALL (added)) || removed END"""  # noqa: S608 - see _statement
    return f"(had).{column}"


@cache
def _statement(model: type[Model]) -> str:
    """Return the statement for a table of which the database tells changes.

    Rows are probed one by one (LATERAL, ctid), whatever the planner expects of an organization it has no statistics
    of. Only names of columns are put into the text.
    """
    table, columns = model._meta.db_table, recorded_columns(model)
    back = ", ".join(f"CASE WHEN after ? '{name}' AND {_is_same(name)} THEN '{name}' END" for name in columns)
    put = ", ".join(
        f"{name} = CASE WHEN '{name}' = ANY (back) THEN {_value_before(table, name)} ELSE {table}.{name} END"
        for name in columns
    )
    return f"""
    WITH wanted AS MATERIALIZED (
        SELECT row_id, before, after, jsonb_populate_record(NULL::{table}, before - 'custom_fields') AS had,
            ARRAY(SELECT jsonb_array_elements_text(after -> 'tags')
                EXCEPT SELECT jsonb_array_elements_text(before -> 'tags'))::varchar[] AS added,
            ARRAY(SELECT jsonb_array_elements_text(before -> 'tags')
                EXCEPT SELECT jsonb_array_elements_text(after -> 'tags'))::varchar[] AS removed,
            ARRAY(SELECT jsonb_object_keys(before -> 'custom_fields')
                UNION SELECT jsonb_object_keys(after -> 'custom_fields')) AS touched
        FROM jsonb_to_recordset(%(changes)s::jsonb) AS change (row_id uuid, before jsonb, after jsonb)
    ), verdict AS MATERIALIZED (
        SELECT row_id, before, after, had, added, removed, present.place, keys, cardinality(touched) AS touched,
            array_remove(ARRAY[{back}], NULL) AS back
        FROM wanted CROSS JOIN LATERAL (
            SELECT ctid AS place, * FROM {table}
            WHERE organization_id = (SELECT %(organization)s::uuid) AND id = row_id OFFSET 0 FOR UPDATE
        ) AS present CROSS JOIN LATERAL (
            SELECT ARRAY(
                SELECT key FROM unnest(touched) AS key
                WHERE present.custom_fields -> key IS NOT DISTINCT FROM after -> 'custom_fields' -> key
            ) AS keys
        ) AS same
    ), put AS (
        UPDATE {table} SET {put}
        FROM verdict WHERE {table}.ctid = place AND organization_id = %(organization)s AND cardinality(back) > 0
    )
    SELECT row_id, cardinality(back) > 0, ARRAY(
        SELECT name FROM jsonb_object_keys(after) AS name
        WHERE name <> ALL (back) OR name = 'custom_fields' AND cardinality(keys) < touched
    ) FROM verdict
"""  # noqa: S608 - only names of columns are put into the text
