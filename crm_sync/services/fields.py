"""Our fields: which can be mapped, and how a CRM's value is read into our spelling."""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contacts.incoming.countries import country_code
from contacts.incoming.rows import clean_email
from contacts.models import Contact
from contacts.phones import Phone, normalize_many
from crm_sync.providers.values import FieldType, RemoteField, RemoteRecord, Value

# Ours by API name: the contact's column and the most characters it holds.
TEXT_FIELDS: dict[str, tuple[str, int]] = {
    "firstName": ("first_name", 100),
    "lastName": ("last_name", 100),
    "email": ("email", 320),
    "phoneExtension": ("phone_extension", 20),
    "company": ("company", 255),
    "title": ("title", 100),
    "address": ("address", 1_000),
    "city": ("city", 100),
    "state": ("state", 50),
    "zip": ("zip", 20),
    "country": ("country", 2),
    "notes": ("notes", 20_000),
}
# True for who said no; they only ever become true.
TIGHTENING = {"doNotCall": "call", "emailOptOut": "email"}
PLAIN_FIELDS = [*TEXT_FIELDS, "phone", "tags", *TIGHTENING]
CUSTOM = "customFields."
MAX_TAGS = 100


@dataclass(frozen=True)
class Unusable:
    """A value of the CRM's that ours cannot hold: neither taken nor overwritten."""

    reason: str


def is_local_field(name: str) -> bool:
    """Say whether a contact has such a field, custom ones included."""
    return name in PLAIN_FIELDS or bool(re.fullmatch(r"customFields\.[^\0]{1,100}", name))


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


def local_values(contact: Contact, names: Iterable[str], opted_out: Mapping[str, set[str]]) -> dict[str, Value]:
    """Return a contact's values of these fields; `opted_out` holds addresses by channel."""
    values: dict[str, Value] = {}
    for name in names:
        if name in TEXT_FIELDS:
            values[name] = canonical(getattr(contact, TEXT_FIELDS[name][0]))
        elif name == "phone":
            values[name] = contact.phone or None
        elif name == "tags":
            values[name] = canonical(contact.tags)
        elif name in TIGHTENING:
            address = contact.phone if name == "doNotCall" else contact.email
            values[name] = bool(address) and address in opted_out[TIGHTENING[name]]
        else:
            values[name] = canonical(contact.custom_fields.get(name.removeprefix(CUSTOM)))
    return values


def read_remote(
    records: Iterable[RemoteRecord], mapping: Mapping[str, str], types: Mapping[str, RemoteField], region: str
) -> list[dict[str, Value | Unusable]]:
    """Return each record's values by our names and in our spelling; `mapping` pairs our names with the CRM's."""
    rows: list[dict[str, Value | Unusable]] = []
    for record in records:
        rows.append(
            {
                ours: _text(ours, canonical(record.values.get(theirs)), types.get(theirs))
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


def _text(name: str, value: Value, remote: RemoteField | None) -> Value | Unusable:
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
    if name == "email":
        return clean_email(text) or Unusable("Not an e-mail address.")
    if name == "country":
        return country_code(text) or Unusable("Not a country.")
    limit = TEXT_FIELDS[name][1]
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


def whole_row(contact_id: uuid.UUID, contact: Contact | None, changes: Mapping[str, Value]) -> dict[str, Any]:
    """Return a contact's whole row as `contacts.services.batches` takes it, with these fields changed."""
    row: dict[str, Any] = {"id": contact_id, "phone": contact.phone if contact else None}
    for column, _ in TEXT_FIELDS.values():
        row[column] = getattr(contact, column) if contact else ""
    row["tags"] = contact.tags if contact else []
    row["custom_fields"] = dict(contact.custom_fields) if contact else {}
    for name, value in changes.items():
        if name in TEXT_FIELDS:
            row[TEXT_FIELDS[name][0]] = value or ""
        elif name == "phone":
            row["phone"] = value
        elif name == "tags":
            row["tags"] = list(value) if isinstance(value, tuple) else []
        elif name.startswith(CUSTOM):
            key = name.removeprefix(CUSTOM)
            if value is None:
                row["custom_fields"].pop(key, None)
            else:
                row["custom_fields"][key] = list(value) if isinstance(value, tuple) else value
    return row
