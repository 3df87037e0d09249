"""Change the organization itself."""

from typing import Any

from vocelio.audit.services import record
from vocelio.organizations.models import Organization, SecondFactorRule
from vocelio.users.models import Session
from vocelio.users.services.sessions import end_sessions


def update_organization(organization: Organization, **changes: Any) -> Organization:
    """Change name, settings, subscription_tier, region, language, time zone, number_format, visibility or second_factor.

    Sessions that proved less than a new rule of the second factor asks for end.
    """
    for name, value in changes.items():
        setattr(organization, name, value)
    organization.save(update_fields=list(changes))
    organization.refresh_from_db()
    record("organization.updated", "organization", organization.id, fields=sorted(changes))
    if "second_factor" in changes and organization.second_factor == SecondFactorRule.EVERYONE:
        weak = Session.objects.filter(organization=organization, has_second_factor=False, sso_organization=None)
        end_sessions(weak, reason="second_factor_required")
    return organization
