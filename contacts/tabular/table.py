"""Open an uploaded file as a table of text."""

import codecs
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from contacts.tabular import limits
from contacts.tabular.content import SAMPLE_BYTES, Kind, detect_kind
from contacts.tabular.csv_file import read_csv
from contacts.tabular.dialect import Dialect, detect_dialect
from contacts.tabular.encoding import ERRORS, detect_encoding
from contacts.tabular.errors import TableError, TableErrorCode
from contacts.tabular.header import find_header
from contacts.tabular.rows import Row
from contacts.tabular.xls_file import read_xls
from contacts.tabular.xlsx_file import count_xlsx, read_xlsx, sheet_names

_SAMPLE_ROWS = 100


@dataclass(frozen=True)
class Table:
    """A file's columns and, as often as asked, its rows."""

    kind: Kind
    headers: list[str]
    header_row: int
    """The number of the row that names the columns; 0 when none does."""
    sample: list[Row]
    """The first rows, for guessing what the columns hold."""
    encoding: str | None
    dialect: Dialect | None
    sheet: str | None
    _read: Callable[[], Iterator[Row]]
    _count: Callable[[], int] | None = None

    def count_rows(self) -> int:
        """Return how many rows `rows` will yield, having read the file to its end; of a workbook, at most how many.

        Raises TableError when the file breaks off or is damaged.
        """
        if self._count is not None:
            return max(0, self._count() - self.header_row)
        return sum(1 for _ in self.rows())

    def rows(self, start_after: int = 0) -> Iterator[Row]:
        """Yield the rows below the header in the file's order, those numbered beyond `start_after`.

        A row without a problem has exactly one cell per header. Rows that are blank are left out.
        """
        after = max(start_after, self.header_row)
        width = len(self.headers)
        for row in self._read():
            number, cells, problem = row
            if number <= after:
                continue
            if len(cells) == width:
                yield row
            elif len(cells) < width:
                yield Row(number, cells + [""] * (width - len(cells)), problem)
            elif any(map(str.strip, cells[width:])):
                yield Row(number, cells, problem or f"has more cells than the {width} columns of the table")
            else:
                yield Row(number, cells[:width], problem)


def open_table(path: Path, filename: str) -> Table:
    """Return the table in the file, or raise the TableError that says why there is none."""
    size = path.stat().st_size
    if size > limits.MAX_FILE_BYTES:
        raise TableError(
            TableErrorCode.FILE_TOO_LARGE,
            f"{filename} has {size // limits.MEGABYTE:,} MB, at most {limits.MAX_FILE_BYTES // limits.MEGABYTE} MB "
            "can be read. Split it into several files.",
        )
    with path.open("rb") as file:
        kind = detect_kind(file)
    if kind == "csv":
        return _open_csv(path)
    if kind == "xls":
        name: list[str] = []
        sample = _sample(partial(read_xls, path, name))
        return _table("xls", partial(read_xls, path), sample, sheet=name[0] if name else None)
    return _open_xlsx(path)


def _open_csv(path: Path) -> Table:
    with path.open("rb") as file:
        encoding = detect_encoding(file)
        head = file.read(SAMPLE_BYTES)
    text = codecs.getincrementaldecoder(encoding)(ERRORS).decode(head)
    if len(head) == SAMPLE_BYTES:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    dialect = detect_dialect(text)
    read = partial(read_csv, path, encoding, dialect)
    return _table("csv", read, _sample(read), encoding=encoding, dialect=dialect)


def _open_xlsx(path: Path) -> Table:
    for name in sheet_names(path):
        read = partial(read_xlsx, path, name)
        if sample := _sample(read):
            return _table("xlsx", read, sample, sheet=name, count=partial(count_xlsx, path, name))
    raise _empty()


def _sample(read: Callable[[], Iterator[Row]]) -> list[Row]:
    return list(itertools.islice(read(), _SAMPLE_ROWS))


def _table(
    kind: Kind,
    read: Callable[[], Iterator[Row]],
    sample: list[Row],
    *,
    encoding: str | None = None,
    dialect: Dialect | None = None,
    sheet: str | None = None,
    count: Callable[[], int] | None = None,
) -> Table:
    if not sample:
        raise _empty()
    header_row, headers = find_header(sample)
    below = [row for row in sample if row.number > header_row]
    return Table(kind, headers, header_row, below, encoding, dialect, sheet, read, count)


def _empty() -> TableError:
    return TableError(TableErrorCode.EMPTY_FILE, "The file is empty. Upload a file with a header row and contacts.")
