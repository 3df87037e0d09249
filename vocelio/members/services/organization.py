"""Change the organization itself."""

from typing import Any

from vocelio.audit.services import record
from vocelio.organizations.models import Organization


def update_organization(organization: Organization, **changes: Any) -> Organization:
    """Change name, settings, default_region, visibility or subscription_tier."""
    for name, value in changes.items():
        setattr(organization, name, value)
    organization.save(update_fields=list(changes))
    organization.refresh_from_db()
    record("organization.updated", "organization", organization.id, fields=sorted(changes))
    return organization
