"""The demo's sales profiles: of people who have a say at clients."""

import random
from typing import Any

from contacts.models import ClientContact, RelationRole
from sales.models import BuyingRole, LeadStatus, SalesProfile
from sales.services.profiles import create_sales_profile, update_sales_profile
from vocelio.access.principal import principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

NUMBER = {"acme": 260, "globex": 70}
# So many are made one by one, as people do, so that the log of changes has something to show.
BY_HAND = 6
SAYS = {
    RelationRole.DECISION_MAKER: BuyingRole.DECISION_MAKER,
    RelationRole.BUYER: BuyingRole.ECONOMIC_BUYER,
    RelationRole.TECHNICAL: BuyingRole.INFLUENCER,
    RelationRole.BILLING: BuyingRole.GATEKEEPER,
}
WANTS = ["sensors for two plants", "a pilot of the platform", "a framework contract", "spare parts", "consulting days"]
TERRITORIES = ["West", "South", "Midwest", "Northeast"]


def load_profiles(organization: Organization) -> None:
    """Make sales profiles for people of clients, unless there are some."""
    with organization_scope(organization.pk):
        if organization.slug not in NUMBER or SalesProfile.objects.exists():
            return
    admin = Membership.objects.get(organization=organization, role=Role.ADMIN).user_id
    draw = random.Random(f"sales {organization.slug}")  # noqa: S311 - repeatable on purpose
    with acting(Actor(user_id=admin, door="demo")), organization_scope(organization.pk):
        principal = principal_of_member(admin, organization.pk)
        assert principal is not None  # noqa: S101 - the demo's own member
        relations = list(
            ClientContact.objects.alive()
            .exclude(role=RelationRole.HIRING_MANAGER)
            .order_by("contact_id", "id")
            .distinct("contact_id")
        )
        chosen = draw.sample(relations, NUMBER[organization.slug])
        for relation in chosen[:BY_HAND]:
            fields = fields_of(draw, relation)
            profile = create_sales_profile(
                contact=relation.contact, principal=principal, **fields | {"lead_status": LeadStatus.NEW}
            )
            update_sales_profile(profile=profile, principal=principal, lead_status=fields["lead_status"])
        SalesProfile.objects.bulk_create(
            [
                SalesProfile(
                    contact_id=relation.contact_id, is_primary=True, created_by_id=admin, **fields_of(draw, relation)
                )
                for relation in chosen[BY_HAND:]
            ]
        )


def fields_of(draw: random.Random, relation: ClientContact) -> dict[str, Any]:
    """Return what a salesperson would have noted."""
    status = draw.choices(LeadStatus.values, [20, 18, 18, 12, 20, 6, 6])[0]
    return {
        "client_id": relation.client_id,
        "headline": f"{relation.title or 'Contact'}, wants {draw.choice(WANTS)}",
        "buying_role": SAYS.get(RelationRole(relation.role), BuyingRole.USER),
        "lead_status": status,
        "lead_source": draw.choice(["Website", "Trade show", "Referral", "LinkedIn"]),
        "score": draw.randint(5, 98),
        "budget": draw.randint(4, 400) * 1_000,
        "lifetime_value": draw.randint(5, 900) * 1_000 if status == LeadStatus.CUSTOMER else None,
        "currency": "USD",
        "territory": draw.choice(TERRITORIES),
    }
