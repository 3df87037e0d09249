"""Our fields: which can be mapped, and how a CRM's value is read into our spelling."""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contacts.incoming.companies import web_address
from contacts.incoming.countries import country_code
from contacts.incoming.domains import domain_of
from contacts.incoming.rows import clean_email
from contacts.models import Client, Contact
from contacts.phones import Phone, normalize_many
from crm_sync.providers.values import FieldType, RemoteField, RemoteRecord, Value

# True for who said no; they only ever become true.
TIGHTENING = {"doNotCall": "call", "emailOptOut": "email"}
CUSTOM = "customFields."
MAX_TAGS = 100
# Texts that are spelled in one way only.
SPELLINGS: dict[str, tuple[Callable[[str], str | None], str]] = {
    "email": (clean_email, "Not an e-mail address."),
    "country": (country_code, "Not a country."),
    "website": (web_address, "Not a web address."),
    "linkedinUrl": (web_address, "Not a web address."),
    "domain": (domain_of, "Not a domain."),
}
# Addresses by channel of people who said no.
Refused = Mapping[str, set[str]]
NOBODY: Refused = {"call": set(), "email": set()}


@dataclass(frozen=True)
class Unusable:
    """A value of the CRM's that ours cannot hold: neither taken nor overwritten."""

    reason: str


def canonical(value: Any) -> Value:
    """Return the value as both sides compare it: blanks as None, whole numbers as such, options sorted."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, (list, tuple)):
        options = {str(item).strip() for item in value}
        return tuple(sorted(options - {""})) or None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return str(value)


def restored(value: Any) -> Value:
    """Return a stored value of a baseline: JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Fields:
    """What of one kind of our records can be mapped, and how it is read and written.

    `texts` holds the column of a field and the most characters of it, `others` are fields of a shape of their own. One
    of `needed` has to be mapped; values of `identity` can belong to another record. `no_phone` is what a record without
    a number stores.
    """

    texts: Mapping[str, tuple[str, int]]
    others: tuple[str, ...]
    needed: tuple[str, ...]
    identity: tuple[str, ...]
    no_phone: str | None

    @property
    def plain(self) -> list[str]:
        """Return all names but custom fields'."""
        return [*self.texts, *self.others]

    def knows(self, name: str) -> bool:
        """Say whether there is such a field, custom ones included."""
        return name in self.plain or bool(re.fullmatch(r"customFields\.[^\0]{1,100}", name))

    def local_values(self, ours: Contact | Client, names: Iterable[str], refused: Refused = NOBODY) -> dict[str, Value]:
        """Return a record's values of these fields; `refused` are the addresses of who said no."""
        values: dict[str, Value] = {}
        for name in names:
            if name in self.texts:
                values[name] = canonical(getattr(ours, self.texts[name][0]))
            elif name == "phone":
                values[name] = ours.phone or None
            elif name == "tags":
                values[name] = canonical(ours.tags)
            elif name in TIGHTENING:
                address = ours.phone if name == "doNotCall" else ours.email
                values[name] = bool(address) and address in refused[TIGHTENING[name]]
            else:
                values[name] = canonical(ours.custom_fields.get(name.removeprefix(CUSTOM)))
        return values

    def read_remote(
        self, records: Iterable[RemoteRecord], mapping: Mapping[str, str], types: Mapping[str, RemoteField], region: str
    ) -> list[dict[str, Value | Unusable]]:
        """Return each record's values by our names and in our spelling; `mapping` pairs our names with the CRM's."""
        rows: list[dict[str, Value | Unusable]] = []
        for record in records:
            rows.append(
                {
                    ours: self._text(ours, canonical(record.values.get(theirs)), types.get(theirs))
                    for ours, theirs in mapping.items()
                }
            )
        if "phone" in mapping:
            texts = [str(row["phone"] or "") for row in rows]
            for row, text, phone in zip(rows, texts, normalize_many(texts, region), strict=True):
                if not text:
                    row["phone"] = None
                elif isinstance(phone, Phone):
                    row["phone"] = phone.e164
                else:
                    row["phone"] = Unusable(f"Not a phone number: {phone.reason}.")
        return rows

    def whole_row(
        self, record_id: uuid.UUID, ours: Contact | Client | None, changes: Mapping[str, Value]
    ) -> dict[str, Any]:
        """Return a whole row as the batches of `contacts.services` take it, with these fields changed."""
        row: dict[str, Any] = {"id": record_id, "phone": ours.phone if ours else self.no_phone}
        for column, _ in self.texts.values():
            row[column] = getattr(ours, column) if ours else ""
        row["tags"] = ours.tags if ours else []
        row["custom_fields"] = dict(ours.custom_fields) if ours else {}
        for name, value in changes.items():
            if name in self.texts:
                row[self.texts[name][0]] = value or ""
            elif name == "phone":
                row["phone"] = value or self.no_phone
            elif name == "tags":
                row["tags"] = list(value) if isinstance(value, tuple) else []
            elif name.startswith(CUSTOM):
                key = name.removeprefix(CUSTOM)
                if value is None:
                    row["custom_fields"].pop(key, None)
                else:
                    row["custom_fields"][key] = list(value) if isinstance(value, tuple) else value
        return row

    def _text(self, name: str, value: Value, remote: RemoteField | None) -> Value | Unusable:
        """Return one value in our spelling, phones excepted, which are read all at once."""
        if name in TIGHTENING:
            return value in (True, "true", "True", "1", 1, "Yes", "yes")
        if value is None or name == "phone":
            return value
        if name == "tags":
            tags = value if isinstance(value, tuple) else canonical(re.split(r"[;,]", str(value)))
            assert isinstance(tags, tuple) or tags is None  # noqa: S101 - canonical() of a list
            if tags and (len(tags) > MAX_TAGS or any(len(tag) > 100 for tag in tags)):
                return Unusable(f"More than {MAX_TAGS} tags, or one of more than 100 characters.")
            return tags
        if name.startswith(CUSTOM):
            if remote is not None and remote.type == FieldType.NUMBER and isinstance(value, str):
                return _number(value)
            return value
        text = ", ".join(value) if isinstance(value, tuple) else str(value)
        if "\0" in text:
            return Unusable("Contains a NUL character.")
        if name in SPELLINGS:
            spell, problem = SPELLINGS[name]
            return spell(text) or Unusable(problem)
        limit = self.texts[name][1]
        return text if len(text) <= limit else Unusable(f"Longer than {limit} characters.")


def _number(text: str) -> Value:
    try:
        return canonical(float(text))
    except ValueError:
        return text


def problem_of(field: RemoteField | None, value: Value) -> str:
    """Return why the CRM would not take this value; empty when nothing speaks against it."""
    if field is None:
        return "The CRM has no such field any more."
    if value is None:
        return f"{field.label} must not be empty." if field.is_required else ""
    if field.max_length is not None and isinstance(value, str) and len(value) > field.max_length:
        return f"{field.label} holds at most {field.max_length} characters."
    if field.type == FieldType.NUMBER and not isinstance(value, (int, float)):
        return f"{field.label} takes numbers only." if isinstance(_number(str(value)), str) else ""
    if field.choices and field.type in (FieldType.CHOICE, FieldType.CHOICES):
        allowed = {choice.value for choice in field.choices}
        given = value if isinstance(value, tuple) else (str(value),)
        if not allowed.issuperset(given):
            return f"{field.label} has no such choice."
    return ""
