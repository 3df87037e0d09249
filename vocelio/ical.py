"""Lines of calendars (RFC 5545)."""

import datetime
from collections.abc import Iterable


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
