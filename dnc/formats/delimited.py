"""A delimited or fixed-width file whose columns are configured: state lists, and lists of one's own.

Options: `delimiter` (or `offsets`: {column: [start, end]} of a fixed-width file), `header` rows, `phone` (a column or
several that make up the number), `date` with `dateFormat`, `action` with `addCodes` and `removeCodes`, `reason`,
`source`, `notes`, `expiry` (a column), `encoding`. Columns are numbers from 0 or, with one header row, names. Without
options, a file of one's own must have a header with a column named phone, phone_number or number.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

import numpy as np

from dnc.formats import Batch, Format, FormatError, Identity, text_of

ROWS = 10_000
PHONE_NAMES = ("phone", "phone_number", "phonenumber", "phone number", "number", "telephone")
DETAILS = ("reason", "source", "notes", "expiry")
KNOWN = {
    *("delimiter", "offsets", "header", "phone", "date", "dateFormat", "action", "addCodes", "removeCodes", "encoding"),
    *DETAILS,
}


class Delimited(Format):
    slug = "delimited"
    label = "Delimited or fixed-width, configured"
    judged = True

    def identify(self, name: str) -> Identity | None:
        return Identity()

    def recognises(self, head: bytes) -> bool:
        """Say yes to a header with a column for the number; whoever configured columns names the format."""
        try:
            first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[0].decode().strip().lower()
        except UnicodeDecodeError:
            return False
        return any(cell.strip(' "') in PHONE_NAMES for cell in first.replace(";", ",").replace("\t", ",").split(","))

    def read(self, stream: BinaryIO, options: dict[str, Any]) -> Iterator[Batch]:
        if unknown := set(options) - KNOWN:
            raise FormatError("bad_options", f"There is no option {sorted(unknown)[0]!r}.")
        try:
            with text_of(stream, options.get("encoding", "utf-8-sig")) as text:
                yield from self._batches(text, options)
        except (UnicodeDecodeError, LookupError, csv.Error) as error:
            raise FormatError("not_text", "The file is not text in the given encoding.") from error

    def _batches(self, text: Any, options: dict[str, Any]) -> Iterator[Batch]:
        rows: list[dict[str, Any]] = []
        cells_of, phones, first = layout(text, options)
        add, remove = set(options.get("addCodes", ["A"])), set(options.get("removeCodes", ["D"]))
        for line, cells in cells_of:
            if not any(cells):
                continue
            row = {"line": line, "phone": "".join(cell(cells, place, line).strip() for place in phones)}
            for name in DETAILS:
                if name in first:
                    row[name] = cell(cells, first[name], line).strip()
            if row.get("expiry"):
                row["expiry"] = moment(row["expiry"], options, line)
            if "date" in first:
                row["date"] = moment(cell(cells, first["date"], line), options, line)
            if "action" in first:
                code = cell(cells, first["action"], line).strip()
                if code not in add | remove:
                    raise FormatError("bad_action", f"Line {line} has an unknown action {code[:20]!r}.")
                row["removed"] = code in remove
            rows.append(row)
            if len(rows) == ROWS:
                yield Batch(np.zeros(0, dtype=np.int64), len(rows), rows=rows)
                rows = []
        if rows:
            yield Batch(np.zeros(0, dtype=np.int64), len(rows), rows=rows)


def layout(text: Any, options: dict[str, Any]) -> tuple[Any, list[Any], dict[str, Any]]:
    """Return the rows' cells with line numbers, the places of the number, and those of the other columns."""
    if offsets := options.get("offsets"):
        lines = enumerate(text, 1)
        for _ in range(int(options.get("header", 0))):
            next(lines, None)
        places = {name: slice(*ends) for name, ends in offsets.items()}
        if "phone" not in places:
            raise FormatError("no_phone_column", "No offsets are configured for the phone number.")
        rows = ((line, [row.rstrip("\r\n")]) for line, row in lines)
        return rows, [places["phone"]], {name: place for name, place in places.items() if name != "phone"}
    sample = text.readline()
    delimiter = options.get("delimiter") or max(",;\t|", key=sample.count)
    header = int(options.get("header", 1))
    names = [name.strip().lower() for name in next(csv.reader([sample], delimiter=delimiter), [])] if header else []
    remaining = csv.reader(text if header else chain_line(sample, text), delimiter=delimiter)
    for _ in range(header - 1):
        next(remaining, None)

    def place(column: Any) -> int:
        if isinstance(column, int):
            return column
        if column.lower() not in names:
            raise FormatError("no_such_column", f"The file has no column {column[:40]!r}.")
        return names.index(column.lower())

    wanted = options.get("phone")
    if wanted is None:
        wanted = next((name for name in PHONE_NAMES if name in names), None)
    if wanted is None:
        raise FormatError("no_phone_column", "The file has no column for the phone number.")
    columns = [place(column) for column in (wanted if isinstance(wanted, list) else [wanted])]
    found = {name: place(options[name]) for name in (*DETAILS, "date", "action") if name in options}
    for name in DETAILS:
        if name in names and name not in found:
            found[name] = names.index(name)
    return ((line, cells) for line, cells in enumerate(remaining, header + 1)), columns, found


def chain_line(first: str, text: Any) -> Iterator[str]:
    yield first
    yield from text


def cell(cells: list[str], place: Any, line: int) -> str:
    if isinstance(place, slice):
        return str(cells[0][place])
    if place >= len(cells):
        raise FormatError("bad_line", f"Line {line} has only {len(cells)} columns.")
    return str(cells[place])


def moment(text: str, options: dict[str, Any], line: int) -> datetime:
    try:
        return datetime.strptime(text.strip(), options.get("dateFormat", "%Y-%m-%d"))  # noqa: DTZ007 - a day
    except ValueError:
        raise FormatError("bad_date", f"Line {line} holds no date: {text[:20]!r}.") from None
