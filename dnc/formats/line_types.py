"""What kind of line numbers are, as carriers' and portability feeds tell: `phone,line_type,ported_at`."""

import csv
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from dnc.formats import Batch, Format, FormatError, Identity, text_of
from dnc.formats.rnd import read_date

HEADER = rb"phone,line_type,ported_at"
TYPES = {"wireless", "landline", "voip"}
ROWS = 10_000


class LineTypes(Format):
    slug = "line-types"
    label = "Line types and ported numbers"
    holds = "facts"

    def identify(self, name: str) -> Identity | None:
        return Identity() if name.lower().endswith((".csv", ".txt", ".zip")) else None

    def recognises(self, head: bytes) -> bool:
        return head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[0].strip().lower() == HEADER

    def read(self, stream: BinaryIO, options: dict[str, Any]) -> Iterator[Batch]:
        numbers: list[int] = []
        rows: list[dict[str, Any]] = []
        try:
            with text_of(stream) as text:
                reader = csv.reader(text)
                next(reader, None)
                for line, cells in enumerate(reader, 2):
                    if len(cells) != 3 or cells[1].strip().lower() not in TYPES:
                        raise FormatError("bad_line", f"Line {line} names no type: wireless, landline or voip.")
                    digits = cells[0].strip().removeprefix("+")
                    if not re.fullmatch(r"[1-9][0-9]{6,14}", digits):
                        raise FormatError("bad_number", f"Line {line} holds no international number.")
                    since = read_date(line, cells[2].strip()) if cells[2].strip() else None
                    numbers.append(int(digits))
                    rows.append({"kind": "line_type", "value": cells[1].strip().lower(), "since": since})
                    if len(numbers) == ROWS:
                        yield Batch(np.array(numbers, dtype=np.int64), len(numbers), rows=rows)
                        numbers, rows = [], []
        except (UnicodeDecodeError, csv.Error) as error:
            raise FormatError("not_text", "The file is not UTF-8 text.") from error
        yield Batch(np.array(numbers, dtype=np.int64), len(numbers), rows=rows)
