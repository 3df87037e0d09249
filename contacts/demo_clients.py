"""The demo's clients: the companies its contacts work for, some of which are groups, and who is what there."""

import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from contacts.models import Client, ClientContact, ClientSize, ClientStatus, Contact, RelationRole, Verification

NUMBER_OF_CLIENTS = {"acme": 140, "globex": 45}
# The demo's title of a contact and the role that goes with it.
ROLES = {
    "Buyer": RelationRole.BUYER,
    "Procurement Lead": RelationRole.BUYER,
    "Chief Financial Officer": RelationRole.BILLING,
    "Finance Manager": RelationRole.BILLING,
    "Head of People": RelationRole.HIRING_MANAGER,
    "HR Business Partner": RelationRole.HIRING_MANAGER,
    "Chief Technology Officer": RelationRole.TECHNICAL,
    "IT Manager": RelationRole.TECHNICAL,
    "VP Sales": RelationRole.DECISION_MAKER,
    "VP Engineering": RelationRole.DECISION_MAKER,
    "Director of Operations": RelationRole.DECISION_MAKER,
}
PEOPLE = 8


def load_clients(
    draw: random.Random, slug: str, companies: list[Any], contacts: list[Contact], users: list[Any]
) -> None:
    """Make clients of companies that contacts work for, and their people."""
    staff: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        if contact.deleted_at is None:
            staff[contact.company].append(contact)
    chosen = draw.sample([company for company in companies if staff[company.name]], NUMBER_OF_CLIENTS[slug])
    newest = max(contact.created_at for contact in contacts)
    clients = [_client(draw, company, users, newest) for company in chosen]
    for subsidiary in clients[6:20]:
        subsidiary.parent = draw.choice(clients[:6])
    Client.objects.bulk_create(clients)
    ClientContact.objects.bulk_create(
        [relation for client in clients for relation in _relations(draw, client, staff[client.name][:PEOPLE])]
    )


def _client(draw: random.Random, company: Any, users: list[Any], newest: datetime) -> Client:
    status = draw.choices(ClientStatus.values, [45, 45, 10])[0]
    is_verified = status == ClientStatus.ACTIVE and draw.random() < 0.7
    created_at = newest - timedelta(days=170 * draw.random())
    return Client(
        name=company.name,
        domain=company.domain,
        website=f"https://www.{company.domain}",
        industry=company.sector,
        size=draw.choice(ClientSize.values[4:]),
        annual_revenue=draw.randint(40, 9_000) * 1_000_000,
        currency="USD",
        email=f"office@{company.domain}",
        city=company.city,
        state=company.state,
        country="US",
        tags=sorted(draw.sample(["key-account", "framework", "renewal", "referral"], draw.choice([0, 0, 1, 2]))),
        status=status,
        source=draw.choice(["Website", "Trade show", "Referral", "Partner"]),
        assigned_to_id=draw.choice(users) if draw.random() < 0.8 else None,
        created_by_id=draw.choice(users),
        verification=Verification.VERIFIED if is_verified else Verification.UNVERIFIED,
        verified_at=created_at + timedelta(days=2) if is_verified else None,
        verified_by_id=draw.choice(users) if is_verified else None,
        created_at=created_at,
        updated_at=created_at,
    )


def _relations(draw: random.Random, client: Client, people: list[Contact]) -> list[ClientContact]:
    relations: list[ClientContact] = []
    for contact in people:
        started_on = (client.created_at - timedelta(days=draw.randint(60, 2_000))).date()
        has_left = bool(relations) and draw.random() < 0.08
        ended_on = (client.created_at - timedelta(days=draw.randint(1, 50))).date() if has_left else None
        relations.append(
            ClientContact(
                client=client,
                contact=contact,
                role=ROLES.get(contact.title, RelationRole.EMPLOYEE),
                title=contact.title,
                is_primary=not relations,
                started_on=started_on,
                ended_on=ended_on,
                created_by_id=client.created_by_id,
            )
        )
    return relations
