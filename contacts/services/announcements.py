"""Tell sockets and the apps above that contacts changed."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from contacts.models import Contact, ContactListMembership
from contacts.signals import contacts_changed
from vocelio.audit.context import current_actor
from vocelio.organizations.scope import current_organization_id
from vocelio.realtime.publish import publish


def announce_contact(
    event: str, contact: Contact, changes: dict[str, Any], owners: Iterable[uuid.UUID | None] = ()
) -> None:
    """Publish `contact_created`, `contact_updated` or `contact_deleted` of one contact.

    `changes` holds API names and new values, `owners` who was responsible before; `listIds` says whose followers
    it concerns.
    """
    list_ids = ContactListMembership.objects.filter(contact_id=contact.pk).values_list("list_id", flat=True)
    publish(
        "contacts",
        type=event,
        data={
            "contactId": str(contact.pk),
            "changes": changes,
            "updatedBy": _actor_id(),
            "listIds": [str(list_id) for list_id in list_ids],
        },
        owners=[contact.assigned_to_id, *owners],
    )
    send_contacts_changed([contact.pk])


def announce_bulk(
    action: str,
    contact_ids: Iterable[uuid.UUID],
    list_ids: Iterable[uuid.UUID] = (),
    *,
    owners: Iterable[uuid.UUID | None] | None = None,
    **data: Any,
) -> None:
    """Publish one `contacts_changed` for many contacts, whose followers then read them anew.

    `owners`, from a caller who knows the assigned users, spares looking them up. `data` is told beside the rest.
    """
    contact_ids = list(contact_ids)
    publish(
        "contacts",
        type="contacts_changed",
        data={
            "action": action,
            "count": len(contact_ids),
            "updatedBy": _actor_id(),
            "listIds": [str(list_id) for list_id in list_ids],
            **data,
        },
        owners=owners_of(contact_ids) if owners is None else owners,
    )
    send_contacts_changed(contact_ids)


def announce_erasure(contact: Contact) -> None:
    """Publish `contact_erased`, with the id of who is gone and nothing else."""
    data: dict[str, Any] = {"contactId": str(contact.pk), "updatedBy": _actor_id(), "listIds": []}
    publish("contacts", type="contact_erased", data=data, owners=[contact.assigned_to_id])


def owners_of(contact_ids: Iterable[uuid.UUID]) -> set[uuid.UUID | None]:
    """Return the users some contacts are assigned to; None stands for those that are nobody's."""
    return set(Contact.objects.filter(pk__in=contact_ids).values_list("assigned_to_id", flat=True))


def send_contacts_changed(contact_ids: list[uuid.UUID]) -> None:
    """Send the signal once the open transaction has committed."""
    organization_id = current_organization_id()
    transaction.on_commit(
        lambda: contacts_changed.send(sender=None, organization_id=organization_id, contact_ids=contact_ids)
    )


def _actor_id() -> str | None:
    user_id = current_actor().user_id
    return str(user_id) if user_id else None
