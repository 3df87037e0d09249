"""Create and change many contacts at once for a sync: set-based, each row with values of its own."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction

from contacts.models import Contact
from vocelio.audit.context import current_actor
from vocelio.db.copy import copy_to_temporary_table
from vocelio.organizations.scope import current_organization_id

TEXTS = ("first_name", "last_name", "email", "phone_extension", "company", "title", "address", "city", "state", "zip",
         "country", "notes")  # fmt: skip
_STAGED = {
    "id": "uuid",
    "phone": "text",
    **dict.fromkeys(TEXTS, "text"),
    "tags": "text[]",
    "custom_fields": "jsonb",
}
_COLUMNS = ", ".join(_STAGED)
_INSERT = f"""
    INSERT INTO contacts (organization_id, created_by_id, source, status, private_notes, contact_count, {_COLUMNS})
    SELECT %(organization)s, %(user)s, %(source)s, 'active', '', 0, {_COLUMNS} FROM staged_contacts
    ON CONFLICT DO NOTHING RETURNING id, updated_at
"""  # noqa: S608 - the names of columns are this module's own
_SET = ", ".join(f"{name} = new.{name}" for name in _STAGED if name != "id")
_UPDATE = f"""
    UPDATE contacts SET {_SET} FROM staged_contacts AS new
    WHERE contacts.organization_id = %(organization)s AND contacts.id = new.id AND contacts.deleted_at IS NULL
    RETURNING contacts.id, contacts.updated_at
"""  # noqa: S608 - the names of columns are this module's own
# Written as a probe for each value, as in import_chunks: the planner takes a new organization for an empty one.
_OWNERS = """
    SELECT wanted.value, contact.id FROM unnest(%(values)s::text[]) AS wanted (value) CROSS JOIN LATERAL (
        SELECT id FROM contacts WHERE organization_id = (SELECT %(organization)s::uuid)
        AND phone = wanted.value AND deleted_at IS NULL OFFSET 0
    ) AS contact
"""
_NAMESAKES = """
    SELECT wanted.value, contact.id FROM unnest(%(values)s::text[]) AS wanted (value) CROSS JOIN LATERAL (
        SELECT id FROM contacts WHERE organization_id = (SELECT %(organization)s::uuid)
        AND email = wanted.value AND email <> '' AND deleted_at IS NULL ORDER BY id LIMIT 2
    ) AS contact
"""


def take_turns() -> None:
    """Let whoever else writes contacts of this organization in bulk go first: crosswise waiting ends in a deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('imports ' || %s, 0))", [current_organization_id()]
        )
        cursor.execute("SELECT analyze_grown_contacts()")


def owners_of_phones(phones: Iterable[str]) -> dict[str, uuid.UUID]:
    """Return which contact outside the trash has each of these numbers."""
    return {phone: ids[0] for phone, ids in _probe(_OWNERS, phones).items()}


def contacts_with_emails(emails: Iterable[str]) -> dict[str, list[uuid.UUID]]:
    """Return up to two contacts outside the trash that have each of these addresses."""
    return _probe(_NAMESAKES, emails)


def locked_contacts(contact_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Contact]:
    """Return contacts, in the trash or not, that nobody else changes until the transaction ends."""
    rows = Contact.objects.select_for_update().filter(pk__in=list(contact_ids)).order_by("pk").defer("search")
    return {contact.pk: contact for contact in rows}


def add_contacts(rows: Sequence[Mapping[str, Any]], *, source: str) -> dict[uuid.UUID, datetime]:
    """Create contacts of whole rows (id, phone, TEXTS, tags, custom_fields); one whose phone is taken is left out.

    Return when each was stored. The caller records and announces, for a batch at once.
    """
    return _write(_INSERT, rows, source=source)


def change_contacts(rows: Sequence[Mapping[str, Any]]) -> dict[uuid.UUID, datetime]:
    """Overwrite contacts outside the trash with whole rows; their phones must be free. Return as add_contacts does."""
    return _write(_UPDATE, rows)


def _write(statement: str, rows: Sequence[Mapping[str, Any]], **values: Any) -> dict[uuid.UUID, datetime]:
    if not rows:
        return {}
    with transaction.atomic():
        copy_to_temporary_table("staged_contacts", _STAGED, map(_cells, rows))
        with connection.cursor() as cursor:
            cursor.execute(
                statement, {"organization": current_organization_id(), "user": current_actor().user_id, **values}
            )
            stored = dict(cursor.fetchall())
            cursor.execute("DROP TABLE staged_contacts")
    return stored


def _cells(row: Mapping[str, Any]) -> list[Any]:
    return [
        row["id"],
        row["phone"] or None,
        *(row[name] for name in TEXTS),
        list(row["tags"]),
        orjson.dumps(row["custom_fields"]).decode(),
    ]


def _probe(query: str, values: Iterable[str]) -> dict[str, list[uuid.UUID]]:
    wanted = sorted(set(values))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(query, {"organization": current_organization_id(), "values": wanted})
        found: dict[str, list[uuid.UUID]] = {}
        for value, contact_id in cursor.fetchall():
            found.setdefault(value, []).append(contact_id)
    return found
