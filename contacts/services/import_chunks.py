"""Write one chunk of an import: find who is there already, add the others, fill the list."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson
from django.db import connection

from contacts.incoming import Incoming
from contacts.incoming.mapping import TEXT_FIELDS
from contacts.models import ContactImport, ContactList
from vocelio.db.copy import copy_to_temporary_table
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
_INSERT = f"""
    INSERT INTO contacts (organization_id, created_by_id, import_id, source, status, private_notes, contact_count,
        {", ".join(_COPIED)})
    SELECT %(organization)s, %(user)s, %(job)s, coalesce(nullif(source, ''), 'import'), 'active', '', 0,
        {", ".join(_COPIED)}
    FROM incoming_contacts ON CONFLICT DO NOTHING RETURNING id
"""
_UPDATE = f"""
    UPDATE contacts SET
        {", ".join(f"{name} = coalesce(nullif(new.{name}, ''), contacts.{name})"
                   for name in ("phone_extension", "email", *_TEXTS))},
        tags = contacts.tags || ARRAY(SELECT tag FROM unnest(new.tags) AS tag WHERE tag <> ALL (contacts.tags)),
        custom_fields = contacts.custom_fields || new.custom_fields
    FROM changed_contacts AS new WHERE contacts.organization_id = %(organization)s AND contacts.id = new.id
"""
_LIST = """
    INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id, added_by_id)
    SELECT membership, %(organization)s, contact, %(list)s, %(user)s
    FROM unnest(%(memberships)s::uuid[], %(contacts)s::uuid[]) AS new (membership, contact)
    ON CONFLICT DO NOTHING
"""


@dataclass
class Outcome:
    """What became of the contacts of a chunk."""

    imported: int = 0
    updated: int = 0
    duplicates: int = 0
    changed: list[uuid.UUID] = field(default_factory=list)


def merge_chunk(job: ContactImport, incoming: Sequence[Incoming], *, skip_duplicates: bool) -> Outcome:
    """Write a chunk's contacts as if row by row: a row is a duplicate of whoever came before it, here or in the table.

    Duplicates are counted, or update whom they repeat. New and existing contacts alike join the job's list.
    """
    _take_turns(job)
    outcome = Outcome()
    known = _find_existing(job.organization_id, incoming)
    new: dict[uuid.UUID, Incoming] = {}
    changes: dict[uuid.UUID, Incoming] = {}
    members: dict[uuid.UUID, None] = {}
    for contact, contact_id in zip(incoming, uuid7_series(len(incoming)), strict=True):
        existing_id = known.get(contact.key)
        if existing_id is None:
            new[contact_id] = contact
        elif skip_duplicates:
            outcome.duplicates += 1
        else:
            outcome.updated += 1
            if earlier := new.get(existing_id) or changes.get(existing_id):
                earlier.overwrite(contact)
            else:
                changes[existing_id] = contact
        member = existing_id or contact_id
        members[member] = None
        if existing_id is None or not skip_duplicates:
            known[contact.key] = member
            if contact.email:
                known.setdefault(contact.email, member)
    inserted = _insert(job, new)
    if len(inserted) < len(new):
        # Somebody saved one of the numbers since the look-up; theirs was first.
        late = [contact for contact_id, contact in new.items() if contact_id not in inserted]
        outcome.duplicates += len(late)
        members = {member: None for member in members if member not in new or member in inserted}
        members |= dict.fromkeys(_find_existing(job.organization_id, late).values())
    _update(job, changes)
    if job.target_list_id is not None:
        _add_to_list(job, list(members))
    outcome.imported = len(inserted)
    outcome.changed = [*inserted, *changes]
    return outcome


def _take_turns(job: ContactImport) -> None:
    """Let the imports of an organization write one chunk at a time: they would wait for each other's rows crosswise."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('contact import ' || %s, 0))", [job.organization_id])


def _find_existing(organization_id: uuid.UUID, incoming: Iterable[Incoming]) -> dict[str, uuid.UUID]:
    """Return the contacts outside the trash that some rows repeat, by phone or, for rows without, by e-mail."""
    phones = [contact.phone for contact in incoming if contact.phone]
    emails = [contact.email for contact in incoming if not contact.phone]
    found: dict[str, uuid.UUID] = {}
    with connection.cursor() as cursor:
        if phones:
            cursor.execute(
                "SELECT phone, id FROM contacts"
                " WHERE organization_id = %s AND phone = ANY(%s) AND deleted_at IS NULL",
                [organization_id, phones],
            )
            found |= dict(cursor.fetchall())
        if emails:
            cursor.execute(
                "SELECT DISTINCT ON (email) email, id FROM contacts"
                " WHERE organization_id = %s AND email = ANY(%s) AND email <> '' AND deleted_at IS NULL"
                " ORDER BY email, id",
                [organization_id, emails],
            )
            found |= dict(cursor.fetchall())
    return found


def _insert(job: ContactImport, contacts: dict[uuid.UUID, Incoming]) -> set[uuid.UUID]:
    if not contacts:
        return set()
    copy_to_temporary_table("incoming_contacts", _STAGED, _staged(contacts))
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"organization": job.organization_id, "user": job.created_by_id, "job": job.id})
        return {contact_id for (contact_id,) in cursor.fetchall()}


def _update(job: ContactImport, contacts: dict[uuid.UUID, Incoming]) -> None:
    if not contacts:
        return
    copy_to_temporary_table("changed_contacts", _STAGED, _staged(contacts))
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, {"organization": job.organization_id})


def _staged(contacts: dict[uuid.UUID, Incoming]) -> Iterable[Sequence[object]]:
    for contact_id, contact in contacts.items():
        yield (
            contact_id,
            contact.phone,
            contact.extension,
            contact.email,
            *[contact.values.get(name, "") for name in _TEXTS],
            contact.tags,
            orjson.dumps(contact.custom_fields).decode(),
        )


def _add_to_list(job: ContactImport, contacts: list[uuid.UUID]) -> None:
    # Locked, since a list that is deleted meanwhile leaves the import without one.
    if not ContactList.objects.select_for_update(no_key=True).filter(pk=job.target_list_id).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _LIST,
            {
                "organization": job.organization_id,
                "user": job.created_by_id,
                "list": job.target_list_id,
                "contacts": contacts,
                "memberships": uuid7_series(len(contacts)),
            },
        )
