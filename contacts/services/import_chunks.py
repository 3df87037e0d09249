"""Write one chunk of an import: find who is there already, add the others, fill the list."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection, transaction

from contacts.incoming import Incoming
from contacts.incoming.mapping import TEXT_FIELDS
from contacts.models import ContactImport, ContactList
from vocelio.db.copy import copy_line, copy_lines_to_temporary_table
from vocelio.db.ids import uuid7_series

_TEXTS = (*TEXT_FIELDS, "country")
_STAGED = {
    "id": "uuid",
    "phone": "text",
    "phone_extension": "text",
    "email": "text",
    **dict.fromkeys(_TEXTS, "text"),
    "tags": "text[]",
    "custom_fields": "jsonb",
}
_COPIED = [name for name in _STAGED if name != "source"]
# The membership of a contact made here may bear the contact's id: it is its first, and made only once.
_INSERT = f"""
    WITH added AS (
        INSERT INTO contacts (organization_id, created_by_id, import_id, source, status, private_notes, contact_count,
            {", ".join(_COPIED)})
        SELECT %(organization)s, %(user)s, %(job)s, coalesce(nullif(source, ''), 'import'), 'active', '', 0,
            {", ".join("nullif(phone, '')" if name == "phone" else name for name in _COPIED)}
        FROM incoming_contacts ON CONFLICT DO NOTHING RETURNING id
    ), listed AS (
        INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id, added_by_id)
        SELECT id, %(organization)s, id, %(list)s, %(user)s FROM added WHERE %(list)s::uuid IS NOT NULL
    )
    SELECT count(*) FROM added
"""  # noqa: S608 - the names of columns are this module's own
_OVERWRITE = ", ".join(
    f"{name} = coalesce(nullif(new.{name}, ''), contacts.{name})" for name in ("phone_extension", "email", *_TEXTS)
)
_UPDATE = f"""
    UPDATE contacts SET {_OVERWRITE},
        tags = contacts.tags || ARRAY(SELECT tag FROM unnest(new.tags) AS tag WHERE tag <> ALL (contacts.tags)),
        custom_fields = contacts.custom_fields || new.custom_fields
    FROM changed_contacts AS new WHERE contacts.organization_id = %(organization)s AND contacts.id = new.id
"""  # noqa: S608 - the names of columns are this module's own
# Joined row by row (LATERAL with LIMIT or OFFSET) and with the organization hidden from the planner: it would take one
# it has no statistics of for a small one and read all its contacts instead of the index. No value holds a comma, and
# one text costs less than an array of thousands.
_FIND_PHONES = """
    SELECT wanted.phone, contact.id FROM unnest(string_to_array(%(values)s, ',')) AS wanted (phone)
    CROSS JOIN LATERAL (
        SELECT id FROM contacts
        WHERE organization_id = (SELECT %(organization)s::uuid) AND phone = wanted.phone AND deleted_at IS NULL LIMIT 1
    ) AS contact
"""
_FIND_EMAILS = """
    SELECT DISTINCT ON (email) wanted.email, contact.id FROM unnest(string_to_array(%(values)s, ',')) AS wanted (email)
    CROSS JOIN LATERAL (
        SELECT id FROM contacts WHERE organization_id = (SELECT %(organization)s::uuid)
        AND email = wanted.email AND email <> '' AND deleted_at IS NULL OFFSET 0
    ) AS contact ORDER BY email, id
"""
_LIST = """
    INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id, added_by_id)
    SELECT membership, %(organization)s, contact, %(list)s, %(user)s
    FROM unnest(%(memberships)s, %(contacts)s) AS existing (membership, contact)
    ON CONFLICT DO NOTHING
"""


@dataclass(slots=True)
class Candidate:
    """A contact of a chunk, ready to be written."""

    contact: Incoming
    id: uuid.UUID
    line: str


@dataclass
class Plan:
    """What is to become of the contacts of a chunk."""

    new: dict[uuid.UUID, Candidate] = field(default_factory=dict)
    changes: dict[uuid.UUID, Candidate] = field(default_factory=dict)
    # Existing contacts that rows repeat.
    met: set[uuid.UUID] = field(default_factory=set)
    updated: int = 0
    duplicates: int = 0


def prepare_contacts(contacts: Sequence[Incoming]) -> list[Candidate]:
    """Do the part of the work on a chunk that needs no database."""
    ids = uuid7_series(len(contacts))
    return [Candidate(contact, new_id, _line(contact)) for contact, new_id in zip(contacts, ids, strict=True)]


def merge_chunk(job: ContactImport, candidates: Sequence[Candidate], *, skip_duplicates: bool) -> Plan:
    """Write a chunk's contacts as if row by row, and return what became of them.

    A row repeats whoever came before it, in the file or in the table; it is counted, or updates the contact. New and
    existing contacts alike join the job's list.
    """
    with connection.cursor() as cursor:
        # Imports of one organization write in turns: otherwise they would wait for each other's rows crosswise.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('imports ' || %s, 0))", [job.organization_id])
        cursor.execute("SELECT analyze_grown_contacts()")
    values = {
        "organization": job.organization_id,
        "user": job.created_by_id,
        "job": job.id,
        "list": _lock_list(job),
    }
    while True:
        plan = plan_chunk(candidates, _find_existing(job.organization_id, candidates), skip_duplicates=skip_duplicates)
        with transaction.atomic():
            if _write(plan, values):
                return plan
            # Somebody saved one of the numbers since the look-up. Theirs was first: look again.
            transaction.set_rollback(True)


def plan_chunk(candidates: Sequence[Candidate], known: dict[str, uuid.UUID], *, skip_duplicates: bool) -> Plan:
    """Decide row by row who is new; `known` holds existing contacts by phone and e-mail, and is added to."""
    plan = Plan()
    for candidate in candidates:
        contact = candidate.contact
        contact_id = known.get(contact.key)
        if contact_id is None:
            contact_id = candidate.id
            plan.new[contact_id] = candidate
        else:
            if contact_id not in plan.new:
                plan.met.add(contact_id)
            if skip_duplicates:
                plan.duplicates += 1
                continue
            plan.updated += 1
            if earlier := plan.new.get(contact_id) or plan.changes.get(contact_id):
                earlier.contact.overwrite(contact)
                earlier.line = _line(earlier.contact)
            else:
                plan.changes[contact_id] = candidate
        known[contact.key] = contact_id
        if contact.email:
            known.setdefault(contact.email, contact_id)
    return plan


def _lock_list(job: ContactImport) -> uuid.UUID | None:
    """Return the job's list, locked; a list that was deleted meanwhile leaves the import without one."""
    if job.target_list_id is None:
        return None
    lists = ContactList.objects.select_for_update(no_key=True).filter(pk=job.target_list_id)
    found: uuid.UUID | None = lists.values_list("pk", flat=True).first()
    return found


def _find_existing(organization_id: uuid.UUID, candidates: Iterable[Candidate]) -> dict[str, uuid.UUID]:
    """Return the contacts outside the trash that some rows repeat, by phone or, for rows without, by e-mail."""
    phones = [each.contact.phone for each in candidates if each.contact.phone]
    emails = [each.contact.email for each in candidates if not each.contact.phone]
    found: dict[str, uuid.UUID] = {}
    with connection.cursor() as cursor:
        for query, values in ((_FIND_PHONES, phones), (_FIND_EMAILS, emails)):
            if values:
                cursor.execute(query, {"organization": organization_id, "values": ",".join(values)})
                found |= dict(cursor.fetchall())
    return found


def _write(plan: Plan, values: dict[str, Any]) -> bool:
    """Carry the plan out; False when some of the new contacts turned out to exist."""
    with connection.cursor() as cursor:
        if plan.new:
            copy_lines_to_temporary_table("incoming_contacts", _STAGED, _staged(plan.new))
            cursor.execute(_INSERT, values)
            if cursor.fetchone() != (len(plan.new),):
                return False
        if plan.changes:
            copy_lines_to_temporary_table("changed_contacts", _STAGED, _staged(plan.changes))
            cursor.execute(_UPDATE, values)
        if plan.met and values["list"]:
            cursor.execute(_LIST, values | {"contacts": list(plan.met), "memberships": uuid7_series(len(plan.met))})
    return True


def _staged(candidates: dict[uuid.UUID, Candidate]) -> Iterator[str]:
    return (f"{contact_id}\t{candidate.line}" for contact_id, candidate in candidates.items())


def _line(contact: Incoming) -> str:
    value = contact.values.get
    return copy_line(
        [
            contact.phone or "",
            contact.extension,
            contact.email,
            *[value(name, "") for name in _TEXTS],
            _array(contact.tags) if contact.tags else "{}",
            orjson.dumps(contact.custom_fields).decode() if contact.custom_fields else "{}",
        ]
    )


def _array(texts: list[str]) -> str:
    """Return a PostgreSQL array literal."""
    quoted = (text.replace("\\", r"\\").replace('"', r"\"") for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
