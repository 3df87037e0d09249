"""What people are told of. Each app registers its kinds in its `notices.py`, which is found at start.

register(Kind("activity.reminder", "Reminders of activities", email=True))
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import models


class Channel(models.TextChoices):
    """How a notification reaches a person besides the list of notifications."""

    SOCKET = "socket", "At once, on the WebSocket"
    EMAIL = "email", "By e-mail"


@dataclass(frozen=True)
class Kind:
    """One kind of notification, and the channels it takes unless a person prefers otherwise."""

    name: str
    label: str
    socket: bool = True
    email: bool = False

    def takes(self, channel: str) -> bool:
        """Say whether it takes the channel by default."""
        return self.socket if channel == Channel.SOCKET else self.email


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Offer the kind to notify() and to people's preferences; names are unique."""
    if _kinds.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"There are two kinds of notification named {kind.name!r}")


def kind_named(name: str) -> Kind:
    return _kinds[name]


def all_kinds() -> Collection[Kind]:
    return _kinds.values()
