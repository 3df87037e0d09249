"""Who looks through a socket or reads the history of events, and which records' events they may see."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare

from vocelio.access.principal import (
    Entrance,
    Principal,
    principal_of_api_token,
    principal_of_session,
    principal_of_staff,
)
from vocelio.organizations.models import team_of
from vocelio.users.models import ApiToken, Session, User
from vocelio.users.tokens import hash_secret

# WebSocket close codes, the HTTP statuses with 4000 added.
UNAUTHORIZED, FORBIDDEN = 4401, 4403
ENDED_TOKEN = "The API token is not valid, was revoked or has expired."  # noqa: S105 - a message


class Refused(Exception):
    """The connection may not go on; `code` is the WebSocket's close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Viewer:
    """A caller, and the people whose records they may see; None means everybody's."""

    principal: Principal
    team: frozenset[str] | None

    def sees(self, owners: Collection[str] | None, *, unless_told: bool) -> bool:
        """Apply the ownership rule of `TenantQuerySet.visible_to` to an event; nobody's records are everybody's.

        `unless_told` is the answer for an event that does not name its owners.
        """
        if self.team is None:
            return True
        if owners is None:
            return unless_told
        return not owners or not self.team.isdisjoint(owners)


def viewer_of(principal: Principal) -> Viewer:
    """Return the viewer of a caller as the tables say now."""
    team = frozenset(map(str, team_of(principal))) if principal.sees_own_team_only else None
    return Viewer(principal, team)


def load_viewer(session_id: uuid.UUID, user_id: uuid.UUID, organization_id: uuid.UUID) -> Viewer:
    """Return the viewer of a live session; raise Refused when the session or the membership is gone."""
    principal = principal_of_session(session_id, user_id, organization_id)
    if principal is not None:
        return viewer_of(principal)
    alive = Session.objects.filter(pk=session_id, user_id=user_id, ended_at=None, expires_at__gt=Now())
    if alive.filter(user__is_active=True).exists():
        raise Refused(FORBIDDEN, "You do not belong to this organization.")
    raise Refused(UNAUTHORIZED, "The session has ended; sign in again.")


class Pass(Protocol):
    """A sign-in that a socket was opened with; `viewer` reads the tables and raises Refused once it is over."""

    @property
    def user_id(self) -> uuid.UUID: ...

    @property
    def organization_id(self) -> uuid.UUID: ...

    @property
    def expires_at(self) -> float: ...

    @property
    def expiry(self) -> str: ...

    def viewer(self) -> Viewer: ...


@dataclass(frozen=True)
class TokenPass:
    """By access token, of a session at the API."""

    user_id: uuid.UUID
    organization_id: uuid.UUID
    session_id: uuid.UUID
    expires_at: float
    expiry: str = "The access token has expired."

    def viewer(self) -> Viewer:
        return load_viewer(self.session_id, self.user_id, self.organization_id)


@dataclass(frozen=True)
class ApiTokenPass:
    """By API token, of a program."""

    user_id: uuid.UUID
    organization_id: uuid.UUID
    token_hash: bytes
    expires_at: float
    expiry: str = "The API token has expired."

    @classmethod
    def read(cls, token: str) -> "ApiTokenPass":
        """Return the pass of an API token; raise Refused unless it is live."""
        token_hash = hash_secret(token)
        found = ApiToken.objects.live().filter(token_hash=token_hash).first()
        if found is None:
            raise Refused(UNAUTHORIZED, ENDED_TOKEN)
        return cls(found.user_id, found.organization_id, token_hash, found.expires_at.timestamp())

    def viewer(self) -> Viewer:
        principal = principal_of_api_token(self.token_hash)
        if principal is None:
            raise Refused(UNAUTHORIZED, ENDED_TOKEN)
        return viewer_of(principal)


@dataclass(frozen=True)
class StaffPass:
    """By the back office's cookie, of staff who look into an organization there."""

    user_id: uuid.UUID
    organization_id: uuid.UUID
    session_key: str
    entrance: Entrance
    expires_at: float
    expiry: str = "The session has expired; sign in again."

    @classmethod
    def read(cls, session_key: str) -> "StaffPass":
        """Return the pass of a back-office session; raise Refused without a live one that has an organization."""
        session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
        user_id, organization_id = session.get(SESSION_KEY), session.get("organization_id")
        user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
        # A changed password ends the session, as it does for the pages.
        if (
            user is None
            or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS
            or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
        ):
            raise Refused(UNAUTHORIZED, "The session has ended; sign in again.")
        if not organization_id:
            raise Refused(FORBIDDEN, "Choose an organization first.")
        expires_at = session.get_expiry_date().timestamp()
        return cls(user.pk, uuid.UUID(organization_id), session_key, Entrance.of(session), expires_at)

    def viewer(self) -> Viewer:
        entrance = self.read(self.session_key).entrance
        principal = principal_of_staff(self.user_id, self.organization_id, entrance)
        if principal is None:
            raise Refused(FORBIDDEN, "You do not belong to this organization.")
        return viewer_of(principal)
