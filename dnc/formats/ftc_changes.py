"""FTC change list, flat, in both layouts that are told of: ten digits, a moment or day, A or D.

    9805550100,2022-12-07T02:20:18,A
    9805550101 2022-12-07 D

Or the web service's own word that there were none, in a file whose name says the day:

    NoChanges

Anything else is refused; changes are applied in the order of their time.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO

import numpy as np

from dnc.formats import Batch, Format, FormatError, Identity, bad_line, digits_at, fixed_lines, whole_lines

TIMED = rb"[0-9]{10},[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2},[AD]|"
DATED = rb"[0-9]{10} [0-9]{4}-[0-9]{2}-[0-9]{2} [AD]|"
NONE = b"NoChanges"
NAME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})_(?:delta|change|changes)_([^_/]+?)(?:\.txt)?(?:\.zip)?", re.IGNORECASE)


class FtcChanges(Format):
    slug = "ftc-changes"
    label = "FTC change list, flat"
    holds = "changes"

    def identify(self, name: str) -> Identity | None:
        match = NAME.fullmatch(name)
        if match is None:
            # Names of change lists are not published: the version is the newest change then.
            return None if name.lower().endswith(".xml") else Identity()
        try:
            return Identity(version_date=date(int(match[1]), int(match[2]), int(match[3])), guid=match[4])
        except ValueError:
            return None

    def recognises(self, head: bytes) -> bool:
        first = head.split(b"\n", 1)[0]
        if head.strip() == NONE:
            return True
        return bool(first) and (re.fullmatch(TIMED, first) or re.fullmatch(DATED, first)) is not None

    def read(self, stream: BinaryIO, options: dict[str, Any]) -> Iterator[Batch]:
        line, is_timed = 0, None
        for piece in whole_lines(stream):
            if piece.strip() == NONE and not line:
                nothing = np.empty(0, dtype=np.int64)
                yield Batch(nothing, 1, nothing.astype(bool), nothing)
                line += 1
                continue
            if is_timed is None:
                is_timed = piece[10:11] == b","
            width, pattern, marks = (33, TIMED, "--T::") if is_timed else (24, DATED, "--")
            table = fixed_lines(piece, width, line, pattern)
            places = [15, 18, 21, 24, 27][: len(marks)]
            separator = ord(",") if is_timed else ord(" ")
            good = bool((table[:, 10] == separator).all() and (table[:, width - 3] == separator).all())
            good = good and all(
                bool((table[:, place] == ord(mark)).all()) for place, mark in zip(places, marks, strict=True)
            )
            number, is_number = digits_at(table, range(10))
            fields = []
            for start, end in [(11, 15), (16, 18), (19, 21), (22, 24), (25, 27), (28, 30)][: 6 if is_timed else 3]:
                value, is_value = digits_at(table, range(start, end))
                fields.append(value)
                good = good and is_value
            action = table[:, width - 2]
            removed = action == ord("D")
            if not (good and is_number and (removed | (action == ord("A"))).all()):
                raise bad_line(piece, line, pattern)
            yield Batch(number + 10_000_000_000, len(table), removed, moments(fields, line))
            line += len(table)


def moments(fields: list[Any], line: int) -> Any:
    """Return seconds since 1970 from years, months, days and times; raise FormatError for a day that never was."""
    year, month, day = fields[:3]
    first = np.array((year - 1970) * 12 + (month - 1), dtype="datetime64[M]")
    days = first.astype("datetime64[D]").astype(np.int64) + day - 1
    longest = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(np.int64)
    good = (month >= 1) & (month <= 12) & (day >= 1) & (day <= longest)
    seconds = days * 86400
    if len(fields) == 6:
        hour, minute, second = fields[3:]
        good &= (hour < 24) & (minute < 60) & (second < 60)
        seconds = seconds + hour * 3600 + minute * 60 + second
    if not good.all():
        raise FormatError("bad_date", f"Line {line + int(np.argmin(good)) + 1} holds a date that never was.")
    return seconds
