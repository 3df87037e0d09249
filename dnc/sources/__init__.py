"""Places that lists' files come from by themselves, one file each. They see settings and secrets, never models.

A place that is dropped in here is found by its class (`find_plugins("dnc.sources", Place)`).
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vocelio.plugins import Plugin, PluginError, find_plugins


@dataclass(frozen=True)
class Fetched:
    """A file as it came. `name` identifies it and its version for ever; `is_raw` says that `decode` must be asked."""

    name: str
    filename: str
    content: bytes
    is_raw: bool = False


@dataclass
class Errand:
    """What a place is given: its settings and secret, what is there already, and its memory between two runs."""

    settings: dict[str, Any]
    secret: str
    is_known: Callable[[str], bool]
    state: dict[str, Any] = field(default_factory=dict)
    # Folder of the storage that belongs to the list; the place may not look elsewhere.
    prefix: str = ""


class Place(Plugin):
    """A kind of place. `required` names its settings; `for_operators` keeps it from lists of organizations."""

    label: ClassVar[str]
    required: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    needs_secret: ClassVar[bool] = False
    for_operators: ClassVar[bool] = False

    @abstractmethod
    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        """Yield what is new; raise PluginError for what stands in the way. Runs outside any transaction."""

    def covers(self, settings: dict[str, Any]) -> tuple[str, ...]:
        """Return the area codes, or "all", of which its change lists tell every change; none where that is unknown."""
        return ()

    def decode(self, raw: bytes) -> bytes:
        """Return the file within a raw answer; where answers are the files themselves, the answer."""
        return raw


def all_places() -> dict[str, Place]:
    """Return every kind of place by its slug."""
    return find_plugins("dnc.sources", Place)


__all__ = ["Errand", "Fetched", "Place", "PluginError", "all_places"]
