"""Make organizations, the platform operator's task."""

from typing import Any

from vocelio.audit.services import record
from vocelio.errors import Conflict
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


def create_organization(*, name: str, slug: str, **fields: Any) -> Organization:
    """Create an organization without members; raise Conflict when its slug is taken."""
    if Organization.objects.filter(slug=slug).exists():
        raise Conflict("There is already an organization with this slug.", field="slug", value=slug)
    organization = Organization.objects.create(name=name, slug=slug, **fields)
    with organization_scope(organization.pk):
        record("organization.created", "organization", organization.pk)
    return organization
