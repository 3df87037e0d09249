"""HubSpot's own words: names, limits, and values as it writes them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    clip,
)
from crm_sync.providers.values import (
    FieldType,
    Kind,
    Merged,
    Outcome,
    PushItem,
    PushResult,
    Values,
)
from vocelio.plugins import PluginError

API = "https://api.hubapi.com"
SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.schemas.contacts.read",
    "crm.schemas.companies.read",
)
# Asked for where the account can grant them: many unsubscribed at a time need Marketing Hub Enterprise.
OPTIONAL_SCOPES = ("communication_preferences.read_write", "communication_preferences.statuses.batch.write")
# Read only as a property; told through subscriptions.
OPT_OUT = "hs_email_optout"
PAGE = 100
SEARCH_PAGE = 200
# Archived records can be listed, and restored, for this long.
ARCHIVE = timedelta(days=90)
# What a winner tells of the records it took in.
MERGED_IDS = "hs_merged_object_ids"
# The property of the last change: contacts alone have it without the prefix.
CHANGED = {Kind.CONTACTS: "lastmodifieddate", Kind.COMPANIES: "hs_lastmodifieddate"}
# Requests in 10 seconds and in a day of a service key, by plan; an OAuth app has 110 in 10 seconds whatever the plan.
PLANS = {"starter": (100, 250_000), "professional": (190, 650_000), "enterprise": (190, 1_000_000)}
TYPES = {
    "bool": FieldType.BOOLEAN,
    "number": FieldType.NUMBER,
    "date": FieldType.DATE,
    "datetime": FieldType.TIME,
    "enumeration": FieldType.CHOICE,
    "phone_number": FieldType.PHONE,
}
# Percent-encodings that HubSpot decodes before it signs an address.
DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
OBJECTS = {"contact": Kind.CONTACTS, "0-1": Kind.CONTACTS, "company": Kind.COMPANIES, "0-2": Kind.COMPANIES}
CHANGES = {
    "creation": "changed", "propertyChange": "changed", "restore": "changed", "associationChange": "changed",
    "deletion": "deleted", "privacyDeletion": "deleted", "merge": "merged",
}  # fmt: skip


def version(remote: Remote) -> str:
    version = remote.options.get("api_version") or "2026-03"
    if not re.fullmatch(r"20\d\d-\d\d", version):
        raise PluginError(
            "HubSpot's API version is a year and a month, e.g. 2026-03.", permanent=True, code="BAD_OPTION"
        )
    return version


def id_property(remote: Remote) -> str:
    return remote.options.get("id_property") or "vocelio_id"


def milliseconds(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def merges(rows: Any) -> list[Merged]:
    """Return the merges that winners tell of: the merged ids themselves are found nowhere."""
    return [
        Merged(loser.strip(), str(row["id"]))
        for row in rows
        for loser in str((row.get("properties") or {}).get(MERGED_IDS) or "").split(";")
        if loser.strip()
    ]


def written(values: Values) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            written[name] = ""
        elif isinstance(value, bool):
            written[name] = str(value).lower()
        elif isinstance(value, tuple):
            written[name] = ";".join(value)
        else:
            written[name] = str(value)
    return written


def failed(item: PushItem, error: Mapping[str, Any], code: str) -> PushResult:
    message = str(error.get("message", ""))
    existing = re.search(r"Existing ID: (\d+)", message)
    if existing or code == "CONFLICT":
        found = existing[1] if existing else ""
        return PushResult(item.key, Outcome.DUPLICATE, remote_id=found, code=code, message=clip(message))
    field = ""
    for detail in error.get("errors") or ():
        context = detail.get("context") or {}
        field = field or str((context.get("propertyName") or [""])[0])
    return PushResult(item.key, Outcome.REJECTED, code=code, message=clip(message), field=field)
