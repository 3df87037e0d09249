"""One change to many contacts, each of them succeeding or failing by itself."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from contacts.models import Contact, ContactList, ContactListMembership
from contacts.services.announcements import announce_bulk
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Invalid
from vocelio.organizations.scope import current_organization_id

MAX_CONTACTS = 10_000
MAX_TAGS = 100


@dataclass
class BulkResult:
    """What became of each contact: ids that succeeded, and {contactId, error, code} of those that did not."""

    successful: list[uuid.UUID] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)

    def fail(self, contact_ids: Iterable[uuid.UUID], code: str, error: str) -> None:
        self.errors += [
            {"contactId": str(contact_id), "error": error, "code": code} for contact_id in sorted(contact_ids)
        ]


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
    result.fail(found - tagged, "TOO_MANY_TAGS", f"A contact has at most {MAX_TAGS} tags.")
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
    contact_list = _list(list_id)
    result, found = _start(principal, contact_ids)
    _add(contact_list, found)
    return _finish(result, "add-to-list", found, [list_id])


def remove_from_list(*, principal: Principal, contact_ids: list[uuid.UUID], list_id: uuid.UUID) -> BulkResult:
    """Take contacts off a list; those that are not on it fail."""
    contact_list = _list(list_id)
    result, found = _start(principal, contact_ids)
    memberships = ContactListMembership.objects.filter(list=contact_list, contact_id__in=found)
    members = set(memberships.values_list("contact_id", flat=True))
    memberships.delete()
    result.fail(found - members, "NOT_ON_LIST", "The contact is not on this list.")
    return _finish(result, "remove-from-list", members, [list_id])


def move_to_list(
    *, principal: Principal, contact_ids: list[uuid.UUID], list_id: uuid.UUID, from_list_id: uuid.UUID | None = None
) -> BulkResult:
    """Put contacts on a list and take them off `from_list_id`, or off every other list when there is none."""
    contact_list = _list(list_id)
    left = ContactListMembership.objects.exclude(list=contact_list)
    if from_list_id is not None:
        left = left.filter(list=_list(from_list_id, "data.fromListId"))
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
    result = BulkResult()
    wanted = Contact.objects.visible_to(principal).filter(pk__in=contact_ids)
    alive = set(wanted.alive().values_list("pk", flat=True))
    result.fail(alive, "NOT_IN_TRASH", "The contact is not in the trash.")
    trashed = list(wanted.in_trash().order_by("-deleted_at").values_list("pk", "phone"))
    found = {contact_id for contact_id, _ in trashed}
    result.fail(set(contact_ids) - alive - found, *UNKNOWN)
    phones = {phone for _, phone in trashed if phone}
    taken = set(Contact.objects.alive().filter(phone__in=phones).values_list("phone", flat=True))
    free = set()
    for contact_id, phone in trashed:
        if phone not in taken:
            free.add(contact_id)
            # Of several with the same phone, the one that was deleted last comes back.
            taken.update({phone} - {None})
    Contact.objects.filter(pk__in=free).update(deleted_at=None, deleted_by=None)
    result.fail(found - free, "CONTACT_EXISTS", "There is already a contact with this phone number.")
    return _finish(result, "restore", free)


ACTIONS: dict[str, Callable[..., BulkResult]] = {
    "add-tags": add_tags,
    "remove-tags": remove_tags,
    "add-to-list": add_to_list,
    "remove-from-list": remove_from_list,
    "move-to-list": move_to_list,
    "delete": delete,
    "restore": restore,
}
UNKNOWN = ("NOT_FOUND", "There is no such contact.")


def _start(principal: Principal, contact_ids: list[uuid.UUID]) -> tuple[BulkResult, set[uuid.UUID]]:
    """Return a result with the ids that the caller cannot see already failed, and the others."""
    visible = Contact.objects.alive().visible_to(principal).filter(pk__in=contact_ids)
    found = set(visible.values_list("pk", flat=True))
    result = BulkResult()
    result.fail(set(contact_ids) - found, *UNKNOWN)
    return result, found


def _finish(
    result: BulkResult, action: str, successful: set[uuid.UUID], list_ids: Iterable[uuid.UUID] = (), **details: Any
) -> BulkResult:
    result.successful = sorted(successful)
    list_ids = list(list_ids)
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
        announce_bulk(action, result.successful, list_ids)
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


def _list(list_id: uuid.UUID, field: str = "data.listId") -> ContactList:
    contact_list: ContactList | None = ContactList.objects.filter(pk=list_id).first()
    if contact_list is None:
        raise Invalid.field(field, "There is no such list.", value=str(list_id), constraint="does_not_exist")
    return contact_list


def _add(contact_list: ContactList, contact_ids: set[uuid.UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id, added_by_id)"
            " SELECT uuid7(), %s, contact_id, %s, %s FROM unnest(%s::uuid[]) AS contact_id ON CONFLICT DO NOTHING",
            [contact_list.organization_id, contact_list.pk, current_actor().user_id, sorted(contact_ids)],
        )
