"""What other systems may be told of. Each app registers its types in its `webhook_events.py`, which is found at start.

CONTACT = Shown("contact", "contactId", "contacts.views.contacts.ContactViewSet")
register(EventType("contact.created", "A contact was made.", topic="contacts", on="contact_created", shows=CONTACT))

A type is a view on the events of `publish()`: who publishes has announced it, and nothing else is called.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

Data = Mapping[str, Any]

EVERYTHING = "*"
# What the test button sends; wanted by no list of events, since nobody publishes it.
TEST = "webhook.test"


@dataclass(frozen=True)
class Shown:
    """The record an event tells of: shown under `name` as the view's GET shows it to an admin, null once it is gone.

    `key` names its id in the event's data. What rests encrypted is left out.
    """

    name: str
    key: str
    view: str


def always(data: Data) -> bool:
    return True


def without_values(data: Data) -> dict[str, Any]:
    """Return an event's data with the names of changed fields instead of their values."""
    shaped = {name: value for name, value in data.items() if name != "changes"}
    if data.get("changes"):
        shaped["changedFields"] = sorted(data["changes"])
    return shaped


@dataclass(frozen=True)
class EventType:
    """One kind of fact: events of `topic` whose type is `on`, where `when` says so, in the form that `shape` gives."""

    name: str
    summary: str
    topic: str
    on: str
    shows: Shown | None = None
    when: Callable[[Data], bool] = always
    shape: Callable[[Data], dict[str, Any]] = without_values
    # The data of an event as published, for the catalogue; ids stand for themselves.
    example: Mapping[str, Any] | None = None

    def tells_of(self, topic: str, on: str, data: Data) -> bool:
        """Say whether an event of publish() is of this type."""
        return topic == self.topic and on == self.on and self.when(data)


_types: dict[str, EventType] = {}


def register(event_type: EventType) -> None:
    """Offer the type to webhook endpoints; names are unique."""
    if _types.setdefault(event_type.name, event_type) is not event_type:
        raise ValueError(f"There are two types of webhook events named {event_type.name!r}")


def all_types() -> Collection[EventType]:
    return _types.values()


def is_wish(wish: str) -> bool:
    """Say whether an endpoint may ask for this: a type, `noun.*` of one, or everything."""
    return wish == EVERYTHING or wish in _types or any(wish == f"{noun_of(name)}.*" for name in _types)


def is_wanted(name: str, wishes: Collection[str]) -> bool:
    """Say whether wishes ask for a type."""
    return EVERYTHING in wishes or name in wishes or f"{noun_of(name)}.*" in wishes


def noun_of(name: str) -> str:
    return name.partition(".")[0]
