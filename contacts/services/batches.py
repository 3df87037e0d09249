"""Create and change many records at once for a sync: set-based, each row with values of its own."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction

from contacts.models import Client, Contact
from vocelio.audit.context import current_actor
from vocelio.db.copy import copy_to_temporary_table
from vocelio.organizations.scope import current_organization_id


class Writer:
    """Writes whole rows of one table: id, phone, texts, tags, custom_fields.

    `fixed` are the values, as SQL, of what a new row has beside; `also` is what a change sets beside.
    """

    def __init__(self, table: str, texts: Sequence[str], *, fixed: Mapping[str, str], also: str = "") -> None:
        self.table = table
        self.texts = texts
        self.staged = {
            "id": "uuid",
            "phone": "text",
            **dict.fromkeys(texts, "text"),
            "tags": "text[]",
            "custom_fields": "jsonb",
        }
        columns = ", ".join(self.staged)
        self.insert = f"""
            INSERT INTO {table} (organization_id, created_by_id, source, {", ".join(fixed)}, {columns})
            SELECT %(organization)s, %(user)s, %(source)s, {", ".join(fixed.values())}, {columns} FROM staged_rows
            ON CONFLICT DO NOTHING RETURNING id, updated_at
        """  # noqa: S608 - names of columns
        changes = ", ".join(f"{name} = new.{name}" for name in self.staged if name != "id")
        self.update = f"""
            UPDATE {table} SET {changes}{also} FROM staged_rows AS new
            WHERE {table}.organization_id = %(organization)s AND {table}.id = new.id AND {table}.deleted_at IS NULL
            RETURNING {table}.id, {table}.updated_at
        """  # noqa: S608 - names of columns

    def add(self, rows: Sequence[Mapping[str, Any]], *, source: str) -> dict[uuid.UUID, datetime]:
        """Create records of whole rows; one that a unique constraint speaks against is left out.

        Return when each was stored. The caller records and announces, for a batch at once.
        """
        return self._write(self.insert, rows, source=source)

    def change(self, rows: Sequence[Mapping[str, Any]]) -> dict[uuid.UUID, datetime]:
        """Overwrite records outside the trash with whole rows; what is unique must be free. Return as `add` does."""
        return self._write(self.update, rows)

    def _write(self, statement: str, rows: Sequence[Mapping[str, Any]], **values: Any) -> dict[uuid.UUID, datetime]:
        if not rows:
            return {}
        with transaction.atomic():
            copy_to_temporary_table("staged_rows", self.staged, map(self._cells, rows))
            with connection.cursor() as cursor:
                cursor.execute(
                    statement, {"organization": current_organization_id(), "user": current_actor().user_id, **values}
                )
                stored = dict(cursor.fetchall())
                cursor.execute("DROP TABLE staged_rows")
        return stored

    def _cells(self, row: Mapping[str, Any]) -> list[Any]:
        return [
            row["id"],
            row["phone"],
            *(row[name] for name in self.texts),
            list(row["tags"]),
            orjson.dumps(row["custom_fields"]).decode(),
        ]


CONTACTS = Writer(
    "contacts",
    (
        "first_name", "last_name", "email", "phone_extension", "company", "title", "address", "city", "state", "zip",
        "country", "notes",
    ),
    fixed={"status": "'active'", "private_notes": "''", "contact_count": "0"},
)  # fmt: skip
# What was verified is another company under another name, domain or tax number.
_OTHER = """(clients.verification = 'verified'
    AND (clients.name, clients.domain, clients.tax_id) IS DISTINCT FROM (new.name, new.domain, new.tax_id))"""
KEEP_VERIFICATION = f"""
    verification = CASE WHEN {_OTHER} THEN 'unverified' ELSE clients.verification END,
    verified_at = CASE WHEN NOT {_OTHER} THEN clients.verified_at END,
    verified_by_id = CASE WHEN NOT {_OTHER} THEN clients.verified_by_id END
"""
CLIENTS = Writer(
    "clients",
    (
        "name", "legal_name", "domain", "website", "linkedin_url", "industry", "tax_id", "email", "address", "city",
        "state", "zip", "country", "notes",
    ),
    fixed={
        "status": "'prospect'", "size": "''", "currency": "''", "verification": "'unverified'",
        "verification_note": "''", "sort_name": "''",
    },
    also=", " + KEEP_VERIFICATION,
)  # fmt: skip
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
# Upper and lower case and accents are alike in names; "same" names and domains in large numbers say nothing.
_LIKE = """
    SELECT wanted.place, client.id, client.sort_name = wanted.name, client.domain
    FROM (
        SELECT fold_text(name) AS name, domain, place
        FROM unnest(%(names)s::text[], %(domains)s::text[]) WITH ORDINALITY AS given (name, domain, place) OFFSET 0
    ) AS wanted CROSS JOIN LATERAL (
        (SELECT id, sort_name, domain FROM clients WHERE organization_id = (SELECT %(organization)s::uuid)
            AND sort_name = wanted.name AND wanted.name <> '' AND deleted_at IS NULL ORDER BY id LIMIT 10)
        UNION
        (SELECT id, sort_name, domain FROM clients WHERE organization_id = (SELECT %(organization)s::uuid)
            AND domain = wanted.domain AND domain <> '' AND deleted_at IS NULL ORDER BY id LIMIT 10)
    ) AS client ORDER BY wanted.place, client.id
"""


def take_turns() -> None:
    """Let whoever else writes contacts or clients of this organization in bulk go first: crosswise waiting ends in a deadlock."""
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


def locked_clients(client_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Client]:
    """Return clients, in the trash or not, that nobody else changes until the transaction ends."""
    rows = Client.objects.select_for_update().filter(pk__in=list(client_ids)).order_by("pk").defer("search")
    return {client.pk: client for client in rows}


class Likeness(NamedTuple):
    """A client outside the trash that has the name of a company, its domain, or both."""

    client_id: uuid.UUID
    same_name: bool
    domain: str


def clients_like(companies: Sequence[tuple[str, str]]) -> list[list[Likeness]]:
    """Return, for each name and domain, the clients outside the trash that have one of the two; the oldest first."""
    found: list[list[Likeness]] = [[] for _ in companies]
    if companies:
        names, domains = zip(*companies, strict=True)
        values: dict[str, Any] = {
            "organization": current_organization_id(),
            "names": list(names),
            "domains": list(domains),
        }
        with connection.cursor() as cursor:
            cursor.execute(_LIKE, values)
            for place, *likeness in cursor.fetchall():
                found[place - 1].append(Likeness(*likeness))
    return found


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
