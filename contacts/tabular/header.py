"""Find the row that names the columns, or find that there is none."""

import re
from collections import Counter
from collections.abc import Sequence

from contacts.tabular.column_names import field_for_header
from contacts.tabular.errors import TableError, TableErrorCode
from contacts.tabular.limits import MAX_COLUMNS
from contacts.tabular.rows import Row

MAX_TITLE_ROWS = 20
_MAX_NAME_CHARS = 200
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER_OR_DATE = re.compile(r"[+-]?[\d\s.,:/()%$€£-]*\d[\d\s.,:/()%$€£-]*")


def find_header(sample: Sequence[Row]) -> tuple[int, list[str]]:
    """Return the number of the header row (0: there is none) and the name of every column."""
    header = _header_candidate(sample)
    if header is None:
        return 0, []
    body = [row.cells for row in sample if row.number > header.number]
    cells = [_clean(cell) for cell in header.cells]
    if _is_data(cells):
        names: list[str] = []
        number = 0
        body.append(header.cells)
    else:
        names = cells
        number = header.number
    width = _width(names, body)
    if width > MAX_COLUMNS:
        raise TableError(
            TableErrorCode.TOO_MANY_COLUMNS,
            f"The file has {width:,} columns, at most {MAX_COLUMNS} can be read. Delete the columns you do not need.",
        )
    return number, _unique([*names[:width], *[""] * (width - len(names))])


def _header_candidate(sample: Sequence[Row]) -> Row | None:
    """Return the first row that names two fields we know, else the first that is not a title over the table."""
    if not sample:
        return None
    for row in sample[:MAX_TITLE_ROWS]:
        if len({field_for_header(cell) for cell in row.cells} - {None}) >= 2 and not _is_data(row.cells):
            return row
    filled = [sum(1 for cell in row.cells if cell.strip()) for row in sample]
    usual = _usual(filled)
    width = _usual([len(row.cells) for row in sample])
    for row, count in zip(sample[:MAX_TITLE_ROWS], filled, strict=False):
        # Titles fill fewer than half of the columns most rows fill; one cell above two columns is one, too. Neither is
        # a row that ends before the middle of the table, however sparse that is.
        if (count * 2 > usual or count * 2 == usual > 2) and len(row.cells) * 2 >= width:
            return row
    return sample[0]


def _usual(numbers: list[int]) -> int:
    """Return the most frequent number, of equally frequent ones the largest."""
    return max(Counter(numbers).items(), key=lambda each: (each[1], each[0]))[0]


def _is_data(cells: list[str]) -> bool:
    if any(_EMAIL.fullmatch(cell) for cell in cells):
        return True
    if any(field_for_header(cell) for cell in cells):
        return False
    return any(_NUMBER_OR_DATE.fullmatch(cell) for cell in cells)


def _width(names: list[str], body: list[list[str]]) -> int:
    """Count the columns that are named, or filled in at least half of the rows."""
    filled = Counter(index for cells in body for index, cell in enumerate(cells) if cell.strip())
    declared = len(names)
    while declared and not names[declared - 1] and not filled[declared - 1]:
        declared -= 1
    usual = [index + 1 for index, count in filled.items() if not names or count * 2 >= len(body)]
    return max([declared, *usual])


def _clean(cell: str) -> str:
    return " ".join(cell.split())[:_MAX_NAME_CHARS]


def _unique(names: list[str]) -> list[str]:
    seen: set[str] = set()
    unique = []
    for position, name in enumerate(names, start=1):
        wanted = candidate = name or f"Column {position}"
        copies = 1
        while candidate.casefold() in seen:
            copies += 1
            candidate = f"{wanted} ({copies})"
        seen.add(candidate.casefold())
        unique.append(candidate)
    return unique
