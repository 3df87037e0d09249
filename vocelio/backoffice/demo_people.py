"""The organizations and people of the demo."""

from vocelio.organizations.models import Membership, Organization, Role, Tier
from vocelio.users.models import User

PASSWORD = "vocelio-demo"  # noqa: S105 - printed by bin/up; only the demo loader makes these people
OPERATOR = ("root@vocelio.test", "Robin Root")
ORGANIZATIONS = [("acme", "Acme", Tier.ENTERPRISE), ("globex", "Globex", Tier.FREE)]
# Organization, e-mail address, name, role, team.
MEMBERS = [
    ("acme", "admin@acme.test", "Alice Moreno", Role.ADMIN, ""),
    ("acme", "manager@acme.test", "Marcus Bell", Role.MANAGER, "West"),
    ("acme", "agent@acme.test", "Priya Nair", Role.AGENT, "West"),
    ("globex", "admin@globex.test", "Gloria Becker", Role.ADMIN, ""),
]


def load_people() -> list[Organization]:
    """Create what is missing of the demo's organizations and people; return the organizations."""
    organizations = {
        slug: Organization.objects.get_or_create(slug=slug, defaults={"name": name, "subscription_tier": tier})[0]
        for slug, name, tier in ORGANIZATIONS
    }
    for slug, email, name, role, team in MEMBERS:
        user = User.objects.filter(email=email).first() or User.objects.create_user(
            email, PASSWORD, name=name, is_staff=role != Role.AGENT
        )
        Membership.objects.get_or_create(
            organization=organizations[slug], user=user, defaults={"role": role, "team": team}
        )
    email, name = OPERATOR
    if not User.objects.filter(email=email).exists():
        User.objects.create_superuser(email, PASSWORD, name=name)
    return list(organizations.values())
