"""The platform's own organization: work for the whole installation runs, is audited and is watched in it."""

from vocelio.organizations.models import Organization

SLUG = "platform"


def platform_organization() -> Organization:
    """Return it, made on first use. Nobody is a member; the platform's operators look into it."""
    organization, _ = Organization.objects.get_or_create(slug=SLUG, defaults={"name": "Platform", "is_active": False})
    return organization
