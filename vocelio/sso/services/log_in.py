"""Logging in at an organization's identity provider: from the button to a session.

begin() -> the browser goes to the provider with state, nonce and PKCE; the rest waits in a signed cookie
finish() -> the provider's answer names a person; who that is here, see `_person_of`
a frontend trades hand_over()'s code for tokens by trade(), the back office opens its own session
"""

import secrets
import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from vocelio.audit.context import identify
from vocelio.audit.services import record
from vocelio.errors import Forbidden, Invalid, NotFound, Unauthorized
from vocelio.members.services.members import add_member
from vocelio.organizations.models import Membership, Organization
from vocelio.organizations.scope import organization_scope
from vocelio.sso.models import IdentityLink, IdentityProvider
from vocelio.sso.services.installation import INSTALLATION, home_of, installation_provider
from vocelio.sso.services.protocol import Client, Identity, SsoFailed, authorization_url, code_challenge, redeem
from vocelio.users.models import SingleSignOnCode, User
from vocelio.users.services.attempts import prove_password
from vocelio.users.services.second_factor import has_second_factor, prove_code
from vocelio.users.services.sessions import Tokens, start_session
from vocelio.users.tokens import hash_secret, make_secret

FLOW_SECONDS, LINK_SECONDS, CODE_VALID_FOR = 600, 600, timedelta(minutes=1)
_FLOW_SALT, _LINK_SALT = "vocelio.sso.flow", "vocelio.sso.link"


class SsoUnavailable(NotFound):
    code = "SSO_UNAVAILABLE"
    message = "This organization has no single sign-on."


class FlowOver(Unauthorized):
    code = "SSO_EXPIRED"
    message = "This log-in took too long, is over or began in another browser; begin anew."


class SsoRefused(Forbidden):
    """The provider vouches for somebody who may not come in here."""

    code = "SSO_REFUSED"
    message = "Your account at the identity provider does not let you in here; ask an admin to invite you."


class LinkRequired(Unauthorized):
    """There is an account of this address, which the provider alone does not open; see `link`."""

    code = "SSO_LINK_REQUIRED"
    message = "There is an account with your address; prove its password once to connect it."

    def __init__(self, challenge: str) -> None:
        super().__init__(challenge=challenge, expiresIn=LINK_SECONDS)


@dataclass(frozen=True)
class Flow:
    """A log-in under way, kept by the browser that began it."""

    slug: str
    state: str
    nonce: str
    verifier: str
    # Of a frontend: where it wants the code, and what it will prove itself by. Empty for the back office.
    return_to: str = ""
    challenge: str = ""

    def sealed(self) -> str:
        return signing.dumps(asdict(self), salt=_FLOW_SALT)


def redirect_uri(slug: str) -> str:
    """Return the address to register at the provider: one for each organization, so that none is taken for another."""
    return f"{settings.PUBLIC_URL}/v1/auth/oidc/{slug}/callback"


def begin(slug: str, *, return_to: str = "", challenge: str = "") -> tuple[str, Flow]:
    """Return where to send the browser, and what it keeps meanwhile; raise SsoUnavailable, Invalid, SsoFailed."""
    if return_to:
        _check_return_address(return_to)
    _, client, _ = _provider(slug)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    flow = Flow(slug, state, nonce, verifier, return_to, challenge)
    url = authorization_url(
        client, redirect_uri=redirect_uri(slug), state=flow.state, nonce=flow.nonce, verifier=flow.verifier
    )
    return url, flow


def read_flow(sealed: str, slug: str) -> Flow:
    """Return the log-in that this browser began for this organization; raise FlowOver."""
    try:
        flow = Flow(**signing.loads(sealed, salt=_FLOW_SALT, max_age=FLOW_SECONDS))
    except signing.BadSignature:
        raise FlowOver from None
    if flow.slug != slug:
        raise FlowOver
    return flow


def finish(flow: Flow, answer: dict[str, str]) -> tuple[User, Organization]:
    """Return whom the provider's answer lets in; raise FlowOver, SsoFailed, SsoRefused or LinkRequired."""
    if not constant_time_compare(answer.get("state", ""), flow.state):
        raise FlowOver
    organization, client, provider = _provider(flow.slug)
    if answer.get("iss") not in (None, client.issuer):
        raise SsoFailed("The answer is another provider's.")
    if "code" not in answer:
        raise SsoFailed(f"The provider refused: {answer.get('error', 'no code')[:100]}")
    identity = redeem(
        client,
        code=answer["code"],
        verifier=flow.verifier,
        redirect_uri=redirect_uri(flow.slug),
        nonce=flow.nonce,
    )
    if organization is None and (organization := home_of(identity)) is None:
        raise SsoRefused
    with organization_scope(organization.pk):
        outcome = _person_of(organization, provider, identity)
        if isinstance(outcome, User):
            identify(outcome.pk)
            _note_link(outcome, identity)
        else:
            record("single_sign_on.refused", "identity_provider", provider.pk, reason=outcome.code)
    if not isinstance(outcome, User):
        raise outcome
    return outcome, organization


def link(*, challenge: str, password: str, code: str = "") -> tuple[User, Organization]:
    """Connect the provider's subject with an account whose owner proves it, and return who may come in.

    Raise FlowOver, InvalidCredentials, InvalidCode, SsoRefused.
    """
    try:
        content: dict[str, Any] = signing.loads(challenge, salt=_LINK_SALT, max_age=LINK_SECONDS)
    except signing.BadSignature:
        raise FlowOver from None
    identity = Identity(**content["identity"])
    organization, client, provider = _provider(content["slug"])
    if organization is None or client.issuer != identity.issuer:
        raise FlowOver
    user = prove_password(email=identity.email, password=password)
    if has_second_factor(user.pk):
        if not code:
            raise Invalid.field("code", "Enter the code of your authenticator app.", constraint="required")
        prove_code(user, code)
    with organization_scope(organization.pk):
        if not _joins(user, organization, provider):
            raise SsoRefused
        _note_link(user, identity)
    return user, organization


def hand_over(user: User, organization: Organization, flow_challenge: str) -> str:
    """Return a code that the frontend which began the log-in trades for tokens, once, within a minute."""
    code, code_hash = make_secret()
    SingleSignOnCode.objects.create(
        code_hash=code_hash,
        user=user,
        organization=organization,
        challenge=flow_challenge,
        expires_at=timezone.now() + CODE_VALID_FOR,
    )
    return code


def trade(*, code: str, code_verifier: str) -> Tokens:
    """Start the session that a code stands for; a code tried with a wrong verifier is used up too."""
    found = SingleSignOnCode.objects.filter(code_hash=hash_secret(code), expires_at__gt=Now(), user__is_active=True)
    entry = found.select_related("user").first()
    # Of parallel callers one deletes it.
    if entry is None or not SingleSignOnCode.objects.filter(pk=entry.pk).delete()[0]:
        raise FlowOver
    if not constant_time_compare(entry.challenge, code_challenge(code_verifier)):
        raise FlowOver
    return enter_by_sso(entry.user, entry.organization_id)


def enter_by_sso(user: User, organization_id: uuid.UUID) -> Tokens:
    """Start a session that opens this organization alone."""
    identify(user.pk)
    return start_session(user=user, organization_id=organization_id, sso_organization_id=organization_id)


def _provider(slug: str) -> tuple[Organization | None, Client, IdentityProvider]:
    """Return an organization's provider, or the installation's, whose organization is known once the person is."""
    if slug == INSTALLATION:
        provider = installation_provider()
        if provider is None:
            raise SsoUnavailable("This installation has no single sign-on of its own.")
        return None, Client(provider.issuer, provider.client_id, provider.client_secret), provider
    organization = Organization.objects.filter(slug=slug, is_active=True).first()
    if organization is None:
        raise SsoUnavailable
    with organization_scope(organization.pk):
        provider = IdentityProvider.objects.filter(is_enabled=True).first()
        if provider is None:
            raise SsoUnavailable
        return organization, Client(provider.issuer, provider.client_id, provider.client_secret), provider


def _person_of(
    organization: Organization, provider: IdentityProvider, identity: Identity
) -> User | SsoRefused | LinkRequired:
    """Decide who this is here. The rules, with their reasons, are in docs/security.md.

    A subject seen before is the person it was then. Otherwise a verified address of an allowed domain decides:
    nobody has it, so a newcomer joins if the organization wants that; it is a member's of this organization and
    no other, so the organization's provider may speak for them; else its owner has to prove the password.
    """
    linked = IdentityLink.objects.filter(issuer=identity.issuer, subject=identity.subject).first()
    if linked is not None:
        user = User.objects.get(pk=linked.user_id)
        return user if _may_enter(user) and _is_member(user, organization) else SsoRefused()
    if not identity.is_email_verified or not _is_of(identity.email, provider.allowed_domains):
        return SsoRefused()
    known = User.objects.filter(email=identity.email).first()
    if known is None:
        return _newcomer(provider, identity) if provider.newcomer_role else SsoRefused()
    if not _may_enter(known):
        return SsoRefused()
    if provider._state.adding:
        # The installation's: trusted by who runs it, beyond one organization.
        return known if _joins(known, organization, provider) else SsoRefused()
    organizations = set(Membership.objects.filter(user=known).values_list("organization_id", flat=True))
    if organizations == {organization.pk}:
        return known if _is_member(known, organization) else SsoRefused()
    if organization.pk not in organizations and not provider.newcomer_role:
        return SsoRefused()
    identified = {"identity": asdict(identity), "slug": organization.slug}
    return LinkRequired(signing.dumps(identified, salt=_LINK_SALT))


def _is_of(email: str, domains: list[str]) -> bool:
    """Say whether this is an address of one of the domains; a name below one is another domain."""
    try:
        validate_email(email)
    except ValidationError:
        return False
    return email.rpartition("@")[2] in domains


def _may_enter(user: User) -> bool:
    # No organization's provider speaks for the platform's operators.
    return user.is_active and not user.is_superuser


def _is_member(user: User, organization: Organization) -> bool:
    return Membership.objects.active().filter(user=user, organization=organization).exists()


def _joins(user: User, organization: Organization, provider: IdentityProvider) -> bool:
    """Say whether the person is a member, or becomes one now; a membership that was ended stays so."""
    if not _may_enter(user):
        return False
    if Membership.objects.filter(user=user, organization=organization).exists():
        return _is_member(user, organization)
    if not provider.newcomer_role:
        return False
    identify(user.pk)
    add_member(user, role=provider.newcomer_role)
    return True


def _newcomer(provider: IdentityProvider, identity: Identity) -> User:
    user = User.objects.create_user(identity.email, name=identity.name)
    identify(user.pk)
    add_member(user, role=provider.newcomer_role)
    return user


def _note_link(user: User, identity: Identity) -> None:
    """Remember the subject; a person keeps one at each provider, the latest that was let in."""
    _, is_new = IdentityLink.objects.update_or_create(
        issuer=identity.issuer, user=user, defaults={"subject": identity.subject, "last_used_at": Now()}
    )
    if is_new:
        record("single_sign_on.linked", "user", user.pk)


def _check_return_address(address: str) -> None:
    """Let codes go to the frontends of this installation alone."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin not in settings.FRONTEND_ORIGINS or "\\" in address or any(ord(letter) <= 32 for letter in address):
        raise Invalid.field(
            "returnTo", "This is not an address of a frontend of this installation.", constraint="origin"
        )
