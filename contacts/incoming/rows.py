"""Judge and clean rows, a chunk at a time: which are contacts, and why the others are not."""

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contacts.incoming.countries import country_code
from contacts.incoming.fixes import email_fix, phone_fix
from contacts.incoming.mapping import TEXT_FIELDS, Mapping
from contacts.phones import INVALID, Phone, normalize_many
from contacts.tabular import Row
from vocelio.formulas import restored

MAX_EMAIL_CHARS = 320
MAX_TAG_CHARS = 100
MAX_EXTENSION_CHARS = 20

_EMAIL = re.compile(r"[^@\s,;<>\"()]+@[^@\s.,;<>\"()]+(?:\.[^@\s.,;<>\"()]+)+")
_NAMED_EMAIL = re.compile(r".*<([^<>]*)>")
# Google Contacts joins several values of one cell by " ::: " and marks its own groups by "* ".
_SEPARATOR = ":::"
_TAGS = re.compile(r":::|[;,]")
STATUSES = frozenset(("active", "inactive"))
_NOBODY = "Neither a phone number nor an e-mail address"


@dataclass(slots=True)
class Incoming:
    """A row that is a contact; `values` and `custom_fields` hold only cells that are not blank."""

    row: int
    phone: str | None
    phone_extension: str
    email: str
    values: dict[str, str]
    tags: list[str]
    custom_fields: dict[str, str]
    # The contact's own id, where the file names it.
    id: str = ""


class Rejected(NamedTuple):
    """A row that is no contact: where it stands, which field is to blame, why, its cells as they were, what may help."""

    row: int
    field: str
    error: str
    cells: list[str]
    fix: str = ""


def clean_rows(
    rows: Sequence[Row], mapping: Mapping, *, region: str, validate_phones: bool
) -> tuple[list[Incoming], list[Rejected]]:
    """Return the contacts and the rejections of some rows, each in the order of the file.

    A contact needs a valid phone number or a valid e-mail address. With `validate_phones` an invalid number rejects
    its row; without, numbers need only be dialable, and one that is not stays as a custom field beside the address.
    """
    rejected = [
        Rejected(row.number, "", f"The row {row.problem}", row.cells, "Correct the row in the file it comes from.")
        for row in rows
        if row.problem
    ]
    readable = [row for row in rows if not row.problem]
    if not readable:
        return [], rejected
    columns = _Columns(readable, mapping)
    phones = normalize_many(columns["phone"], region, allow_unverified=not validate_phones)
    incoming: list[Incoming] = []
    for at, (row, phone, phone_cell, email_cell) in enumerate(
        zip(readable, phones, columns["phone"], columns["email"], strict=True)
    ):
        custom_fields = columns.custom_fields(at)
        number, extension, reason = (*phone, "") if isinstance(phone, Phone) else (None, "", phone.reason)
        email = clean_email(email_cell)
        if number is None and phone_cell:
            if validate_phones or not email:
                fix = phone_fix(phone_cell, reason, region)
                rejected.append(Rejected(row.number, "phone", f"{INVALID}: {reason}", row.cells, fix))
                continue
            custom_fields[columns.header("phone")] = phone_cell
        if not email and email_cell:
            if number is None:
                fix = email_fix(email_cell)
                rejected.append(Rejected(row.number, "email", "Invalid e-mail address", row.cells, fix))
                continue
            custom_fields[columns.header("email")] = email_cell
        if number is None and not email:
            fix = "Fill in a phone number or an e-mail address."
            rejected.append(Rejected(row.number, "", _NOBODY, row.cells, fix))
            continue
        tags = columns.tags(at)
        if problem := columns.too_long(at, tags):
            rejected.append(Rejected(row.number, *problem, row.cells, "Shorten the value."))
            continue
        values = columns.values(at, custom_fields)
        incoming.append(
            Incoming(
                row.number,
                number,
                (columns.extensions[at] or extension)[:MAX_EXTENSION_CHARS],
                email,
                values,
                tags,
                custom_fields,
                columns.id(at) if columns.ids[at] else "",
            )
        )
    rejected.sort(key=lambda each: each.row)
    return incoming, rejected


def clean_email(cell: str) -> str:
    """Return the first e-mail address of a cell in lower case; empty when it holds none."""
    if not cell:
        return ""
    text = cell.partition(_SEPARATOR)[0].strip()
    if named := _NAMED_EMAIL.fullmatch(text):
        text = named[1]
    text = text.removeprefix("mailto:").lower()
    return text if len(text) <= MAX_EMAIL_CHARS and _EMAIL.fullmatch(text) else ""


def split_tags(cell: str) -> list[str]:
    """Return the tags of a cell, each once; a JSON array of texts keeps separators within tags."""
    if cell.startswith('["'):
        try:
            return list(dict.fromkeys(str(tag).strip() for tag in json.loads(cell) if str(tag).strip()))
        except ValueError:
            pass
    tags = (tag.strip().lstrip("* ") for tag in _TAGS.split(cell))
    return list(dict.fromkeys(tag for tag in tags if tag))


class _Columns:
    """The stripped cells of some rows, column by column: whole columns are judged at once."""

    def __init__(self, rows: Sequence[Row], mapping: Mapping) -> None:
        self._mapping = mapping
        self._by_index = [
            [cell.strip() for cell in column] for column in zip(*(row.cells for row in rows), strict=True)
        ]
        for index, column in enumerate(self._by_index):
            # Few columns have a protected cell; the others pay for one search.
            if "\0'" in "\0".join(["", *column]):
                self._by_index[index] = [restored(cell).strip() for cell in column]
        self._blank = [""] * len(rows)
        self._texts = [(field, self[field]) for field in TEXT_FIELDS if field in mapping.fields]
        self._custom = [(header, self._by_index[index]) for header, index in mapping.custom.items()]
        self._custom = [(header, column) for header, column in self._custom if any(column)]
        self._full_names, self._countries, self._tags = self["full_name"], self["country"], self["tags"]
        self.ids, self.extensions, self._statuses = self["id"], self["phone_extension"], self["status"]
        # Few chunks have a value too long; the others pay one max() per column.
        self._limited = [
            (field, column, limit)
            for field, column in self._texts
            if (limit := TEXT_FIELDS[field]) is not None and max(map(len, column)) > limit
        ]

    def __getitem__(self, field: str) -> list[str]:
        index = self._mapping.fields.get(field)
        return self._blank if index is None else self._by_index[index]

    def header(self, field: str) -> str:
        return self._mapping.columns[self._mapping.fields[field]][0]

    def custom_fields(self, at: int) -> dict[str, str]:
        return {header: column[at] for header, column in self._custom if column[at]}

    def tags(self, at: int) -> list[str]:
        cell = self._tags[at]
        return split_tags(cell) if cell else []

    def id(self, at: int) -> str:
        """Return the contact's id; empty when the cell holds none."""
        try:
            return str(uuid.UUID(self.ids[at]))
        except ValueError:
            return ""

    def values(self, at: int, custom_fields: dict[str, str]) -> dict[str, str]:
        """Return the row's plain fields; a country or status nobody knows goes to the custom fields."""
        values = {field: column[at] for field, column in self._texts if column[at]}
        full_name = self._full_names[at]
        if full_name and "first_name" not in values and "last_name" not in values:
            values |= split_name(full_name)
        country = self._countries[at]
        if country:
            if code := country_code(country):
                values["country"] = code
            else:
                custom_fields[self.header("country")] = country
        if status := self._statuses[at]:
            if status.lower() in STATUSES:
                values["status"] = status.lower()
            else:
                custom_fields[self.header("status")] = status
        return values

    def too_long(self, at: int, tags: list[str]) -> tuple[str, str] | None:
        """Return the field and the reason when a value does not fit."""
        for field, column, limit in self._limited:
            if len(column[at]) > limit:
                return field, f"{self.header(field)} is longer than {limit} characters"
        if any(len(tag) > MAX_TAG_CHARS for tag in tags):
            return "tags", f"A tag is longer than {MAX_TAG_CHARS} characters"
        if self._full_names[at] and any(len(part) > 100 for part in split_name(self._full_names[at]).values()):
            return "full_name", f"{self.header('full_name')} is longer than 100 characters"
        return None


def split_name(full_name: str) -> dict[str, str]:
    """Return first and last name: the first word and the rest, or "Last, First" turned round."""
    last, comma, first = full_name.partition(",")
    if not comma:
        first, _, last = full_name.partition(" ")
    names = {"first_name": first.strip(), "last_name": last.strip()}
    return {field: name for field, name in names.items() if name}
