"""Zoho's own words: names, limits, and values as it writes them."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    check_names,
    read_time,
)
from crm_sync.providers.values import (
    FieldType,
    Kind,
    Operation,
    Value,
    Values,
)

CRM = "/crm/v8"
# Data centre: the accounts server and the domain of the API.
CENTRES = {
    "us": ("https://accounts.zoho.com", "https://www.zohoapis.com"),
    "eu": ("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    "in": ("https://accounts.zoho.in", "https://www.zohoapis.in"),
    "au": ("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
    "jp": ("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
    "ca": ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    "sa": ("https://accounts.zoho.sa", "https://www.zohoapis.sa"),
    "cn": ("https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
}
SCOPES = (
    "ZohoCRM.modules.contacts.ALL",
    "ZohoCRM.modules.accounts.ALL",
    "ZohoCRM.settings.fields.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.coql.READ",
    "ZohoCRM.notifications.ALL",
)
# Rows of a COQL query; by offset it ends at 100,000 and a list at 2,000 with a token that lives a day: we go by key.
PAGE = 2000
# Fields that a query or a request may name.
FIELDS = 50
ROWS = 100
# Credits: a query of up to 2,000 rows; rows written for one.
QUERY_CREDITS, ROWS_PER_CREDIT = 3, 10
# Credits of 24 hours and calls at once, by edition.
EDITIONS = {
    "free": (5_000, 5),
    "standard": (50_000, 10),
    "professional": (50_000, 15),
    "enterprise": (50_000, 20),
    "ultimate": (50_000, 25),
}
CHANNEL = timedelta(days=7)
TYPES = {
    "boolean": FieldType.BOOLEAN,
    "integer": FieldType.NUMBER,
    "bigint": FieldType.NUMBER,
    "double": FieldType.NUMBER,
    "currency": FieldType.NUMBER,
    "percent": FieldType.NUMBER,
    "date": FieldType.DATE,
    "datetime": FieldType.TIME,
    "email": FieldType.EMAIL,
    "phone": FieldType.PHONE,
    "picklist": FieldType.CHOICE,
    "multiselectpicklist": FieldType.CHOICES,
    "lookup": FieldType.REFERENCE,
    "ownerlookup": FieldType.REFERENCE,
}
# Types that are no values, or that a query cannot name.
UNREAD = {"subform", "fileupload", "imageupload", "profileimage", "consent_lookup", "multiselectlookup", "rich_text"}
# The company's name, read through the contact's account: as a query says it, and as a record shows it.
ACCOUNT_NAME = "Account_Name.Account_Name"
MODULES = {"Contacts": Kind.CONTACTS, "Accounts": Kind.COMPANIES}
BATCH = {Operation.CREATE: ROWS, Operation.UPDATE: ROWS, Operation.DELETE: ROWS}


def centre(name: str) -> tuple[str, str]:
    return CENTRES.get(name.strip().lower(), CENTRES["us"])


def id_field(remote: Remote) -> str:
    name = remote.options.get("id_field") or "Vocelio_Id"
    check_names([name])
    return name


def token(secret: str) -> str:
    """Return what Zoho repeats: at most 50 characters, whatever the secret's length."""
    return hashlib.sha256(secret.encode()).hexdigest()[:48]


def written_time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def quoted(value: str) -> str:
    escaped = re.sub(r"(['\\])", r"\\\1", value)
    return f"'{escaped}'"


def read(row: Mapping[str, Any], name: str, field: Mapping[str, Any]) -> Value:
    # A query answers with the whole name, a record with the lookup that its first part names.
    value = row.get(name, row.get(name.partition(".")[0]))
    if isinstance(value, Mapping):
        value = value.get("name" if "." in name else "id")
    if value is None or value == "":
        return None
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    if field.get("data_type") == "datetime":
        moment = read_time(value)
        return moment.isoformat() if moment else str(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def written(values: Values) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
