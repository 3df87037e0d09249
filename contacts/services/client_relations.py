"""Say who belongs to which company, as what, from when to when."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from contacts.models import Client, ClientContact, Contact
from contacts.services.announcements import announce_contact
from contacts.services.client_announcements import announce_client
from contacts.services.clients import visible_client
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid


class RelationExists(Conflict):
    code = "RELATION_EXISTS"
    message = "The contact has this role at this client already."


class PrimaryTaken(Conflict):
    code = "PRIMARY_TAKEN"
    message = "Somebody else made another contact the primary one at this moment. Look again and decide anew."


FIELDS = ("role", "title", "is_primary", "started_on", "ended_on")


def set_relations(*, contact: Contact, principal: Principal, relations: Iterable[dict[str, Any]]) -> None:
    """Make these exactly the contact's relations to clients, past ones included.

    One with an `id` changes that relation, one without is new, one that is missing is removed; those to clients the
    caller may not see stay as they are. A primary one takes the flag from whoever had it at that client.
    """
    # Two callers who replace the same contact's relations take turns.
    Contact.objects.select_for_update().get(pk=contact.pk)
    existing = {
        relation.pk: relation
        for relation in ClientContact.objects.filter(contact=contact).visible_to(principal).select_related("client")
    }
    kept, touched = [], set()
    relations = list(relations)
    for place, data in enumerate(relations):
        relation_id = data.get("id")
        if relation_id is not None and relation_id not in existing:
            raise Invalid.field(
                f"relationships[{place}].id",
                "The contact has no such relation.",
                value=str(relation_id),
                constraint="does_not_exist",
            )
        kept.append(relation_id)
    for relation_id, relation in existing.items():
        if relation_id not in kept:
            touched.add(relation.client_id)
            relation.delete()
    for place, data in enumerate(relations):
        relation = existing.get(data["id"]) if data.get("id") else None
        if relation is None:
            client = visible_client(data["client_id"], principal, f"relationships[{place}].clientId")
            relation = ClientContact(client=client, contact=contact, created_by_id=current_actor().user_id)
        elif relation.client_id != data["client_id"]:
            raise Invalid.field(
                f"relationships[{place}].clientId",
                "A relation stays with its client; add another one.",
                value=str(data["client_id"]),
                constraint="immutable",
            )
        for name in FIELDS:
            if name in data:
                setattr(relation, name, data[name])
        touched.add(relation.client_id)
        _save(relation, f"relationships[{place}]")
    record("contact.relations_changed", "contact", contact.pk, clientIds=sorted(str(pk) for pk in touched))
    announce_contact("contact_updated", contact, {"clientRelationships": len(relations)})
    for client in Client.objects.filter(pk__in=touched):
        announce_client("client_updated", client, {"contacts": True})


def add_relation(*, client: Client, contact: Contact, **fields: Any) -> ClientContact:
    """Add a person to a company; raise RelationExists when they have that role there now."""
    relation = ClientContact(client=client, contact=contact, created_by_id=current_actor().user_id, **fields)
    _save(relation, "")
    record("client.contact_added", "client", client.pk, contactId=str(contact.pk), role=relation.role)
    announce_client("client_updated", client, {"contacts": True})
    return relation


def update_relation(*, relation: ClientContact, **fields: Any) -> ClientContact:
    """Change the given fields of a relation; its client and contact stay."""
    for name, value in fields.items():
        setattr(relation, name, value)
    _save(relation, "")
    record("client.contact_changed", "client", relation.client_id, contactId=str(relation.contact_id))
    announce_client("client_updated", relation.client, {"contacts": True})
    return relation


def remove_relation(*, relation: ClientContact) -> None:
    """Remove a relation as if it had never been; give it an end instead to remember it."""
    ClientContact.objects.filter(pk=relation.pk).delete()
    record("client.contact_removed", "client", relation.client_id, contactId=str(relation.contact_id))
    announce_client("client_updated", relation.client, {"contacts": True})


def contact_to_add(contact_id: uuid.UUID, principal: Principal) -> Contact:
    """Return a contact outside the trash that the caller may see; raise Invalid otherwise."""
    contact: Contact | None = Contact.objects.alive().visible_to(principal).filter(pk=contact_id).first()
    if contact is None:
        raise Invalid.field(
            "contactId", "There is no such contact.", value=str(contact_id), constraint="does_not_exist"
        )
    return contact


def _save(relation: ClientContact, place: str) -> None:
    prefix = f"{place}." if place else ""
    if relation.started_on and relation.ended_on and relation.ended_on < relation.started_on:
        raise Invalid.field(
            f"{prefix}endedOn", "A relation ends after it starts.", value=str(relation.ended_on), constraint="range"
        )
    if relation.is_primary and relation.ended_on:
        raise Invalid.field(
            f"{prefix}isPrimary", "A relation that ended is not the primary one.", value=True, constraint="ended"
        )
    try:
        with transaction.atomic():
            if relation.is_primary:
                others = ClientContact.objects.filter(client_id=relation.client_id, is_primary=True)
                others.exclude(pk=relation.pk).update(is_primary=False)
            relation.save()
    except IntegrityError as error:
        if "one_primary_contact_per_client" in str(error):
            raise PrimaryTaken(clientId=str(relation.client_id)) from None
        if "one_current_relation_per_role" in str(error):
            raise RelationExists(field=f"{prefix}role", value=relation.role, constraint="unique") from None
        raise
