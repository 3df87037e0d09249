"""File formats of registries and lists, one file each. They see streams and settings, never models.

A format that is dropped in here is found by its class (`find_plugins("dnc.formats", Format)`). It reads pieces of a
stream into batches of numbers; what it does not understand it refuses by FormatError, it never guesses.
"""

import io
import re
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, BinaryIO, ClassVar

import numpy as np

from vocelio.plugins import Plugin, find_plugins

CHUNK = 6 * 1024 * 1024
Numbers = "np.ndarray[Any, np.dtype[np.int64]]"


class FormatError(Exception):
    """The file is not what its format promises; `code` is stable, the message says where."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Identity:
    """What a file's name says: of which day and area it is, and which delivery."""

    version_date: date | None = None
    area: str = ""
    guid: str = ""


@dataclass(frozen=True)
class Batch:
    """Some numbers of a file, as int64 E.164 without +; `removed` marks those that are taken off the list.

    `at` (seconds, or days, since 1970) orders changes; `rows` holds per number what entries and facts keep besides.
    """

    numbers: "np.ndarray[Any, np.dtype[np.int64]]"
    lines: int
    removed: "np.ndarray[Any, np.dtype[np.bool_]] | None" = None
    at: "np.ndarray[Any, np.dtype[np.int64]] | None" = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[int, str, str]] = field(default_factory=list)


class Format(Plugin):
    """A kind of file. `holds` is "full" for a whole list, "changes" for additions and removals, "facts" for answers."""

    label: ClassVar[str]
    holds: ClassVar[str] = "full"
    # Whether numbers of the file are written for people and must be judged, as in lists of one's own.
    judged: ClassVar[bool] = False

    def identify(self, name: str) -> Identity | None:
        """Return what the file's name says, None when a file of this format is not called so."""
        return Identity()

    @abstractmethod
    def recognises(self, head: bytes) -> bool:
        """Say whether a file that begins so is of this format."""

    @abstractmethod
    def read(self, stream: BinaryIO, options: dict[str, Any]) -> Iterator[Batch]:
        """Yield the numbers; raise FormatError at the first line that is not understood."""


def all_formats() -> dict[str, Format]:
    """Return every format by its slug."""
    return find_plugins("dnc.formats", Format)


def whole_lines(stream: BinaryIO, size: int = CHUNK) -> Iterator[bytes]:
    """Yield the stream in pieces that end with a line's end; raise FormatError when the last line breaks off."""
    rest = b""
    while piece := stream.read(size):
        piece = rest + piece
        end = piece.rfind(b"\n") + 1
        rest = piece[end:]
        if len(rest) > 64 * 1024:
            raise FormatError("not_lines", "The file has no line ends.")
        if end:
            yield piece[:end]
    if rest:
        raise FormatError("truncated", "The last line breaks off.")


@contextmanager
def text_of(stream: BinaryIO, encoding: str = "utf-8-sig") -> Iterator[io.TextIOWrapper]:
    """Read the stream as text for the time of use, and leave it open."""
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        yield text
    finally:
        text.detach()


def digits_at(table: "np.ndarray[Any, np.dtype[np.uint8]]", columns: range) -> Any:
    """Return the numbers that stand in the columns of a table of bytes, and whether all of them are digits."""
    number = np.zeros(len(table), dtype=np.int64)
    good = True
    for column in columns:
        digit = table[:, column] - np.uint8(48)
        good = good and bool((digit <= 9).all())
        number *= 10
        number += digit
    return number, good


def fixed_lines(piece: bytes, width: int, line: int, pattern: bytes) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Return the piece as one row of bytes a line; raise FormatError naming the first line that is none of them."""
    if len(piece) % width == 0:
        table = np.frombuffer(piece, dtype=np.uint8).reshape(-1, width)
        if (table[:, -1] == 10).all():
            return table
    raise bad_line(piece, line, pattern)


def bad_line(piece: bytes, line: int, pattern: bytes) -> FormatError:
    """Return the error that names the first line which does not match the pattern."""
    matches = re.compile(pattern).fullmatch
    for number, text in enumerate(piece.split(b"\n"), line + 1):
        if matches(text) is None:
            return FormatError("bad_line", f"Line {number} is not understood: {text[:40]!r}.")
    return FormatError("bad_line", f"The lines from {line + 1} on are not understood.")


def seconds_of(text: str, pattern: str) -> int:
    """Return a moment of a file as seconds since 1970, taken as UTC since only its order counts."""
    try:
        moment = datetime.strptime(text, pattern)  # noqa: DTZ007 - the file does not say its zone
    except ValueError as error:
        raise FormatError("bad_date", f"Not a date: {text[:40]!r}.") from error
    return int((moment - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001


def ftc_identity(name: str) -> Identity | None:
    """Read `2026-8-5_818_<guid>.txt`: month and day are not padded."""
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})_(\d{3})_([^_/]+?)(?:\.txt|\.xml)?(?:\.zip)?", name)
    if match is None:
        return None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    return Identity(version_date=day, area="1" + match[4], guid=match[5])
