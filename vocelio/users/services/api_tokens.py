"""Give programs tokens of their own, and take them back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from vocelio.access.principal import Principal, principal_of_member
from vocelio.access.roles import SCOPES
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden, Invalid
from vocelio.users.models import ApiToken
from vocelio.users.signals import access_changed
from vocelio.users.tokens import make_api_token

USUAL_LIFE, LONGEST_LIFE = timedelta(days=90), timedelta(days=366)
MOST_LIVE = 100


class TooManyTokens(Conflict):
    code = "TOO_MANY_TOKENS"
    message = f"An organization has at most {MOST_LIVE} API tokens at a time; revoke one first."


def create_api_token(
    *, principal: Principal, name: str, scopes: list[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Return a new token of the caller and its secret, which is never shown again; 90 days unless said otherwise.

    Raise Invalid for scopes the caller does not hold, and for a life that is over or longer than a year.
    """
    if principal_of_member(principal.user_id, principal.organization_id) is None:
        raise Forbidden("A token acts as a member of the organization; you are none.")
    wanted = sorted(set(scopes))
    foreign = [scope for scope in wanted if scope not in SCOPES or not principal.may(scope)]
    if foreign:
        raise Invalid.field("scopes", f"You cannot hand on: {', '.join(foreign)}.", value=foreign, constraint="held")
    now = timezone.now()
    expires_at = expires_at or now + USUAL_LIFE
    if not now < expires_at <= now + LONGEST_LIFE:
        raise Invalid.field("expiresAt", "A token lives for at most a year.", value=str(expires_at), constraint="range")
    if ApiToken.objects.visible_to(principal).live().count() >= MOST_LIVE:
        raise TooManyTokens
    secret, token_hash = make_api_token()
    token = ApiToken.objects.create(
        organization_id=principal.organization_id,
        user_id=principal.user_id,
        name=name,
        token_hash=token_hash,
        hint=secret[-4:],
        scopes=wanted,
        expires_at=expires_at,
    )
    token.refresh_from_db()
    record("api_token.created", "api_token", token.pk, scopes=wanted)
    return token, secret


def revoke_api_token(token: ApiToken) -> None:
    """End a token: its next call is refused, its sockets are closed. One that has ended already stays as it is."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now())
    record("api_token.revoked", "api_token", token.pk)
    transaction.on_commit(
        lambda: access_changed.send(ApiToken, user_id=token.user_id, organization_id=token.organization_id)
    )
