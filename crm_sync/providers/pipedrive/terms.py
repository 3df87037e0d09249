"""Pipedrive's own words: names, limits, and values as it writes them."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sync.providers.texts import (
    read_time,
)
from crm_sync.providers.values import (
    FieldType,
    Kind,
    Value,
)

API = "https://api.pipedrive.com"
LOGIN = "https://oauth.pipedrive.com"
PAGE = 500
# Tokens that a call costs.
LIST, GET, WRITE, REMOVE, SEARCH = 10, 1, 5, 3, 20
# Multiplier of the daily budget, and calls in 2 seconds with a pasted token and with OAuth.
PLANS = {"lite": (1, 20, 80), "growth": (2, 40, 160), "premium": (5, 80, 320), "ultimate": (7, 120, 480)}
BUDGET = 30_000
# Longer than a create that was not answered can still be on its way.
IN_FLIGHT = timedelta(seconds=15)
# Our clock and theirs may differ by this much.
SKEW = timedelta(seconds=120)
ENTITIES = {"person": Kind.CONTACTS, "organization": Kind.COMPANIES}
NAMES = {kind: name for name, kind in ENTITIES.items()}
USER = "vocelio"
CUSTOM = re.compile(r"[0-9a-f]{40}")
TYPES = {
    "double": FieldType.NUMBER,
    "int": FieldType.NUMBER,
    "monetary": FieldType.NUMBER,
    "date": FieldType.DATE,
    "enum": FieldType.CHOICE,
    "set": FieldType.CHOICES,
    "phone": FieldType.PHONE,
    "org": FieldType.REFERENCE,
    "people": FieldType.REFERENCE,
    "user": FieldType.REFERENCE,
}
# Lists of which the primary entry is a field; a field's name, the list's, and the field's type.
PRIMARY = {"email": ("emails", FieldType.EMAIL), "phone": ("phones", FieldType.PHONE)}


# Whether a person unsubscribed from campaigns, a text among others over there.
OPT_OUT = "marketing_status.unsubscribed"


def beside(names: Sequence[str]) -> dict[str, str]:
    """Return what asks for fields that are told on request only."""
    return {"include_fields": "marketing_status"} if OPT_OUT in names else {}


def cursor(body: Mapping[str, Any]) -> str:
    return str((body.get("additional_data") or {}).get("next_cursor") or "")


def changed(row: Mapping[str, Any]) -> datetime | None:
    return read_time(row.get("update_time")) or read_time(row.get("add_time"))


def read(row: Mapping[str, Any], name: str, type: Mapping[str, Any]) -> Value:
    if name in PRIMARY:
        entries = row.get(PRIMARY[name][0]) or []
        first = next((entry for entry in entries if entry.get("primary")), entries[0] if entries else {})
        return first.get("value") or None
    if name == OPT_OUT:
        return bool(row.get("marketing_status") == "unsubscribed")
    value = (row.get("custom_fields") or {}).get(name) if CUSTOM.fullmatch(name) else row.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    if value is None or value == "":
        return None
    if isinstance(value, (list, tuple)):
        return tuple(str(part) for part in value)
    if type.get("field_type") in ("enum", "org", "people", "user"):
        return str(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def coded(value: Value, type: Mapping[str, Any]) -> Any:
    """Write options by their numbers, as version 2 demands."""
    if type.get("field_type") == "set":
        return [int(part) for part in value] if isinstance(value, tuple) else None
    if type.get("field_type") == "enum":
        return int(str(value)) if value and str(value).isdigit() else value
    return list(value) if isinstance(value, tuple) else value


def field(error: Mapping[str, Any]) -> str:
    details = error.get("additional_data") or {}
    return str(details.get("field") or "") if isinstance(details, Mapping) else ""


def midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
