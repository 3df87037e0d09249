"""Take back one change of a contact, or one field of it."""

import json
from collections.abc import Collection
from typing import Any

from django.db import connection

from contacts.models import Contact, ContactChange
from contacts.services.announcements import announce_contact
from contacts.services.contacts import phone_taken, public_changes
from contacts.services.history import Change, change_cause, put_back
from contacts.services.timeline import api_name, changed_names
from vocelio.access.principal import Principal
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden, Invalid

DOCUMENTS = ("custom_fields", "private_fields")
NEEDS = {"deleted_at": "contacts:delete", "private_notes": "contacts:private", "private_fields": "contacts:private"}


class ChangedSince(Conflict):
    code = "CHANGED_SINCE"
    message = "It was changed again since. Revert with force to overwrite that."


def revert_change(
    *, contact: Contact, change: ContactChange, principal: Principal, fields: Collection[str] = (), force: bool = False
) -> Contact:
    """Put the contact back as it was before the change, or only the fields given by their API names.

    Raise ChangedSince naming the fields that are no longer as the change left them, unless `force` is given.
    """
    if unknown := set(fields) - set(changed_names(change)):
        raise Invalid.field("fields", "The change did not touch this.", value=min(unknown), constraint="unknown")
    before, after = _narrowed(change.before, fields), _narrowed(change.after, fields)
    for column, permission in NEEDS.items():
        if column in before.keys() | after.keys() and not principal.may(permission):
            raise Forbidden("Your role does not allow to revert this field.")
    if force:
        after = _as_it_is(contact, before, after)
    with change_cause("revert", change.pk):
        result = put_back([Change(contact.pk, before, after)])
    if contact.pk in result.failed:
        if result.failed[contact.pk] == "one_contact_per_phone":
            raise phone_taken(before.get("phone", contact.phone), principal)
        raise Conflict("The contact would have neither a phone number nor an e-mail address.")
    if kept := result.kept.get(contact.pk):
        raise ChangedSince(fields=sorted(map(api_name, kept)))
    fresh: Contact = Contact.objects.get(pk=contact.pk)
    names = sorted(before.keys() | after.keys())
    record("contact.reverted", "contact", contact.pk, changeId=str(change.pk), fields=names)
    shown = [name for name in names if name not in ("private_fields", "deleted_by_id")]
    announce_contact("contact_updated", fresh, public_changes(fresh, shown), owners=[contact.assigned_to_id])
    return fresh


def _narrowed(document: dict[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Return the part of a change that tells of the fields; all of it when there are none."""
    if not fields:
        return document
    result: dict[str, Any] = {}
    for column, value in document.items():
        if column == "custom_fields":
            keys = {key: each for key, each in value.items() if f"customFields.{key}" in fields}
            if keys or any(name.startswith("customFields.") for name in fields):
                result[column] = keys
        elif column == "private_fields":
            if any(f"customFields.{key}" in fields for key in value):
                result[column] = value
        elif api_name(column) in fields:
            result[column] = value
    return result


def _as_it_is(contact: Contact, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return `after` with the values the contact has now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_jsonb(contact) - 'search' FROM contacts AS contact WHERE organization_id = %s AND id = %s",
            [contact.organization_id, contact.pk],
        )
        ((document,),) = cursor.fetchall()
    current = json.loads(document) if isinstance(document, str) else document
    result = {column: current[column] for column in after}
    if "custom_fields" in after:
        keys = after["custom_fields"].keys() | before.get("custom_fields", {}).keys()
        result["custom_fields"] = {key: value for key, value in current["custom_fields"].items() if key in keys}
    return result
