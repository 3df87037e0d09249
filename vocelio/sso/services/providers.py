"""The organization's identity provider: its settings, written by admins."""

import re
from typing import Any

from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid, NotFound
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import current_organization_id
from vocelio.outbound import OutboundRefused, check_address
from vocelio.sso.models import IdentityLink, IdentityProvider
from vocelio.sso.services.protocol import forget_provider, host_of, read_provider
from vocelio.users.models import Session
from vocelio.users.services.sessions import end_sessions

DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
# Where anybody gets an address: that of an organization says nothing about who belongs to it.
PUBLIC_MAIL = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "proton.me",
        "protonmail.com",
        "mail.com",
        "mail.ru",
        "yandex.ru",
        "qq.com",
        "163.com",
    ]
)


class NoBreakGlass(Conflict):
    code = "NO_BREAK_GLASS_ADMIN"
    message = "Mark an active admin for emergencies first: somebody must get in while the provider is away."


def provider_of_organization() -> IdentityProvider | None:
    """Return the provider of the open scope."""
    provider: IdentityProvider | None = IdentityProvider.objects.first()
    return provider


def save_provider(*, is_required: bool | None = None, **changes: Any) -> IdentityProvider:
    """Set the organization's provider, or change what is given; raise Invalid, NoBreakGlass.

    Another issuer or client id needs the secret again, so that nobody learns it by sending it elsewhere. Where
    what vouched for people changes, the sessions it vouched for end.
    """
    organization = Organization.objects.select_for_update(no_key=True).get(pk=current_organization_id())
    provider = provider_of_organization() or IdentityProvider(issuer="")
    is_new = provider._state.adding
    if missing := [name for name in ("issuer", "client_id", "allowed_domains") if is_new and not changes.get(name)]:
        raise Invalid(
            "The identity provider is not whole.",
            errors=[{"field": name, "constraint": "required", "message": "This is required."} for name in missing],
        )
    if "issuer" in changes:
        changes["issuer"] = _issuer(changes["issuer"])
    if "allowed_domains" in changes:
        changes["allowed_domains"] = _domains(changes["allowed_domains"])
    fields = [name for name, value in changes.items() if getattr(provider, name) != value]
    moved = not is_new and bool({"issuer", "client_id"} & set(fields))
    if moved and provider.client_secret and "client_secret" not in changes:
        raise Invalid.field("clientSecret", "Another issuer or client needs the secret again.", constraint="required")
    old_issuer = provider.issuer
    for name in fields:
        setattr(provider, name, changes[name])
    provider.save(update_fields=None if is_new else fields)
    provider.refresh_from_db()
    forget_provider(old_issuer)
    forget_provider(provider.issuer)
    if moved or not provider.is_enabled or "allowed_domains" in fields:
        _end_sso_sessions(organization, "identity_provider_changed")
    _require(organization, organization.requires_sso if is_required is None else is_required, provider)
    record("identity_provider.created" if is_new else "identity_provider.updated", "identity_provider", provider.pk,
           fields=sorted({*fields, *(["is_required"] if is_required is not None else [])}))  # fmt: skip
    return provider


def delete_provider() -> None:
    """Forget the provider and whom it meant; members log in by password again."""
    provider = provider_of_organization()
    if provider is None:
        raise NotFound("There is no identity provider.")
    organization = Organization.objects.select_for_update(no_key=True).get(pk=current_organization_id())
    Organization.objects.filter(pk=organization.pk).update(requires_sso=False)
    _end_sso_sessions(organization, "identity_provider_removed")
    IdentityLink.objects.all().delete()
    provider.delete()
    record("identity_provider.deleted", "identity_provider", provider.pk)


def check_provider(issuer: str) -> dict[str, Any]:
    """Read the provider's description and keys anew and return what was found; raise SsoFailed, OutboundRefused."""
    forget_provider(issuer)
    provider = read_provider(issuer)
    return {
        "issuer": issuer,
        "authorization_endpoint": provider.metadata["authorization_endpoint"],
        "token_endpoint": provider.metadata["token_endpoint"],
        "keys": len(provider.keys.keys),
    }


def _require(organization: Organization, is_required: bool, provider: IdentityProvider) -> None:
    if is_required and not provider.is_enabled:
        raise Invalid.field("isRequired", "A provider that is off cannot be required.", constraint="enabled")
    if is_required and not organization.requires_sso:
        admins = Membership.objects.active().filter(organization=organization, role=Role.ADMIN, is_break_glass=True)
        if not admins.exists():
            raise NoBreakGlass
        by_password = Session.objects.filter(organization=organization, sso_organization=None)
        spared = Membership.objects.filter(organization=organization, is_break_glass=True)
        end_sessions(by_password.exclude(user__in=spared.values("user")), reason="single_sign_on_required")
    Organization.objects.filter(pk=organization.pk).update(requires_sso=is_required)


def _end_sso_sessions(organization: Organization, reason: str) -> None:
    end_sessions(Session.objects.filter(sso_organization=organization), reason=reason)


def _issuer(text: str) -> str:
    try:
        check_address(text, [host_of(text)])
    except OutboundRefused as error:
        raise Invalid.field("issuer", "This must be a public https address.", value=text, constraint="https") from error
    if "?" in text or "#" in text:
        raise Invalid.field("issuer", "An issuer has neither query nor fragment.", value=text, constraint="format")
    return text


def _domains(texts: list[str]) -> list[str]:
    domains = sorted({text.strip().lower().removeprefix("@") for text in texts})
    for domain in domains:
        if not DOMAIN.fullmatch(domain):
            raise Invalid.field("allowedDomains", f"{domain} is not a domain.", value=domain, constraint="format")
        if domain in PUBLIC_MAIL:
            message = f"Anybody gets an address at {domain}; name domains of your organization."
            raise Invalid.field("allowedDomains", message, value=domain, constraint="public")
    return domains
