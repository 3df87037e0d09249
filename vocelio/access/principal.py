"""The signed-in caller, read from the database at each request so that a changed role holds at once."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from vocelio.access.roles import PERMISSIONS, SELF
from vocelio.organizations.models import Role, Visibility


@dataclass(frozen=True)
class Principal:
    """Who calls, for which organization, with which role. Stands where DRF expects `request.user`."""

    user_id: uuid.UUID
    email: str
    name: str
    organization_id: uuid.UUID
    tier: str
    visibility: str
    role: str
    team: str
    session_id: uuid.UUID | None
    default_region: str
    # Empty where neither the person nor the organization has chosen one.
    language: str
    time_zone: str
    # Empty: as the language has it.
    number_format: str
    # What an API token may be used for; None for people.
    scopes: frozenset[str] | None = None
    is_authenticated: bool = field(default=True, init=False)
    is_active: bool = field(default=True, init=False)

    @property
    def pk(self) -> uuid.UUID:
        return self.user_id

    @property
    def permissions(self) -> frozenset[str]:
        granted = PERMISSIONS[self.role]
        return granted if self.scopes is None else granted & self.scopes

    def may(self, permission: str) -> bool:
        """Say whether the role holds the permission, and of an API token its scopes too."""
        return permission == SELF or permission in self.permissions

    @property
    def sees_own_team_only(self) -> bool:
        return self.role == Role.AGENT and self.visibility == Visibility.TEAM


_PEOPLE = "u.id, u.email, u.name, o.id, o.subscription_tier, o.visibility"
_PLACE = (
    "o.default_region, coalesce(nullif(u.language, ''), o.language),"
    " coalesce(nullif(u.time_zone, ''), o.time_zone), o.number_format"
)
_COLUMNS = f"{_PEOPLE}, m.role, m.team"
_ALIVE = "u.is_active AND m.is_active AND o.is_active"


def principal_of_session(
    session_id: uuid.UUID, user_id: uuid.UUID, organization_id: uuid.UUID | None = None
) -> Principal | None:
    """Return the caller of a live session, in its own organization or another one they belong to.

    None when the session ended or expired, the user or organization is disabled, or the membership is gone; and when
    the organization asks for more than was proven at log-in: a second step, or its identity provider.
    """
    return _load(
        f"""
        SELECT {_COLUMNS}, s.id, {_PLACE} FROM user_sessions s
        JOIN users u ON u.id = s.user_id
        JOIN organizations o ON o.id = coalesce(%s, s.organization_id)
        JOIN memberships m ON m.user_id = u.id AND m.organization_id = o.id
        WHERE s.id = %s AND s.user_id = %s AND s.ended_at IS NULL AND s.expires_at > now() AND {_ALIVE}
            AND (s.sso_organization_id = o.id OR s.sso_organization_id IS NULL
                AND (m.is_break_glass OR NOT o.requires_sso)
                AND (s.has_second_factor OR o.second_factor <> 'everyone'))
        """,
        [organization_id, session_id, user_id],
    )


def principal_of_api_token(token_hash: bytes) -> Principal | None:
    """Return the member whose API token this is, with its scopes; note when it was used, to the minute.

    None when the token was revoked or expired, or its owner may not come in any more.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_COLUMNS}, NULL, {_PLACE}, t.scopes,
                t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute'
            FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN organizations o ON o.id = t.organization_id
            JOIN memberships m ON m.user_id = u.id AND m.organization_id = o.id
            WHERE t.token_hash = %s AND t.revoked_at IS NULL AND t.expires_at > now() AND {_ALIVE}
            """,
            [token_hash],
        )
        row = cursor.fetchone()
        if row is None:
            return None
        if row[-1]:
            cursor.execute("UPDATE api_tokens SET last_used_at = now() WHERE token_hash = %s", [token_hash])
    fields = [*row[:-2], frozenset(row[-2])]
    return Principal(*fields)


def principal_of_member(user_id: uuid.UUID, organization_id: uuid.UUID) -> Principal | None:
    """Return the caller of a back-office session, a job or a socket by membership alone."""
    return _load(
        f"""
        SELECT {_COLUMNS}, NULL, {_PLACE} FROM users u
        JOIN memberships m ON m.user_id = u.id JOIN organizations o ON o.id = m.organization_id
        WHERE u.id = %s AND o.id = %s AND {_ALIVE}
        """,
        [user_id, organization_id],
    )


@dataclass(frozen=True)
class Entrance:
    """How somebody came into the back office, as its session keeps it."""

    has_second_factor: bool = False
    sso_organization_id: uuid.UUID | None = None

    @classmethod
    def of(cls, session: Mapping[str, Any]) -> "Entrance":
        """Read it from a back-office session."""
        sso = session.get("sso_organization_id")
        return cls(bool(session.get("has_second_factor")), uuid.UUID(sso) if sso else None)

    def keep(self, session: Any) -> None:
        """Write it to a back-office session."""
        session["has_second_factor"] = self.has_second_factor
        session["sso_organization_id"] = str(self.sso_organization_id) if self.sso_organization_id else None


def principal_of_staff(user_id: uuid.UUID, organization_id: uuid.UUID, entrance: Entrance) -> Principal | None:
    """Return the caller of a back-office session: staff who administer or manage the organization.

    The platform's operator acts as an admin of every organization, disabled ones included. None too when the
    organization asks for more than was proven at log-in: a second step, of operators as well, or its identity provider.
    """
    return _load(
        f"""
        SELECT {_PEOPLE}, CASE WHEN u.is_superuser THEN 'admin' ELSE m.role END, coalesce(m.team, ''),
            NULL, {_PLACE}
        FROM users u CROSS JOIN organizations o
        LEFT JOIN memberships m ON m.user_id = u.id AND m.organization_id = o.id
        WHERE u.id = %s AND o.id = %s AND u.is_active
            AND (u.is_superuser OR (u.is_staff AND m.is_active AND o.is_active AND m.role IN ('admin', 'manager')))
            AND (o.id = %s OR %s
                AND (u.is_superuser OR m.is_break_glass OR NOT o.requires_sso)
                AND (%s OR o.second_factor = 'optional'))
        """,
        [
            user_id,
            organization_id,
            entrance.sso_organization_id,
            entrance.sso_organization_id is None,
            entrance.has_second_factor,
        ],
    )


def _load(sql: str, parameters: list[uuid.UUID | bool | None]) -> Principal | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return Principal(*row) if row else None
