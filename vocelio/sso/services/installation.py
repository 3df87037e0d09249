"""The identity provider of the whole installation, set by its environment (docs/deployment.md).

Its operators trust it, so it speaks for members of any organization that has no provider of its own.
"""

import uuid

from django.conf import settings

from vocelio.organizations.models import Membership, Organization
from vocelio.organizations.scope import organization_scope
from vocelio.sso.models import IdentityProvider
from vocelio.sso.services.protocol import Identity

# Where addresses name an organization's slug; no organization is called so.
INSTALLATION = "_"
NOBODYS = uuid.UUID(int=0)


def installation_provider() -> IdentityProvider | None:
    """Return the provider that the environment names, never stored."""
    if not settings.OIDC_ISSUER:
        return None
    return IdentityProvider(
        organization_id=NOBODYS,
        issuer=settings.OIDC_ISSUER,
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET,
        allowed_domains=settings.OIDC_ALLOWED_DOMAINS,
        newcomer_role=settings.OIDC_NEWCOMER_ROLE if settings.OIDC_ORGANIZATION else "",
    )


def home_of(identity: Identity) -> Organization | None:
    """Return the organization that an identity comes in to: the named one where they may, else the first of theirs."""
    mine = Membership.objects.active().filter(user__email=identity.email).order_by("organization__name")
    candidates = [membership.organization for membership in mine.select_related("organization")]
    named = Organization.objects.filter(slug=settings.OIDC_ORGANIZATION, is_active=True).first()
    if named is not None and (named in candidates or not candidates):
        candidates = [named, *candidates]
    return next((each for each in candidates if not _has_its_own(each)), None)


def _has_its_own(organization: Organization) -> bool:
    with organization_scope(organization.pk):
        return bool(IdentityProvider.objects.filter(is_enabled=True).exists())
