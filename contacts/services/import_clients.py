"""Clients of an import, a chunk at a time: find who is there already, write what was planned."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.db import IntegrityError, connection

from contacts.incoming import Incoming, Options, Rejected
from contacts.incoming import Mapping as Columns
from contacts.incoming.companies import clean_companies
from contacts.incoming.custom import Definitions
from contacts.incoming.mapping import CLIENT_FIELDS, CLIENT_TEXTS
from contacts.merging import pointers
from contacts.models import Client, ContactImport
from contacts.services.batches import KEEP_VERIFICATION
from contacts.services.client_announcements import announce_clients
from contacts.services.import_chunks import array_literal
from contacts.services.import_plans import ID_MARK, Candidate, Known, NoColumns, Plan, Records
from contacts.tabular import Row
from vocelio.db.copy import copy_line, copy_lines_to_temporary_table
from vocelio.db.ids import uuid7_series

# Kept as they are; the revenue comes with its currency, "1200000.00 USD".
_TEXTS = (*CLIENT_TEXTS, "domain", "website", "linkedin_url", "size", "country", "status")
_STAGED = {
    "id": "uuid",
    "phone": "text",
    "email": "text",
    **dict.fromkeys(_TEXTS, "text"),
    "annual_revenue": "text",
    "tags": "text[]",
    "custom_fields": "jsonb",
}
_PLAIN = [name for name in _STAGED if name not in ("source", "status", "annual_revenue", "custom_fields", "id")]
_AMOUNT = "nullif(split_part({0}.annual_revenue, ' ', 1), '')::numeric"
_CURRENCY = "split_part({0}.annual_revenue, ' ', 2)"
_INSERT = f"""
    WITH added AS (
        INSERT INTO clients (organization_id, created_by_id, import_id, verification, verification_note, sort_name,
            source, status, annual_revenue, currency, custom_fields, id, {", ".join(_PLAIN)})
        SELECT %(organization)s, %(user)s, %(job)s, 'unverified', '', '',
            coalesce(nullif(source, ''), 'import'), coalesce(nullif(status, ''), 'prospect'),
            {_AMOUNT.format("incoming_clients")}, {_CURRENCY.format("incoming_clients")}, custom_fields, id,
            {", ".join(_PLAIN)}
        FROM incoming_clients ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT count(*) FROM added
"""  # noqa: S608 - the names of columns are this module's own
_UPDATE = f"""
    UPDATE clients SET {", ".join(f"{name} = new.{name}" for name in _PLAIN)},
        source = new.source, status = new.status,
        annual_revenue = {_AMOUNT.format("new")},
        currency = CASE WHEN new.annual_revenue = '' THEN clients.currency ELSE {_CURRENCY.format("new")} END,
        {KEEP_VERIFICATION},
        custom_fields = clients.custom_fields || new.custom_fields
    FROM changed_clients AS new WHERE clients.organization_id = %(organization)s AND clients.id = new.id
"""  # noqa: S608 - the names of columns are this module's own
_FOLD = "SELECT fold_text(name) FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (name, place) ORDER BY place"
# Row by row, as contacts are found and for the same reason. Of several the oldest, whose id is the smallest.
_FIND_PAIRS = """
    SELECT DISTINCT ON (name, domain) name || %(separator)s || domain, client.id
    FROM unnest(%(names)s::text[], %(domains)s::text[]) AS wanted (name, domain) CROSS JOIN LATERAL (
        SELECT id FROM clients WHERE organization_id = (SELECT %(organization)s::uuid)
        AND sort_name = wanted.name AND clients.domain = wanted.domain AND deleted_at IS NULL OFFSET 0
    ) AS client ORDER BY name, domain, id
"""
_FIND_DOMAINS = """
    SELECT DISTINCT ON (value) value, client.id FROM unnest(%(values)s::text[]) AS wanted (value)
    CROSS JOIN LATERAL (
        SELECT id FROM clients WHERE organization_id = (SELECT %(organization)s::uuid)
        AND domain = wanted.value AND domain <> '' AND deleted_at IS NULL OFFSET 0
    ) AS client ORDER BY value, id
"""
_FIND_NAMES = """
    SELECT DISTINCT ON (value) value, client.id FROM unnest(%(values)s::text[]) AS wanted (value)
    CROSS JOIN LATERAL (
        SELECT id FROM clients WHERE organization_id = (SELECT %(organization)s::uuid)
        AND sort_name = wanted.value AND deleted_at IS NULL OFFSET 0
    ) AS client ORDER BY value, id
"""
_FIND_IDS = """
    SELECT id::text, id FROM clients
    WHERE organization_id = %(organization)s AND id = ANY(%(values)s::uuid[]) AND deleted_at IS NULL
"""
_READ = f"""
    SELECT id, phone, email, {", ".join(_TEXTS)}, coalesce(annual_revenue || ' ' || currency, ''), tags,
        custom_fields::text, CASE WHEN custom_fields <> '{{}}' THEN
            (SELECT jsonb_object_agg(key, value)::text FROM jsonb_each_text(custom_fields)) END
    FROM clients WHERE organization_id = %(organization)s AND id = ANY(%(ids)s) AND deleted_at IS NULL ORDER BY id
"""  # noqa: S608 - the names of columns are this module's own
# What a client is known by: its domain, its folded name, both.
_DOMAIN, _NAME, _PAIR, _SEPARATOR = "\x1fdomain ", "\x1fname ", "\x1fpair ", "\x1f"


class NoClientColumns(NoColumns):
    code = "NO_CLIENT_COLUMNS"
    message = "No column of the file holds names, domains or websites of companies. Name one of them name or domain."


class ClientRecords(Records):
    """Clients: known by name and domain, else by domain, else by name where the domain says nothing against it."""

    model = Client
    changes_table = "client_changes"
    changes_column = "client_id"
    fields = CLIENT_FIELDS
    taken = (
        "name",
        "Another client has this name or domain",
        "Correct the name or the domain, or leave the column with the id out.",
    )

    def check_reachable(self, mapping: Columns) -> None:
        if not mapping.fields.keys() & {"name", "domain", "website"}:
            raise NoClientColumns

    def clean(
        self, rows: Sequence[Row], mapping: Columns, *, region: str, options: Options
    ) -> tuple[list[Incoming], list[Rejected]]:
        return clean_companies(rows, mapping, region=region, validate_phones=options.validate_phones)

    def prepare(self, rows: Sequence[Incoming], options: Options, definitions: Definitions) -> list[Candidate]:
        for client in rows:
            if options.tags:
                client.tags = list(dict.fromkeys((*client.tags, *options.tags)))
        ids = uuid7_series(len(rows))
        return [
            Candidate(client, new_id, self.new_line(client, definitions), "", ())
            for client, new_id in zip(rows, ids, strict=True)
        ]

    def identify(self, candidates: Sequence[Candidate]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_FOLD, [[each.contact.values.get("name", "") for each in candidates]])
            names = [row[0] for row in cursor.fetchall()]
        for candidate, name in zip(candidates, names, strict=True):
            domain = candidate.contact.values.get("domain", "")
            if not name:
                # Should it be new, it is called by its domain.
                candidate.key = _DOMAIN + domain if domain else ""
                candidate.marks = (_pair(domain, domain), _NAME + domain) if domain else ()
                continue
            candidate.key = _pair(name, domain)
            candidate.otherwise = (_DOMAIN + domain, _pair(name, "")) if domain else (_NAME + name,)
            candidate.marks = (_NAME + name, _DOMAIN + domain) if domain else (_NAME + name,)

    def find_known(
        self, organization_id: uuid.UUID, candidates: Sequence[Candidate], options: Options
    ) -> dict[str, uuid.UUID]:
        sought = {mark for each in candidates for mark in (each.key, *each.otherwise) if mark}
        pairs = [mark.removeprefix(_PAIR).split(_SEPARATOR) for mark in sought if mark.startswith(_PAIR)]
        ids = [each.contact.id for each in candidates if each.contact.id] if "id" in options.match_keys else []
        wanted: list[tuple[str, str, list[str]]] = [
            (_FIND_DOMAINS, _DOMAIN, [mark.removeprefix(_DOMAIN) for mark in sought if mark.startswith(_DOMAIN)]),
            (_FIND_NAMES, _NAME, [mark.removeprefix(_NAME) for mark in sought if mark.startswith(_NAME)]),
            (_FIND_IDS, ID_MARK, ids),
        ]
        found: dict[str, uuid.UUID] = {}
        with connection.cursor() as cursor:
            if pairs:
                values = {"names": [name for name, _ in pairs], "domains": [domain for _, domain in pairs]}
                cursor.execute(_FIND_PAIRS, values | {"organization": organization_id, "separator": _SEPARATOR})
                found |= {_PAIR + mark: client_id for mark, client_id in cursor.fetchall()}
            for query, prefix, sought_values in wanted:
                if sought_values:
                    cursor.execute(query, {"organization": organization_id, "values": sought_values})
                    found |= {prefix + value: client_id for value, client_id in cursor.fetchall()}
        return found

    def read_known(
        self, organization_id: uuid.UUID, record_ids: Iterable[uuid.UUID], *, lock: bool
    ) -> dict[uuid.UUID, Known]:
        ids = list(set(record_ids))
        if not ids:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(_READ + ("FOR NO KEY UPDATE" if lock else ""), {"organization": organization_id, "ids": ids})
            rows = cursor.fetchall()
        known: dict[uuid.UUID, Known] = {}
        for client_id, phone, email, *texts, revenue, tags, custom_fields, shown in rows:
            values = dict(zip(_TEXTS, texts, strict=True)) | {"annual_revenue": revenue}
            custom = {name: value or "" for name, value in orjson.loads(shown).items()} if shown else {}
            client = Incoming(0, phone, "", email, values, tags, custom)
            known[client_id] = Known(client, orjson.loads(custom_fields) if shown else {})
        return known

    def is_taken(
        self, candidate: Candidate, record_id: uuid.UUID | None, known: Mapping[str, uuid.UUID], options: Options
    ) -> bool:
        """Only a row that says by its id who it is can meet another who has its name or domain."""
        if record_id is None or not candidate.contact.id or known.get(ID_MARK + candidate.contact.id) != record_id:
            return False
        if options.policy_of("name") == options.policy_of("domain") == "skip":
            return False
        marks = (candidate.key, *candidate.otherwise)
        return any(known.get(mark, record_id) != record_id for mark in marks)

    def line(self, record: Incoming, custom_fields: dict[str, Any]) -> str:
        value = record.values.get
        return copy_line(
            [
                record.phone or "",
                record.email,
                *[value(name, "") or (value("domain", "") if name == "name" else "") for name in _TEXTS],
                value("annual_revenue", ""),
                array_literal(record.tags) if record.tags else "{}",
                orjson.dumps(custom_fields).decode() if custom_fields else "{}",
            ]
        )

    def values(self, job: ContactImport) -> dict[str, Any]:
        return {"organization": job.organization_id, "user": job.created_by_id, "job": job.id}

    def write(self, plan: Plan, values: dict[str, Any], definitions: Definitions) -> bool:
        with connection.cursor() as cursor:
            if plan.new:
                copy_lines_to_temporary_table("incoming_clients", _STAGED, _staged(plan.new))
                cursor.execute(_INSERT, values)
                if cursor.fetchone() != (len(plan.new),):
                    return False
            if plan.changes:
                lines = (
                    f"{client_id}\t{self.changed_line(known, definitions)}" for client_id, known in plan.changes.items()
                )
                copy_lines_to_temporary_table("changed_clients", _STAGED, lines)
                try:
                    cursor.execute(_UPDATE, values)
                except IntegrityError as error:
                    if "one_client_per_name_and_domain" not in str(error):
                        raise
                    return False
        return True

    def announce(self, job: ContactImport, plan: Plan) -> None:
        changed = [*plan.new, *plan.changes]
        announce_clients("imported", changed, {None} | (_owners_of(plan.changes) if plan.changes else set()))

    def in_use(self, record_ids: list[uuid.UUID]) -> set[uuid.UUID]:
        found: set[uuid.UUID] = set()
        with connection.cursor() as cursor:
            for pointer in pointers(Client):
                cursor.execute(
                    f"SELECT DISTINCT {pointer.column} FROM {pointer.table}"  # noqa: S608 - names of models
                    f" WHERE {pointer.column} = ANY(%s)",
                    [record_ids],
                )
                found |= {row[0] for row in cursor.fetchall()}
        return found

    def announce_undone(self, job: ContactImport, action: str, record_ids: Iterable[uuid.UUID]) -> None:
        record_ids = list(record_ids)
        announce_clients(action, record_ids, _owners_of(record_ids))


CLIENTS = ClientRecords()


def _pair(name: str, domain: str) -> str:
    return f"{_PAIR}{name}{_SEPARATOR}{domain}"


def _staged(candidates: dict[uuid.UUID, Candidate]) -> Iterator[str]:
    return (f"{client_id}\t{candidate.line}" for client_id, candidate in candidates.items())


def _owners_of(client_ids: Iterable[uuid.UUID]) -> set[uuid.UUID | None]:
    return set(Client.objects.filter(pk__in=client_ids).values_list("assigned_to_id", flat=True))
