"""Read an old Excel file (.xls) with calamine, in a process of its own that may take little memory and time.

Run as a module it writes the first sheet that is not empty as JSON, one line per row: its number, then its cells.
"""

import datetime
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from contacts.tabular.cell_formats import plain_number
from contacts.tabular.errors import TableError, TableErrorCode
from contacts.tabular.limits import MEGABYTE
from contacts.tabular.rows import Row, checked

# An .xls has at most 65,536 rows of 256 columns.
_MAX_MEMORY_BYTES = 400 * MEGABYTE
_MAX_OUTPUT_BYTES = 128 * MEGABYTE
_MAX_SECONDS = 30
_PROJECT = Path(__file__).parents[2]
_ADVICE = "Open it in Excel, save it as an Excel workbook (.xlsx) and upload that."


def read_xls(path: Path, sheet: list[str] | None = None) -> Iterator[Row]:
    """Yield each row of the first sheet with content, numbered as Excel numbers it; put its name into `sheet`."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "rows")
        command = [sys.executable, "-m", "contacts.tabular.xls_file", str(path.resolve()), str(output)]
        try:
            ended = subprocess.run(command, cwd=_PROJECT, capture_output=True, check=False, timeout=_MAX_SECONDS)  # noqa: S603 (no shell, paths of ours)
        except subprocess.TimeoutExpired as error:
            raise TableError(
                TableErrorCode.FILE_TOO_LARGE, f"The workbook takes too long to read. {_ADVICE}"
            ) from error
        if b"PasswordProtected" in ended.stderr or b"password" in ended.stderr.lower():
            raise TableError(
                TableErrorCode.ENCRYPTED_FILE, "The workbook is protected by a password. Remove it and upload it again."
            )
        if ended.returncode:
            raise TableError(TableErrorCode.MALFORMED_FILE, f"The old Excel file (.xls) cannot be read. {_ADVICE}")
        with output.open(encoding="utf-8") as lines:
            name = json.loads(next(lines, '""'))
            if sheet is not None:
                sheet.append(name)
            for line in lines:
                number, *cells = json.loads(line)
                yield checked(number, cells)


def _convert(path: str, output: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_OUTPUT_BYTES, _MAX_OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Only this process needs it, and it may be the part that fails.
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    workbook = CalamineWorkbook.from_path(path)
    with open(output, "w", encoding="utf-8") as file:
        for sheet in workbook.sheets_metadata:
            if sheet.typ != SheetTypeEnum.WorkSheet or sheet.visible != SheetVisibleEnum.Visible:
                continue
            content = workbook.get_sheet_by_name(sheet.name)
            if content.start is None:
                continue
            file.write(json.dumps(sheet.name) + "\n")
            first_row, first_column = content.start
            for number, cells in enumerate(content.iter_rows(), start=first_row + 1):
                if any(cell != "" for cell in cells):
                    file.write(json.dumps([number, *[""] * first_column, *map(_text, cells)]) + "\n")
            return


def _text(value: str | float | bool | datetime.date | datetime.time | datetime.timedelta) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return plain_number(repr(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time.min:
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


if __name__ == "__main__":
    _convert(*sys.argv[1:])
