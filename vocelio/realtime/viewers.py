"""Who looks through a socket or reads the history of events, and which records' events they may see."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models.functions import Now

from vocelio.access.principal import Principal, principal_of_session
from vocelio.organizations.models import team_of
from vocelio.users.models import Session

# WebSocket close codes, the HTTP statuses with 4000 added.
UNAUTHORIZED, FORBIDDEN = 4401, 4403


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
