"""UK TPS and CTPS full files: twelve characters and CRLF, national numbers with their 0.

Variant 1 has the code left-justified in five characters and the rest right-justified in seven, variant 2 the digits
left-justified. Both become +44 and the digits after the 0.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO

import numpy as np

from dnc.formats import Batch, Format, FormatError, Identity, bad_line, whole_lines

LINE = rb"(?:0[0-9]{2,4} {0,3}[0-9 ]{7}|0[0-9]{8,11} *)\r|"
WIDTH = 14
SPACE = 32


class Tps(Format):
    slug = "tps"
    label = "UK TPS or CTPS full file"

    def identify(self, name: str) -> Identity | None:
        if (match := re.search(r"(\d{4})-?(\d{2})-?(\d{2})", name)) is None:
            return Identity(area="44")
        try:
            return Identity(version_date=date(int(match[1]), int(match[2]), int(match[3])), area="44")
        except ValueError:
            return None

    def recognises(self, head: bytes) -> bool:
        return re.match(rb"0[0-9 ]{11}\r\n", head) is not None

    def read(self, stream: BinaryIO, options: dict[str, Any]) -> Iterator[Batch]:
        line = 0
        for piece in whole_lines(stream, WIDTH * 256 * 1024):
            if len(piece) % WIDTH:
                raise bad_line(piece, line, LINE)
            table = np.frombuffer(piece, dtype=np.uint8).reshape(-1, WIDTH)
            if not ((table[:, 12] == 13) & (table[:, 13] == 10) & (table[:, 0] == 48)).all():
                raise bad_line(piece, line, LINE)
            number = np.full(len(table), 44, dtype=np.int64)
            length = np.zeros(len(table), dtype=np.int64)
            for column in range(1, 12):
                character = table[:, column]
                digit = character - np.uint8(48)
                is_digit = digit <= 9
                if not (is_digit | (character == SPACE)).all():
                    raise bad_line(piece, line, LINE)
                number = np.where(is_digit, number * 10 + digit, number)
                length += is_digit
            # National numbers have nine or ten digits after the 0, a few old ones seven.
            if not np.isin(length, (7, 9, 10)).all():
                at = int(np.argmin(np.isin(length, (7, 9, 10))))
                raise FormatError("bad_number", f"Line {line + at + 1} is no national number.")
            yield Batch(number, len(table))
            line += len(table)
