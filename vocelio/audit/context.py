"""Who acts, from where: set by each door, read by record()."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Actor:
    """The person or process behind the work in hand."""

    user_id: uuid.UUID | None = None
    door: str = "system"
    ip_address: str | None = None
    user_agent: str = ""
    request_id: str = ""


_current: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 - frozen


def current_actor() -> Actor:
    return _current.get()


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Do the work inside on behalf of this actor."""
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)


def identify(user_id: uuid.UUID) -> None:
    """Name the person of the current work, once the door has authenticated them."""
    _current.set(replace(_current.get(), user_id=user_id))
