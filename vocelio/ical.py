"""Lines of calendars (RFC 5545), and who fills a person's calendar.

Each app registers what it adds in its `apps.ready()`; `/calendar/{token}.ics` shows all of it.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator

from vocelio.access.principal import Principal

# Returns the lines of the entries of a person that end after a time, from BEGIN:VEVENT to END:VEVENT.
Source = Callable[[Principal, datetime.datetime], Iterable[str]]

_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Add a source of entries to people's calendars; names are unique."""
    if _sources.setdefault(name, source) is not source:
        raise ValueError(f"There are two sources of calendar entries named {name!r}")


def entries(principal: Principal, since: datetime.datetime) -> Iterator[str]:
    """Yield the lines of every source's entries, inside the person's scope."""
    for source in _sources.values():
        yield from source(principal, since)


def folded(lines: Iterable[str]) -> str:
    """Return the lines as a calendar file holds them."""
    return "\r\n".join(_folded(line) for line in lines) + "\r\n"


def moment(value: datetime.datetime) -> str:
    return value.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def text(value: str) -> str:
    """Escape what RFC 5545, 3.3.11 gives a meaning."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _folded(line: str) -> str:
    """Break a line after 75 octets at most (RFC 5545, 3.1), never inside a character."""
    pieces, piece, size = [], "", 0
    for character in line:
        width = len(character.encode())
        if size + width > 74:
            pieces.append(piece)
            piece, size = "", 0
        piece, size = piece + character, size + width
    return "\r\n ".join([*pieces, piece])
