"""What a socket may subscribe to. Each app registers its topics in its `topics.py`, which is found at start.

register(
    Topic(
        "contacts",
        "Contacts as they change.",
        permission="contacts:read",
        owned=True,
        filters=("listId",),
        matches=on_list,
        events={"contact_updated": shape(contactId=ID, changes=FREE)},
    )
)
"""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from vocelio.errors import Invalid, NotFound, VocelioError
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.shapes import Shape
from vocelio.realtime.viewers import Viewer


def matches_everything(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True)
class Topic:
    """A stream of events: who may follow it, and which of its events a subscription receives.

    `key` names the parameter that picks one row, compared with the `key` of publish(); `exists` says inside the
    organization's scope whether there is such a row that the viewer may see. `filters` are optional ids that
    `matches` compares with an event's data. `sources` names other topics whose events make parts of what the key shows
    out of date, {topic: parts}: the subscription is told so, at most every few seconds (watches.py). The records of an
    `owned` topic have a responsible user: an event that does not name its owners is kept from those who may not see
    everybody's.
    """

    name: str
    about: str
    permission: str
    # The types of its events, each with the shape of its data.
    events: Mapping[str, Shape] = field(hash=False)
    key: str = ""
    exists: Callable[[Viewer, uuid.UUID], bool] | None = None
    filters: tuple[str, ...] = ()
    matches: Callable[[Mapping[str, str], Mapping[str, Any]], bool] = matches_everything
    owned: bool = False
    personal: bool = False
    sources: Callable[[Viewer, uuid.UUID], Mapping[str, Collection[str]]] | None = None

    @property
    def stale_event(self) -> str:
        """Return the type by which a watch tells what is out of date."""
        return f"{self.name}_stale"

    def shown_to(self, viewer: Viewer, owners: Collection[str] | None) -> bool:
        """Say whether the viewer may see an event about these people's records."""
        if self.personal:
            return owners is not None and str(viewer.principal.user_id) in owners
        return viewer.principal.may(self.permission) and viewer.sees(owners, unless_told=not self.owned)


_topics: dict[str, Topic] = {}


def register(topic: Topic) -> None:
    """Offer the topic to sockets; names are unique."""
    if _topics.setdefault(topic.name, topic) is not topic:
        raise ValueError(f"There are two topics named {topic.name!r}")


def all_topics() -> Collection[Topic]:
    return _topics.values()


class NotAllowed(VocelioError):
    code = "FORBIDDEN"
    status = 403
    message = "Your role does not allow this."


@dataclass(frozen=True)
class Subscription:
    """One topic with its parameters; equal to another of the same meaning."""

    topic: Topic
    key: str = ""
    filters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, message: Mapping[str, Any]) -> "Subscription":
        """Understand a client's message; raise a VocelioError that says what is wrong with it."""
        channel = message.get("channel")
        topic = _topics.get(channel) if isinstance(channel, str) else None
        if topic is None:
            raise NotFound(f"There is no such channel; there are: {', '.join(sorted(_topics))}.")
        key = read_id(topic.key, message.get(topic.key)) if topic.key else ""
        filters = message.get("filters") or {}
        if not isinstance(filters, dict):
            raise Invalid.field("filters", "filters must be an object.", constraint="object")
        for name in filters:
            if name not in topic.filters:
                raise Invalid.field("filters", "There is no such filter on this channel.", constraint="unknown")
        return cls(topic, key, tuple(sorted((name, read_id(name, value)) for name, value in filters.items())))

    def admit(self, viewer: Viewer) -> None:
        """Raise NotAllowed or NotFound unless the viewer may follow this."""
        if not viewer.principal.may(self.topic.permission):
            raise NotAllowed
        if self.topic.exists is not None:
            with organization_scope(viewer.principal.organization_id):
                if not self.topic.exists(viewer, uuid.UUID(self.key)):
                    raise NotFound

    def sources(self, viewer: Viewer) -> Mapping[str, Collection[str]]:
        """Return the topics whose events make parts of what this shows out of date, as the tables say now."""
        if self.topic.sources is None:
            return {}
        with organization_scope(viewer.principal.organization_id):
            return self.topic.sources(viewer, uuid.UUID(self.key))

    def matches(self, key: str, data: Mapping[str, Any]) -> bool:
        """Say whether an event of the topic belongs to this subscription."""
        return (not self.topic.key or self.key == key) and self.topic.matches(dict(self.filters), data)

    def described(self) -> dict[str, Any]:
        """Return the parameters as the client sent them."""
        described: dict[str, Any] = {"channel": self.topic.name}
        if self.topic.key:
            described[self.topic.key] = self.key
        if self.filters:
            described["filters"] = dict(self.filters)
        return described


def read_id(name: str, value: Any) -> str:
    """Return an id in its usual spelling; raise Invalid for anything else."""
    try:
        return str(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise Invalid.field(name, f"{name} must be an id (UUID).", constraint="uuid") from None
