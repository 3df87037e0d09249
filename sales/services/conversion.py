"""Make of a lead what can be sold to: a contact, its client and a deal, all of them or none."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection

from contacts.models import Client, ClientContact, Contact, RelationRole
from contacts.services.client_relations import add_relation
from contacts.services.clients import client_named, create_client, visible_client
from contacts.services.contacts import create_contact, update_contact
from sales.models import Deal, DealContact, LeadStatus, SalesProfile
from sales.services.announcements import announce_deal
from sales.services.assignment import assignee_of
from sales.services.deals import create_deal, deal_state, find_stage
from sales.services.profiles import update_sales_profile
from vocelio.access.principal import Principal
from vocelio.audit.services import record
from vocelio.errors import Invalid
from vocelio.notifications.services.feed import tell_feed
from vocelio.organizations.scope import current_organization_id
from vocelio.versions import lock

# Where a lead may stand before it is worth a deal.
UNDECIDED = (LeadStatus.NEW, LeadStatus.CONTACTED, LeadStatus.NURTURING)


@dataclass(frozen=True)
class Conversion:
    """What became of a lead; `created` names what was new."""

    contact: Contact
    client: Client | None
    deal: Deal | None
    created: list[str]


def convert_lead(
    *,
    principal: Principal,
    contact_id: uuid.UUID | None = None,
    contact: dict[str, Any] | None = None,
    client_id: uuid.UUID | None = None,
    client: dict[str, Any] | None = None,
    deal_id: uuid.UUID | None = None,
    deal: dict[str, Any] | None = None,
    role: str = RelationRole.EMPLOYEE,
    assigned_to_id: uuid.UUID | None = None,
) -> Conversion:
    """Convert a lead into new or existing records, in the open transaction: an error anywhere leaves nothing behind.

    A new contact with the phone or e-mail address of an existing one is that one, a new client of a name that is
    there is that client, and a contact that stands in the deal already is not added again: no ghosts. Nobody named,
    the assignment rules choose who is responsible, for what has nobody yet.
    """
    created: list[str] = []
    _take_turns(contact or {}, client or {})
    person = _contact(principal, contact_id, contact, created)
    owner = assigned_to_id or person.assigned_to_id or assignee_of(person) or principal.user_id
    if person.assigned_to_id is None or assigned_to_id:
        person = update_contact(contact=person, principal=principal, assigned_to_id=owner)
    company = _client(principal, client_id, client, owner, created)
    if company is not None:
        current = ClientContact.objects.current().filter(client=company, contact=person)
        if not current.exists():
            add_relation(client=company, contact=person, role=role)
    made = _deal(principal, deal_id, deal, person, company, owner, created)
    for profile in SalesProfile.objects.filter(contact=person, lead_status__in=UNDECIDED) if made else ():
        update_sales_profile(profile=profile, principal=principal, lead_status=LeadStatus.QUALIFIED)
    record(
        "lead.converted",
        "contact",
        person.pk,
        client=str(company.pk) if company else None,
        deal=str(made.pk) if made else None,
        created=created,
    )
    tell_feed(
        kind="lead.converted",
        resource="contact",
        resource_id=person.pk,
        title=company.name if company else "A lead",
        owners=[owner],
        dealId=str(made.pk) if made else None,
        clientId=str(company.pk) if company else None,
    )
    return Conversion(person, company, made, created)


def _take_turns(contact: dict[str, Any], client: dict[str, Any]) -> None:
    """Let conversions of the same new person or company wait for each other, so that each is made once."""
    wanted = [contact.get("phone"), contact.get("email"), client.get("name", "").casefold()]
    with connection.cursor() as cursor:
        for key in sorted(filter(None, wanted)):
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"lead {current_organization_id()} {key}"]
            )


def _contact(
    principal: Principal, contact_id: uuid.UUID | None, fields: dict[str, Any] | None, created: list[str]
) -> Contact:
    if contact_id is not None:
        # Two conversions of one lead take turns, so that the second finds what the first made.
        visible = Contact.objects.alive().visible_to(principal).filter(pk=contact_id)
        found: Contact | None = visible.select_for_update(of=("self",), no_key=True).first()
        if found is None:
            raise Invalid.field(
                "contactId", "There is no such contact.", value=str(contact_id), constraint="does_not_exist"
            )
        return found
    assert fields is not None  # noqa: S101 - the serializer asks for one of both
    visible = Contact.objects.alive().visible_to(principal)
    known = visible.filter(phone=fields["phone"]).first() if fields.get("phone") else None
    if known is None and fields.get("email"):
        known = visible.filter(email=fields["email"]).order_by("created_at").first()
    if known is not None:
        return _contact(principal, known.pk, None, created)
    created.append("contact")
    return create_contact(principal=principal, **fields)


def _client(
    principal: Principal,
    client_id: uuid.UUID | None,
    fields: dict[str, Any] | None,
    owner: uuid.UUID,
    created: list[str],
) -> Client | None:
    if client_id is not None:
        return visible_client(client_id, principal)
    if fields is None:
        return None
    known = client_named(fields["name"], fields.get("domain", ""))
    if known is not None:
        return visible_client(known.pk, principal)
    created.append("client")
    return create_client(principal=principal, **{"assigned_to_id": owner, **fields})


def _deal(
    principal: Principal,
    deal_id: uuid.UUID | None,
    fields: dict[str, Any] | None,
    person: Contact,
    company: Client | None,
    owner: uuid.UUID,
    created: list[str],
) -> Deal | None:
    if deal_id is not None:
        visible = Deal.objects.alive().visible_to(principal)
        if not visible.filter(pk=deal_id).exists():
            raise Invalid.field("dealId", "There is no such deal.", value=str(deal_id), constraint="does_not_exist")
        deal: Deal = lock(Deal.objects.alive(), deal_id, None, deal_state)
        people = DealContact.objects.filter(deal=deal)
        if not people.filter(contact=person).exists():
            DealContact.objects.create(
                deal=deal, contact=person, is_primary=not people.filter(is_primary=True).exists()
            )
            Deal.objects.filter(pk=deal.pk).update(
                version=deal.version + 1, client_id=deal.client_id or (company.pk if company else None)
            )
            deal.refresh_from_db()
            record("deal.contact_added", "deal", deal.pk, contact=str(person.pk))
            announce_deal("deal_updated", deal)
        return deal
    if fields is None:
        return None
    fields = dict(fields)
    stage_id = fields.pop("stage_id", None)
    created.append("deal")
    return create_deal(
        principal=principal,
        stage=find_stage(stage_id, "deal.stageId") if stage_id else None,
        contacts=[{"contact_id": person.pk, "is_primary": True}],
        **{"client_id": company.pk if company else None, "assigned_to_id": owner, "source": person.source, **fields},
    )
