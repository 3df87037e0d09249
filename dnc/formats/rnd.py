"""Answers of the FCC's Reassigned Numbers Database: number, the date asked about, yes, no or no data.

The query's columns are `phone,date`; of the answer's no names are published, so the third column is the answer,
whatever its header. A "no" is the safe harbour and is kept with the day it was given.
"""

import csv
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO

import numpy as np

from dnc.formats import Batch, Format, FormatError, Identity, text_of

ANSWERS = {"yes", "no", "no data"}
# The forms of dates that the database's FAQ lists.
DATES = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y")
LINE = re.compile(rb"\"?\+?1?[0-9]{10}\"?,\"?[0-9/-]{6,10}\"?,\"?(?:yes|no|no data)\"?\r?", re.IGNORECASE)
ROWS = 10_000


class Rnd(Format):
    slug = "rnd"
    label = "Reassigned Numbers Database, answers"
    holds = "facts"
    fact = "reassigned"

    def identify(self, name: str) -> Identity | None:
        return Identity() if name.lower().endswith((".csv", ".txt", ".zip")) else None

    def recognises(self, head: bytes) -> bool:
        lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        return any(LINE.fullmatch(line) for line in lines[:2])

    def read(self, stream: BinaryIO, options: dict[str, Any]) -> Iterator[Batch]:
        numbers: list[int] = []
        rows: list[dict[str, Any]] = []
        try:
            with text_of(stream) as text:
                for line, cells in enumerate(csv.reader(text), 1):
                    if line == 1 and not any(character.isdigit() for character in "".join(cells)):
                        continue
                    if not cells:
                        continue
                    number, since, answer = read_line(line, cells)
                    numbers.append(number)
                    rows.append({"kind": "reassigned", "value": answer, "since": since})
                    if len(numbers) == ROWS:
                        yield Batch(np.array(numbers, dtype=np.int64), len(numbers), rows=rows)
                        numbers, rows = [], []
        except (UnicodeDecodeError, csv.Error) as error:
            raise FormatError("not_text", "The file is not UTF-8 text.") from error
        yield Batch(np.array(numbers, dtype=np.int64), len(numbers), rows=rows)


def read_line(line: int, cells: list[str]) -> tuple[int, date, str]:
    if len(cells) < 3 or cells[2].strip().lower() not in ANSWERS:
        raise FormatError("bad_line", f"Line {line} has no answer yes, no or no data.")
    digits = cells[0].strip().removeprefix("+")
    if not re.fullmatch(r"1?[2-9][0-9]{9}", digits):
        raise FormatError("bad_number", f"Line {line} holds no North American number.")
    return int(digits[-10:]) + 10_000_000_000, read_date(line, cells[1].strip()), cells[2].strip().lower()


def read_date(line: int, text: str) -> date:
    for pattern in DATES:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    raise FormatError("bad_date", f"Line {line} holds no date: {text[:20]!r}.")
