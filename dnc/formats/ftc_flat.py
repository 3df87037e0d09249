"""FTC National Do Not Call Registry, full list, flat: `818,5550100`, LF, no header, one area code a file.

Seven million lines of real downloads had no other form. Exchanges of 000 occur, so zeros stay and no line is judged by
a numbering plan.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from dnc.formats import Batch, Format, Identity, bad_line, digits_at, fixed_lines, ftc_identity, whole_lines

LINE = rb"[0-9]{3},[0-9]{7}|"
WIDTH = 12
COMMA = 44


class FtcFlat(Format):
    slug = "ftc-flat"
    label = "FTC full list, flat"

    def identify(self, name: str) -> Identity | None:
        return ftc_identity(name)

    def recognises(self, head: bytes) -> bool:
        return re.match(rb"[0-9]{3},[0-9]{7}\n", head) is not None

    def read(self, stream: BinaryIO, options: dict[str, Any]) -> Iterator[Batch]:
        line = 0
        # A multiple of the width, so that no piece is put together from two.
        for piece in whole_lines(stream, WIDTH * 512 * 1024):
            table = fixed_lines(piece, WIDTH, line, LINE)
            area, is_area = digits_at(table, range(3))
            number, is_number = digits_at(table, range(4, 11))
            if not (is_area and is_number and (table[:, 3] == COMMA).all()):
                raise bad_line(piece, line, LINE)
            number += area * 10_000_000
            number += 10_000_000_000
            yield Batch(number, len(table))
            line += len(table)
