"""The entries that contacts themselves know: how they came, what was changed, which lists they joined and left."""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from contacts.models import Contact, ContactChange, ContactImport, ContactListMembership, ListDeparture
from contacts.timeline import Entry, register

# Columns under the names the API has for them, where these are not the columns' own in camel case.
API_NAMES = {"assigned_to_id": "assignedTo", "last_contacted_at": "lastContactDate", "created_by_id": "createdBy"}


TITLES = {"merge": "Merged with another contact", "unmerge": "Merge taken back"}


def api_name(column: str) -> str:
    """Return the API's name of a column."""
    head, *rest = column.split("_")
    return API_NAMES.get(column) or head + "".join(part.capitalize() for part in rest)


def changed_names(change: ContactChange) -> list[str]:
    """Return what a change touched under the API's names; custom fields as customFields.<key>."""
    names: set[str] = set()
    for column in change.before.keys() | change.after.keys():
        if column in ("custom_fields", "private_fields"):
            sides = (change.before.get(column, {}), change.after.get(column, {}))
            keys = {key for side in sides for key in side if sides[0].get(key) != sides[1].get(key)}
            names |= {f"customFields.{key}" for key in keys}
        else:
            names.add(api_name(column))
    return sorted(names)


def creation(contact_id: uuid.UUID, before: datetime | None, limit: int) -> Iterable[Entry]:
    contact = Contact.objects.only("created_at", "created_by_id", "import_id", "source").filter(pk=contact_id).first()
    if contact is None or (before and contact.created_at > before):
        return []
    details: dict[str, Any] = {"source": contact.source}
    title = "Created"
    if contact.import_id and (job := ContactImport.objects.filter(pk=contact.import_id).first()):
        details |= {"jobId": str(job.pk), "filename": job.filename}
        title = f"Imported from {job.filename}"
    kind = "import" if contact.import_id else "created"
    return [Entry(contact.created_at, kind, str(contact.pk), title, contact.created_by_id, details)]


def changes(contact_id: uuid.UUID, before: datetime | None, limit: int) -> Iterable[Entry]:
    rows = _until(ContactChange.objects.of_contact(contact_id), "changed_at", before)
    for change in rows[:limit]:
        names = changed_names(change)
        yield Entry(
            change.changed_at,
            "change",
            str(change.pk),
            _change_title(change, names),
            change.user_id,
            {"fields": names, "cause": change.cause, "causeId": str(change.cause_id) if change.cause_id else None},
        )


def _change_title(change: ContactChange, names: list[str]) -> str:
    if "deleted_at" in change.after and change.cause not in TITLES:
        return "Moved to the trash" if change.after["deleted_at"] else "Restored from the trash"
    if change.cause in TITLES:
        return TITLES[change.cause]
    return f"Changed {', '.join(names[:4])}{' and more' if len(names) > 4 else ''}"


def joins(contact_id: uuid.UUID, before: datetime | None, limit: int) -> Iterable[Entry]:
    rows = ContactListMembership.objects.filter(contact_id=contact_id).select_related("list")
    for row in _until(rows, "added_at", before).order_by("-added_at", "-id")[:limit]:
        yield Entry(row.added_at, "list", str(row.pk), f"Joined {row.list.name}", row.added_by_id, _list(row, "joined"))


def departures(contact_id: uuid.UUID, before: datetime | None, limit: int) -> Iterable[Entry]:
    rows = ListDeparture.objects.filter(contact_id=contact_id).select_related("list")
    for row in _until(rows, "changed_at", before).order_by("-changed_at", "-id")[:limit]:
        yield Entry(row.changed_at, "list", str(row.pk), f"Left {row.list.name}", row.user_id, _list(row, "left"))


def former_joins(contact_id: uuid.UUID, before: datetime | None, limit: int) -> Iterable[Entry]:
    rows = ListDeparture.objects.filter(contact_id=contact_id).select_related("list")
    for row in _until(rows, "added_at", before).order_by("-added_at", "-id")[:limit]:
        title = f"Joined {row.list.name}"
        yield Entry(row.added_at, "list", f"{row.pk}-joined", title, row.added_by_id, _list(row, "joined"))


def _until(rows: Any, column: str, before: datetime | None) -> Any:
    return rows.filter(**{f"{column}__lte": before}) if before else rows


def _list(row: Any, what: str) -> dict[str, Any]:
    return {"listId": str(row.list_id), "list": row.list.name, "action": what}


def register_sources() -> None:
    """Put the contacts' own sources into the registry, at start."""
    own: list[Callable[..., Iterable[Entry]]] = [creation, changes, joins, departures, former_joins]
    for source in own:
        register(f"contacts.{source.__name__}", source)
