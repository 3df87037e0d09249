"""Make, change, trash, restore and purge contacts."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from contacts.models import Contact, ContactList, ContactListMembership
from contacts.services.announcements import announce_contact, send_contacts_changed
from contacts.services.custom_fields import set_custom_fields
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.models import Membership, TenantRow
from vocelio.organizations.retention import kept_since
from vocelio.organizations.scope import current_organization_id

# How long a contact stays in the trash.
PURGE_BATCH = 5_000


class ContactExists(Conflict):
    code = "CONTACT_EXISTS"
    message = "There is already a contact with this phone number."


def create_contact(*, principal: Principal, list_ids: Iterable[uuid.UUID] = (), **fields: Any) -> Contact:
    """Create a contact on the given lists; `phone` is E.164. Raise ContactExists when the phone is taken."""
    contact = Contact(created_by_id=current_actor().user_id, **fields)
    set_custom_fields(contact, fields.get("custom_fields", {}), principal, is_new=True)
    check_reachable(contact)
    check_assignee(contact, fields)
    _save(contact, principal, force_insert=True)
    put_on_lists(contact, list_ids)
    record("contact.created", "contact", contact.id, fields=sorted(fields))
    announce_contact("contact_created", contact, public_changes(contact, fields))
    return contact


def update_contact(
    *, contact: Contact, principal: Principal, list_ids: Iterable[uuid.UUID] | None = None, **fields: Any
) -> Contact:
    """Change the given fields; `list_ids`, when given, become exactly the lists the contact is on."""
    owner_before = contact.assigned_to_id
    for name, value in fields.items():
        setattr(contact, name, value)
    if "custom_fields" in fields:
        set_custom_fields(contact, fields["custom_fields"], principal, is_new=False)
    check_reachable(contact)
    check_assignee(contact, fields)
    if fields:
        _save(contact, principal, update_fields=[*fields, *(["private_fields"] if "custom_fields" in fields else [])])
    if list_ids is not None:
        list_ids = set(list_ids)
        contact.memberships.exclude(list_id__in=list_ids).delete()
        put_on_lists(contact, list_ids)
    names = sorted([*fields, *(["list_ids"] if list_ids is not None else [])])
    record("contact.updated", "contact", contact.id, fields=names)
    announce_contact("contact_updated", contact, public_changes(contact, fields), owners=[owner_before])
    return contact


def delete_contact(*, contact: Contact) -> None:
    """Move the contact to the trash, out of every list's sight, its phone free for another."""
    announce_contact("contact_deleted", contact, {})
    Contact.objects.filter(pk=contact.pk).update(deleted_at=Now(), deleted_by_id=current_actor().user_id)
    record("contact.deleted", "contact", contact.id)


def restore_contact(*, contact: Contact, principal: Principal) -> Contact:
    """Bring the contact back from the trash to the lists it was on; raise ContactExists when its phone was taken."""
    contact.deleted_at = contact.deleted_by = None
    _save(contact, principal, update_fields=["deleted_at", "deleted_by"])
    record("contact.restored", "contact", contact.id)
    announce_contact("contact_created", contact, {"deletedAt": None})
    return contact


def purge_trash() -> int:
    """Remove for good what has been in the trash for 30 days; return how many of the open organization."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM contacts WHERE organization_id = %(organization)s AND id IN ("
            " SELECT id FROM contacts AS contact WHERE organization_id = %(organization)s AND deleted_at < %(before)s"
            # One that was merged stays as long as the other does.
            " AND NOT EXISTS (SELECT FROM contacts AS survivor WHERE survivor.organization_id = %(organization)s"
            " AND survivor.id = contact.merged_into_id) LIMIT %(most)s"
            ") RETURNING id",
            {
                "organization": current_organization_id(),
                "before": kept_since("trash"),
                "most": PURGE_BATCH,
            },
        )
        contact_ids = [row[0] for row in cursor.fetchall()]
    if contact_ids:
        record("contact.purged", "contact", count=len(contact_ids))
        send_contacts_changed(contact_ids)
    return len(contact_ids)


def put_on_lists(contact: Contact, list_ids: Iterable[uuid.UUID]) -> None:
    """Add the contact to lists it is not on yet; raise Invalid for a list the organization does not have."""
    list_ids = set(list_ids)
    static = ContactList.objects.filter(pk__in=list_ids, filter__isnull=True)
    known = set(static.values_list("pk", flat=True)) if list_ids else set()
    if unknown := list_ids - known:
        raise Invalid.field(
            "listIds", "There is no such static list.", value=str(min(unknown)), constraint="does_not_exist"
        )
    added_by_id = current_actor().user_id
    ContactListMembership.objects.bulk_create(
        [ContactListMembership(contact=contact, list_id=list_id, added_by_id=added_by_id) for list_id in known],
        ignore_conflicts=True,
    )


def check_reachable(contact: Contact) -> None:
    """Raise Invalid unless there is a phone or an e-mail address."""
    if not contact.phone and not contact.email:
        raise Invalid.field("phone", "A contact needs a phone number or an e-mail address.", constraint="required")


def check_assignee(row: TenantRow, fields: dict[str, Any]) -> None:
    """Raise Invalid when the person to be responsible is not an active member of the organization."""
    user_id = fields.get("assigned_to_id")
    if user_id is None:
        return
    members = Membership.objects.filter(organization_id=row.organization_id, is_active=True)
    if not members.filter(user_id=user_id).exists():
        raise Invalid.field("assignedTo", "There is no such member.", value=str(user_id), constraint="does_not_exist")


def public_changes(row: TenantRow, fields: Iterable[str]) -> dict[str, Any]:
    """Return new values under their API names, without what only some roles may read."""
    changes: dict[str, Any] = {}
    for name in fields:
        if name != "private_notes":
            head, *rest = name.removesuffix("_id").split("_")
            value = getattr(row, name)
            changes[head + "".join(part.capitalize() for part in rest)] = (
                str(value) if isinstance(value, (uuid.UUID, Decimal, datetime)) else value
            )
    return changes


def _save(contact: Contact, principal: Principal, **options: Any) -> None:
    try:
        with transaction.atomic():
            contact.save(**options)
    except IntegrityError as error:
        if "one_contact_per_phone" not in str(error):
            raise
        raise phone_taken(contact.phone, principal) from None


def phone_taken(phone: str | None, principal: Principal | None) -> ContactExists:
    """Return the refusal, naming the contact that has the phone where the caller may see it; None is a job, which may."""
    seen = Contact.objects.alive() if principal is None else Contact.objects.alive().visible_to(principal)
    existing = seen.filter(phone=phone).values_list("pk", flat=True).first()
    details = {"existingId": str(existing)} if existing else {}
    return ContactExists(field="phone", value=phone, constraint="unique", **details)
