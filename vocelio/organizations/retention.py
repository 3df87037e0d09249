"""How long things are kept: the installation's durations, and within bounds what an organization chose instead.

Whoever purges something registers it in `apps.ready()` and asks `kept_for(name)` inside the organization's scope:

    register(Kept("exports", "Exported files", shortest=1, longest=90))
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from vocelio.organizations.models import Organization, RetentionRule
from vocelio.organizations.scope import organization_scope


@dataclass(frozen=True)
class Kept:
    """A kind of data that organizations may keep for a time of their own, in days.

    Without a duration in settings.RETENTION it is kept for ever unless the organization chose.
    """

    name: str
    title: str
    shortest: int
    longest: int

    @property
    def default(self) -> int | None:
        kept = settings.RETENTION.get(self.name)
        return None if kept is None else max(1, kept.days)


_kinds: dict[str, Kept] = {}


def register(*kinds: Kept) -> None:
    """Let organizations choose how long these are kept; names are unique."""
    for kind in kinds:
        if _kinds.setdefault(kind.name, kind) != kind:
            raise ValueError(f"Two kinds of data to keep are named {kind.name!r}")


def all_kept() -> list[Kept]:
    return [_kinds[name] for name in sorted(_kinds)]


def kept_days() -> dict[str, int]:
    """Return what the open organization chose, in days by name."""
    return dict(RetentionRule.objects.values_list("name", "days"))


def kept_for(name: str) -> timedelta | None:
    """Return how long the open organization keeps it; None for ever."""
    chosen = RetentionRule.objects.filter(name=_kinds[name].name).values_list("days", flat=True).first()
    return settings.RETENTION.get(name) if chosen is None else timedelta(days=chosen)


def kept_since(name: str) -> datetime | None:
    """Return before when the open organization's data is past its time; None for never."""
    kept = kept_for(name)
    return None if kept is None else timezone.now() - kept


def kept_by_organization(name: str) -> dict[uuid.UUID, timedelta | None]:
    """Return how long each organization keeps it, for what is removed of all at once."""
    found = {}
    for organization_id in Organization.objects.values_list("pk", flat=True):
        with organization_scope(organization_id):
            found[organization_id] = kept_for(name)
    return found
