"""Read delimited text as a stream of records, whatever is in it, in bounded memory."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from contacts.tabular.dialect import Dialect
from contacts.tabular.encoding import ERRORS, UNREADABLE
from contacts.tabular.errors import TableError, TableErrorCode
from contacts.tabular.limits import MAX_CELL_CHARS, MAX_RECORD_CHARS
from contacts.tabular.rows import Row, checked

# Going back after an unclosed quotation mark reads up to MAX_RECORD_CHARS again; a second or two of that is enough.
_MAX_CHARS_AGAIN = 20 * MAX_RECORD_CHARS
_END = "\udcfe end of file \udcfe"


class _RecordTooLong(Exception):
    pass


class _Lines:
    """The file's lines for csv.reader, which asks for more of them while a quotation mark is open."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._next = partial(file.readline, MAX_RECORD_CHARS)
        self._again: list[str] = []
        self.record: list[str] = []
        self.record_chars = 0
        self.is_suspect = False
        self.is_ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._next()
        if not line:
            if self.is_ended:
                raise StopIteration
            # Tells whether the file ends within quotation marks: then this line is in a cell, else a record by itself.
            self.is_ended = True
            return _END
        self.record.append(line)
        self.record_chars += len(line)
        if self.record_chars > MAX_RECORD_CHARS or (len(line) == MAX_RECORD_CHARS and line[-1] not in "\r\n"):
            raise _RecordTooLong
        if "\0" in line or (not line.isascii() and UNREADABLE in line):
            self.is_suspect = True
        return line

    def begin_record(self) -> None:
        self.record.clear()
        self.record_chars = 0
        self.is_suspect = False

    def go_back(self) -> None:
        """Give out the lines of this record again, all but the first."""
        self._again.extend(reversed(self.record[1:]))
        self.is_ended = False

    def skip_line(self) -> None:
        """Leave out the rest of a line that was too long."""
        line = self.record[-1]
        while line and line[-1] not in "\r\n":
            line = self._next()


def read_csv(path: Path, encoding: str, dialect: Dialect) -> Iterator[Row]:
    """Yield each record that is not blank, numbered by its first line; what is wrong with one is its `problem`."""
    with path.open(encoding=encoding, errors=ERRORS, newline="") as file:
        lines = _Lines(file)
        number = 1
        for _ in range(dialect.skip_lines):
            next(lines)
            lines.begin_record()
            number += 1
        chars_again = 0
        while True:
            reader = csv.reader(
                lines,
                delimiter=dialect.delimiter,
                quotechar=dialect.quotechar,
                skipinitialspace=dialect.skip_initial_space,
            )
            first = number
            try:
                for cells in reader:
                    if lines.is_ended and cells and cells[-1].endswith(_END):
                        break
                    if lines.is_suspect or lines.record_chars > MAX_CELL_CHARS:
                        yield checked(number, cells)
                    elif any(cells):
                        yield Row(number, cells)
                    number = first + reader.line_num
                    lines.begin_record()
                if not lines.record:
                    return
            except (_RecordTooLong, csv.Error):
                pass
            first_line = lines.record[0]
            if len(lines.record) == 1 and not lines.is_ended:
                problem = "the row or one of its cells is too long"
                lines.skip_line()
            else:
                problem = "a quotation mark is not closed"
                chars_again += lines.record_chars
                if chars_again > _MAX_CHARS_AGAIN:
                    raise TableError(
                        TableErrorCode.MALFORMED_FILE,
                        f"Too many quotation marks are not closed, the last one on line {number}. "
                        "Export the file again, with quotation marks inside a cell doubled.",
                    )
                lines.go_back()
            yield checked(number, first_line[:MAX_CELL_CHARS].rstrip("\r\n").split(dialect.delimiter), problem)
            number += 1
            lines.begin_record()
