"""Salesforce's own words: names, limits, and values as it writes them."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
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
from vocelio.plugins import PluginError

VERSION = "v64.0"
DATA = f"/services/data/{VERSION}"
PAGE = 2000
# Ids that fit in the address of a query beside its fields.
IDS = 200
BATCH = {Operation.CREATE: 200, Operation.UPDATE: 200, Operation.DELETE: 200}
TYPES = {
    "boolean": FieldType.BOOLEAN,
    "int": FieldType.NUMBER,
    "double": FieldType.NUMBER,
    "currency": FieldType.NUMBER,
    "percent": FieldType.NUMBER,
    "date": FieldType.DATE,
    "datetime": FieldType.TIME,
    "email": FieldType.EMAIL,
    "phone": FieldType.PHONE,
    "picklist": FieldType.CHOICE,
    "combobox": FieldType.CHOICE,
    "multipicklist": FieldType.CHOICES,
    "reference": FieldType.REFERENCE,
}
# Compound fields repeat what their parts say; binary ones are no values.
UNREAD = {"address", "location", "base64", "anyType", "complexvalue"}
# Names of companies, read through the contact's account and written nowhere.
THROUGH = {Kind.CONTACTS: (("Account.Name", "Account name"),)}
GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND", "MALFORMED_ID"}
PASSING = {
    "UNABLE_TO_LOCK_ROW",
    "SERVER_UNAVAILABLE",
    "REQUEST_RUNNING_TOO_LONG",
    "QUERY_TIMEOUT",
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
}
DUPLICATE = {"DUPLICATES_DETECTED", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"}


def login(options: Mapping[str, str], endpoint_url: str) -> str:
    if endpoint_url:
        return endpoint_url.rstrip("/")
    host = (options.get("login_host") or "login.salesforce.com").strip().lower()
    host = host.removeprefix("https://").rstrip("/")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.salesforce\.com", host):
        raise PluginError("The log-in host ends in .salesforce.com.", permanent=True, code="BAD_OPTION")
    return f"https://{host}"


def id_field(remote: Remote) -> str:
    name = remote.options.get("id_field") or "Vocelio_Id__c"
    check_names([name])
    return name


def select(names: Sequence[str]) -> str:
    return f"SELECT {', '.join(dict.fromkeys(names))}"


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def inner(row: Mapping[str, Any], name: str) -> Any:
    value: Any = row
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def read(type: str, value: Any) -> Value:
    if value is None or value == "":
        return None
    if type == "multipicklist":
        return tuple(str(value).split(";"))
    if type == "datetime":
        moment = read_time(value)
        return moment.astimezone(UTC).isoformat() if moment else str(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def written(values: Values) -> dict[str, Any]:
    return {name: ";".join(value) if isinstance(value, tuple) else value for name, value in values.items()}
