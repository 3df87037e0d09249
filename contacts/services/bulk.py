"""One change to many contacts, each of them succeeding or failing by itself."""

import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from contacts.models import Contact, ContactList, ContactListMembership, CustomField
from contacts.services.announcements import announce_bulk, owners_of
from contacts.services.custom_fields import clean_values
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.bulk import BulkResult
from vocelio.errors import Invalid
from vocelio.organizations.models import Membership
from vocelio.organizations.scope import current_organization_id, current_scope

MAX_CONTACTS = 10_000
MAX_TAGS = 100


def add_tags(*, principal: Principal, contact_ids: list[uuid.UUID], tags: list[str]) -> BulkResult:
    """Add tags to contacts that lack them."""
    result, found = _start(principal, contact_ids)
    tagged = _update(
        "tags = tags || ARRAY(SELECT tag FROM unnest(%(tags)s::varchar[]) AS tag WHERE tag <> ALL (tags))",
        "cardinality(tags || ARRAY(SELECT tag FROM unnest(%(tags)s::varchar[]) AS tag WHERE tag <> ALL (tags))) <= %(most)s",
        found,
        tags=tags,
        most=MAX_TAGS,
    )
    result.fail_each(found - tagged, "TOO_MANY_TAGS", f"A contact has at most {MAX_TAGS} tags.")
    return _finish(result, "add-tags", tagged, tags=len(tags))


def remove_tags(*, principal: Principal, contact_ids: list[uuid.UUID], tags: list[str]) -> BulkResult:
    """Remove tags from contacts that have them."""
    result, found = _start(principal, contact_ids)
    _update(
        "tags = ARRAY(SELECT tag FROM unnest(tags) WITH ORDINALITY AS had (tag, place)"
        " WHERE tag <> ALL (%(tags)s::varchar[]) ORDER BY place)",
        "tags && %(tags)s::varchar[]",
        found,
        tags=tags,
    )
    return _finish(result, "remove-tags", found, tags=len(tags))


def add_to_list(*, principal: Principal, contact_ids: list[uuid.UUID], list_id: uuid.UUID) -> BulkResult:
    """Put contacts on a list."""
    contact_list = static_list(list_id)
    result, found = _start(principal, contact_ids)
    _add(contact_list, found)
    return _finish(result, "add-to-list", found, [list_id])


def remove_from_list(*, principal: Principal, contact_ids: list[uuid.UUID], list_id: uuid.UUID) -> BulkResult:
    """Take contacts off a list; those that are not on it fail."""
    contact_list = static_list(list_id)
    result, found = _start(principal, contact_ids)
    memberships = ContactListMembership.objects.filter(list=contact_list, contact_id__in=found)
    members = set(memberships.values_list("contact_id", flat=True))
    memberships.delete()
    result.fail_each(found - members, "NOT_ON_LIST", "The contact is not on this list.")
    return _finish(result, "remove-from-list", members, [list_id])


def move_to_list(
    *, principal: Principal, contact_ids: list[uuid.UUID], list_id: uuid.UUID, from_list_id: uuid.UUID | None = None
) -> BulkResult:
    """Put contacts on a list and take them off `from_list_id`, or off every other list when there is none."""
    contact_list = static_list(list_id)
    left = ContactListMembership.objects.exclude(list=contact_list)
    if from_list_id is not None:
        left = left.filter(list=static_list(from_list_id, "data.fromListId"))
    result, found = _start(principal, contact_ids)
    _add(contact_list, found)
    left = left.filter(contact_id__in=found)
    left_ids = set(left.values_list("list_id", flat=True))
    left.delete()
    return _finish(result, "move-to-list", found, [list_id, *left_ids])


def delete(*, principal: Principal, contact_ids: list[uuid.UUID]) -> BulkResult:
    """Move contacts to the trash."""
    result, found = _start(principal, contact_ids)
    deleted = set(
        Contact.objects.select_for_update().alive().filter(pk__in=found).order_by("pk").values_list("pk", flat=True)
    )
    Contact.objects.filter(pk__in=deleted).update(deleted_at=Now(), deleted_by_id=current_actor().user_id)
    return _finish(result, "delete", deleted)


def restore(*, principal: Principal, contact_ids: list[uuid.UUID]) -> BulkResult:
    """Bring contacts back from the trash; those whose phone was taken meanwhile fail."""
    result = BulkResult("contactId")
    wanted = Contact.objects.visible_to(principal).filter(pk__in=contact_ids)
    alive = set(wanted.alive().values_list("pk", flat=True))
    result.fail_each(alive, "NOT_IN_TRASH", "The contact is not in the trash.")
    trashed = list(wanted.in_trash().order_by("-deleted_at").values_list("pk", "phone"))
    found = {contact_id for contact_id, _ in trashed}
    result.fail_each(set(contact_ids) - alive - found, *UNKNOWN)
    phones = {phone for _, phone in trashed if phone}
    taken = set(Contact.objects.alive().filter(phone__in=phones).values_list("phone", flat=True))
    free = set()
    for contact_id, phone in trashed:
        if phone not in taken:
            free.add(contact_id)
            # Of several with the same phone, the one that was deleted last comes back.
            taken.update({phone} - {None})
    Contact.objects.filter(pk__in=free).update(deleted_at=None, deleted_by=None)
    result.fail_each(found - free, "CONTACT_EXISTS", "There is already a contact with this phone number.")
    return _finish(result, "restore", free)


def assign(*, principal: Principal, contact_ids: list[uuid.UUID], assigned_to: uuid.UUID | None = None) -> BulkResult:
    """Give contacts to a member, or to nobody."""
    members = Membership.objects.filter(organization_id=current_organization_id(), is_active=True)
    if assigned_to is not None and not members.filter(user_id=assigned_to).exists():
        raise Invalid.field(
            "data.assignedTo", "There is no such member.", value=str(assigned_to), constraint="does_not_exist"
        )
    result, found = _start(principal, contact_ids)
    before = owners_of(found)
    Contact.objects.filter(pk__in=found).update(assigned_to_id=assigned_to)
    return _finish(result, "assign", found, owners={*before, uuid.UUID(str(assigned_to)) if assigned_to else None})


def update_fields(*, principal: Principal, contact_ids: list[uuid.UUID], values: dict[str, Any]) -> BulkResult:
    """Set the same values on all contacts; keys of `custom_fields` are set one by one, null removes one."""
    fields = dict(values)
    custom = fields.pop("custom_fields", {})
    kept, removed = _custom_values(custom)
    result, found = _start(principal, contact_ids)
    if kept or removed:
        _update(
            "custom_fields = (custom_fields - %(removed)s::text[]) || %(kept)s::jsonb",
            "true",
            found,
            removed=removed,
            kept=json.dumps(kept),
        )
    if fields:
        Contact.objects.filter(pk__in=found).update(**fields)
    return _finish(result, "update-fields", found, fields=sorted(values))


def _custom_values(values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the values to set and the keys to remove; raise Invalid naming each bad one."""
    definitions = [each for each in CustomField.objects.active() if each.key in values]
    cleaned = clean_values(definitions, values, is_new=False)
    cleaned.errors |= dict.fromkeys(cleaned.sensitive, "Sensitive fields are set one contact at a time.")
    if cleaned.errors:
        raise Invalid(
            "Some custom fields are not valid.",
            errors=[
                {
                    "field": f"data.values.customFields.{key}",
                    "value": None,
                    "constraint": "custom_field",
                    "message": message,
                }
                for key, message in cleaned.errors.items()
            ],
        )
    kept = {key: value for key, value in cleaned.values.items() if value is not None}
    return kept, [key for key in values if key not in kept]


ACTIONS: dict[str, Callable[..., BulkResult]] = {
    "add-tags": add_tags,
    "remove-tags": remove_tags,
    "add-to-list": add_to_list,
    "remove-from-list": remove_from_list,
    "move-to-list": move_to_list,
    "assign": assign,
    "update-fields": update_fields,
    "delete": delete,
    "restore": restore,
}
UNKNOWN = ("NOT_FOUND", "There is no such contact.")


def _start(principal: Principal, contact_ids: list[uuid.UUID]) -> tuple[BulkResult, set[uuid.UUID]]:
    """Return a result with the ids that the caller cannot see already failed, and the others."""
    visible = Contact.objects.alive().visible_to(principal).filter(pk__in=contact_ids)
    found = set(visible.values_list("pk", flat=True))
    result = BulkResult("contactId")
    result.fail_each(set(contact_ids) - found, *UNKNOWN)
    return result, found


def _finish(
    result: BulkResult,
    action: str,
    successful: set[uuid.UUID],
    list_ids: Iterable[uuid.UUID] = (),
    owners: Iterable[uuid.UUID | None] | None = None,
    **details: Any,
) -> BulkResult:
    result.successful = sorted(successful)
    list_ids = list(list_ids)
    # Of a job, the job's own entries tell; its changes are in the history.
    if "change_cause" not in current_scope().notes:
        record(
            "contact.bulk_changed",
            "contact",
            operation=action,
            successful=len(successful),
            failed=len(result.errors),
            contactIds=[str(contact_id) for contact_id in result.successful],
            listIds=[str(list_id) for list_id in list_ids],
            **details,
        )
    if successful:
        announce_bulk(action, result.successful, list_ids, owners=owners)
    return result


def _update(change: str, condition: str, contact_ids: set[uuid.UUID], **values: Any) -> set[uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE contacts SET {change} WHERE organization_id = %(organization)s"  # noqa: S608 - literals above
            " AND id = ANY(%(ids)s)"
            f" AND deleted_at IS NULL AND {condition} RETURNING id",
            {"organization": current_organization_id(), "ids": list(contact_ids), **values},
        )
        return {row[0] for row in cursor.fetchall()}


def static_list(list_id: uuid.UUID, field: str = "data.listId") -> ContactList:
    """Return a list that contacts are put on; raise Invalid when there is none, or its filter says who is on it."""
    contact_list: ContactList | None = ContactList.objects.filter(pk=list_id).first()
    if contact_list is None:
        raise Invalid.field(field, "There is no such list.", value=str(list_id), constraint="does_not_exist")
    if contact_list.is_dynamic:
        raise Invalid.field(
            field, "A dynamic list holds whom its filter finds.", value=str(list_id), constraint="dynamic"
        )
    return contact_list


def _add(contact_list: ContactList, contact_ids: set[uuid.UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id, added_by_id)"
            " SELECT uuid7(), %s, contact_id, %s, %s FROM unnest(%s::uuid[]) AS contact_id ON CONFLICT DO NOTHING",
            [contact_list.organization_id, contact_list.pk, current_actor().user_id, sorted(contact_ids)],
        )
