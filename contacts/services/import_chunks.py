"""Contacts of an import, a chunk at a time: find who is there already, write what was planned."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import orjson
from django.db import IntegrityError, connection

from contacts.incoming import Incoming, Options, Rejected, clean_rows
from contacts.incoming import Mapping as Columns
from contacts.incoming.custom import Definitions
from contacts.incoming.mapping import CONTACT_FIELDS, TEXT_FIELDS
from contacts.incoming.options import CUSTOM
from contacts.models import Contact, ContactImport, ContactList
from contacts.services.announcements import announce_bulk, owners_of
from contacts.services.import_plans import ID_MARK, UNDEFINED, Candidate, Known, NoColumns, Plan, Records
from contacts.signals import contacts_in_use
from contacts.tabular import Row
from vocelio.db.copy import copy_line, copy_lines_to_temporary_table
from vocelio.db.ids import uuid7_series

_TEXTS = (*TEXT_FIELDS, "country", "status")
_STAGED = {
    "id": "uuid",
    "phone": "text",
    "phone_extension": "text",
    "email": "text",
    **dict.fromkeys(_TEXTS, "text"),
    "tags": "text[]",
    "custom_fields": "jsonb",
}
_COPIED = [name for name in _STAGED if name not in ("source", "status")]
# The membership of a contact made here may bear the contact's id: it is its first, and made only once.
_INSERT = f"""
    WITH added AS (
        INSERT INTO contacts (organization_id, created_by_id, import_id, source, status, private_notes, contact_count,
            {", ".join(_COPIED)})
        SELECT %(organization)s, %(user)s, %(job)s, coalesce(nullif(source, ''), 'import'),
            coalesce(nullif(status, ''), 'active'), '', 0,
            {", ".join("nullif(phone, '')" if name == "phone" else name for name in _COPIED)}
        FROM incoming_contacts ON CONFLICT DO NOTHING RETURNING id
    ), listed AS (
        INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id, added_by_id)
        SELECT id, %(organization)s, id, %(list)s, %(user)s FROM added WHERE %(list)s::uuid IS NOT NULL
    )
    SELECT count(*) FROM added
"""  # noqa: S608 - the names of columns are this module's own
_UPDATE = f"""
    UPDATE contacts SET phone = nullif(new.phone, ''), phone_extension = new.phone_extension, email = new.email,
        {", ".join(f"{name} = new.{name}" for name in _TEXTS)}, tags = new.tags,
        custom_fields = contacts.custom_fields || new.custom_fields
    FROM changed_contacts AS new WHERE contacts.organization_id = %(organization)s AND contacts.id = new.id
"""  # noqa: S608 - the names of columns are this module's own
# Joined row by row (LATERAL with LIMIT or OFFSET) and with the organization hidden from the planner: it would take one
# it has no statistics of for a small one and read all its contacts instead of the index. No value of a phone or
# address holds a comma, and one text costs less than an array of thousands.
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
_FIND_EXTERNAL_IDS = """
    SELECT DISTINCT ON (value) wanted.value, contact.id FROM unnest(%(values)s::text[]) AS wanted (value)
    CROSS JOIN LATERAL (
        SELECT id FROM contacts WHERE organization_id = (SELECT %(organization)s::uuid)
        AND external_id = wanted.value AND external_id <> '' AND deleted_at IS NULL OFFSET 0
    ) AS contact ORDER BY value, id
"""
_FIND_IDS = """
    SELECT id::text, id FROM contacts
    WHERE organization_id = %(organization)s AND id = ANY(%(values)s::uuid[]) AND deleted_at IS NULL
"""
# Reads every contact: custom fields have no index of their values.
_FIND_CUSTOM = """
    SELECT DISTINCT ON (value) value, id FROM (
        SELECT custom_fields ->> %(name)s AS value, id FROM contacts
        WHERE organization_id = %(organization)s AND deleted_at IS NULL
    ) AS contact WHERE value = ANY(%(values)s::text[]) ORDER BY value, id
"""
_READ = f"""
    SELECT id, coalesce(phone, ''), phone_extension, email, {", ".join(_TEXTS)}, tags, custom_fields::text,
        CASE WHEN custom_fields <> '{{}}' THEN
            (SELECT jsonb_object_agg(key, value)::text FROM jsonb_each_text(custom_fields)) END
    FROM contacts WHERE organization_id = %(organization)s AND id = ANY(%(ids)s) AND deleted_at IS NULL ORDER BY id
"""  # noqa: S608 - the names of columns are this module's own
_LIST = """
    INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id, added_by_id)
    SELECT membership, %(organization)s, contact, %(list)s, %(user)s
    FROM unnest(%(memberships)s, %(contacts)s) AS existing (membership, contact)
    ON CONFLICT DO NOTHING
"""
# What a contact is known by. Phones and addresses stand for themselves; nothing else begins with these.
_EXTERNAL_ID, _CUSTOM = "\x1fexternal ", "\x1fcustom "


class NoContactColumns(NoColumns):
    code = "NO_CONTACT_COLUMNS"
    message = "No column of the file holds phone numbers or e-mail addresses. Name one of them phone or email."


class ContactRecords(Records):
    """Contacts: known by phone, e-mail address or what else was chosen; those of an import join its list."""

    model = Contact
    changes_table = "contact_changes"
    changes_column = "contact_id"
    fields = CONTACT_FIELDS
    taken = (
        "phone",
        "The phone number belongs to another contact",
        "Correct the number, or put phone first among the match keys.",
    )
    has_lists = True
    has_definitions = True

    def check_reachable(self, mapping: Columns) -> None:
        if not mapping.fields.keys() & {"phone", "email"}:
            raise NoContactColumns

    def clean(
        self, rows: Sequence[Row], mapping: Columns, *, region: str, options: Options
    ) -> tuple[list[Incoming], list[Rejected]]:
        return clean_rows(rows, mapping, region=region, validate_phones=options.validate_phones)

    def prepare(self, rows: Sequence[Incoming], options: Options, definitions: Definitions) -> list[Candidate]:
        return prepare_contacts(rows, options, definitions)

    def identify(self, candidates: Sequence[Candidate]) -> None:
        """Nothing: numbers and addresses are compared as they are."""

    def find_known(
        self, organization_id: uuid.UUID, candidates: Sequence[Candidate], options: Options
    ) -> dict[str, uuid.UUID]:
        return find_known(organization_id, candidates, options)

    def read_known(
        self, organization_id: uuid.UUID, record_ids: Iterable[uuid.UUID], *, lock: bool
    ) -> dict[uuid.UUID, Known]:
        return read_known(organization_id, record_ids, lock=lock)

    def is_taken(
        self, candidate: Candidate, record_id: uuid.UUID | None, known: Mapping[str, uuid.UUID], options: Options
    ) -> bool:
        phone = candidate.contact.phone
        if not phone or phone == candidate.key:
            return False
        holder = known.get(phone)
        if holder is None or holder == record_id:
            return False
        return record_id is None or options.policy_of("phone") != "skip"

    def line(self, record: Incoming, custom_fields: dict[str, Any]) -> str:
        return _line(record, custom_fields)

    def values(self, job: ContactImport) -> dict[str, Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT analyze_grown_contacts()")
        return {
            "organization": job.organization_id,
            "user": job.created_by_id,
            "job": job.id,
            "list": _lock_list(job),
        }

    def write(self, plan: Plan, values: dict[str, Any], definitions: Definitions) -> bool:
        return _write(plan, values, definitions)

    def announce(self, job: ContactImport, plan: Plan) -> None:
        # New contacts are nobody's; to ask for the owners of thousands would cost as much as to find duplicates.
        owners = {None} | (owners_of(plan.changes) if plan.changes else set())
        announce_bulk("imported", [*plan.new, *plan.changes], _lists(job), owners=owners)

    def in_use(self, record_ids: list[uuid.UUID]) -> set[uuid.UUID]:
        answers = contacts_in_use.send(sender=None, contact_ids=record_ids)
        return {contact_id for _, used in answers for contact_id in cast(Iterable[uuid.UUID], used or ())}

    def announce_undone(self, job: ContactImport, action: str, record_ids: Iterable[uuid.UUID]) -> None:
        announce_bulk(action, record_ids, _lists(job) if action == "deleted" else ())


CONTACTS = ContactRecords()


def _lists(job: ContactImport) -> Sequence[uuid.UUID]:
    return [job.target_list_id] if job.target_list_id else ()


def prepare_contacts(
    contacts: Sequence[Incoming], options: Options, definitions: Definitions = UNDEFINED
) -> list[Candidate]:
    """Do the part of the work on a chunk that needs no database."""
    ids = uuid7_series(len(contacts))
    is_usual = tuple(key for key in options.match_keys if key != "id") == ("phone", "email")
    others = tuple(key for key in options.match_keys if key not in ("id", "phone", "email"))
    prepared: list[Candidate] = []
    for contact, new_id in zip(contacts, ids, strict=True):
        if options.tags:
            contact.tags = list(dict.fromkeys((*contact.tags, *options.tags)))
        if is_usual:
            key = contact.phone or contact.email
            marks: tuple[str, ...] = (contact.email,) if contact.phone and contact.email else ()
        else:
            key = next(filter(None, (_mark(contact, name) for name in options.match_keys if name != "id")), "")
            marks = tuple(filter(None, (contact.phone, contact.email, *(_mark(contact, name) for name in others))))
        prepared.append(Candidate(contact, new_id, CONTACTS.new_line(contact, definitions), key, marks))
    return prepared


def find_known(organization_id: uuid.UUID, candidates: Sequence[Candidate], options: Options) -> dict[str, uuid.UUID]:
    """Return the contacts outside the trash that some rows repeat, by what they are known by."""
    by_id = [each.contact.id for each in candidates if each.contact.id] if "id" in options.match_keys else []
    wanted: list[tuple[str, str, str, list[str]]] = [
        (_FIND_PHONES, "", "", [each.contact.phone for each in candidates if each.contact.phone]),
        (_FIND_EMAILS, "", "", [each.key for each in candidates if each.key and each.key == each.contact.email]),
        (_FIND_IDS, ID_MARK, "", by_id),
    ]
    for key in options.match_keys:
        prefix, query, name = "", "", ""
        if key == "external_id":
            prefix, query = _EXTERNAL_ID, _FIND_EXTERNAL_IDS
        elif key.startswith(CUSTOM):
            prefix, query, name = f"{_CUSTOM}{key}\x1f", _FIND_CUSTOM, key.removeprefix(CUSTOM)
        if query:
            keys = [each.key.removeprefix(prefix) for each in candidates if each.key.startswith(prefix)]
            wanted.append((query, prefix, name, keys))
    found: dict[str, uuid.UUID] = {}
    with connection.cursor() as cursor:
        for query, prefix, name, values in wanted:
            if values:
                given: Any = ",".join(values) if query in (_FIND_PHONES, _FIND_EMAILS) else values
                cursor.execute(query, {"organization": organization_id, "values": given, "name": name})
                found |= {prefix + value: contact_id for value, contact_id in cursor.fetchall()}
    return found


def read_known(organization_id: uuid.UUID, contact_ids: Iterable[uuid.UUID], *, lock: bool) -> dict[uuid.UUID, Known]:
    """Return contacts as they are; locked, they stay so until the transaction ends."""
    ids = list(set(contact_ids))
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_READ + ("FOR NO KEY UPDATE" if lock else ""), {"organization": organization_id, "ids": ids})
        rows = cursor.fetchall()
    known: dict[uuid.UUID, Known] = {}
    for contact_id, phone, extension, email, *texts, tags, custom_fields, shown in rows:
        custom = {name: value or "" for name, value in orjson.loads(shown).items()} if shown else {}
        contact = Incoming(0, phone, extension, email, dict(zip(_TEXTS, texts, strict=True)), tags, custom)
        known[contact_id] = Known(contact, orjson.loads(custom_fields) if shown else {})
    return known


def _mark(contact: Incoming, key: str) -> str:
    """Return what a contact is known by under a match key; empty where it has nothing of the kind."""
    match key:
        case "phone":
            return contact.phone or ""
        case "email":
            return contact.email
        case "external_id":
            value, prefix = contact.values.get("external_id", ""), _EXTERNAL_ID
        case _:
            value, prefix = contact.custom_fields.get(key.removeprefix(CUSTOM), ""), f"{_CUSTOM}{key}\x1f"
    return prefix + value if value else ""


def _lock_list(job: ContactImport) -> uuid.UUID | None:
    """Return the job's list, locked; a list that was deleted meanwhile leaves the import without one."""
    if job.target_list_id is None:
        return None
    lists = ContactList.objects.select_for_update(no_key=True).filter(pk=job.target_list_id)
    found: uuid.UUID | None = lists.values_list("pk", flat=True).first()
    return found


def _write(plan: Plan, values: dict[str, Any], definitions: Definitions) -> bool:
    """Carry the plan out; False when some of the new contacts turned out to exist."""
    with connection.cursor() as cursor:
        if plan.new:
            copy_lines_to_temporary_table("incoming_contacts", _STAGED, _staged(plan.new))
            cursor.execute(_INSERT, values)
            if cursor.fetchone() != (len(plan.new),):
                return False
        if plan.changes:
            lines = (
                f"{contact_id}\t{CONTACTS.changed_line(known, definitions)}"
                for contact_id, known in plan.changes.items()
            )
            copy_lines_to_temporary_table("changed_contacts", _STAGED, lines)
            try:
                cursor.execute(_UPDATE, values)
            except IntegrityError as error:
                if "one_contact_per_phone" not in str(error):
                    raise
                return False
        if plan.met and values["list"]:
            cursor.execute(_LIST, values | {"contacts": list(plan.met), "memberships": uuid7_series(len(plan.met))})
    return True


def _staged(candidates: dict[uuid.UUID, Candidate]) -> Iterator[str]:
    return (f"{contact_id}\t{candidate.line}" for contact_id, candidate in candidates.items())


def _line(contact: Incoming, custom_fields: dict[str, Any]) -> str:
    value = contact.values.get
    return copy_line(
        [
            contact.phone or "",
            contact.phone_extension,
            contact.email,
            *[value(name, "") for name in _TEXTS],
            array_literal(contact.tags) if contact.tags else "{}",
            orjson.dumps(custom_fields).decode() if custom_fields else "{}",
        ]
    )


def array_literal(texts: list[str]) -> str:
    """Return a PostgreSQL array literal."""
    quoted = (text.replace("\\", r"\\").replace('"', r"\"") for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
