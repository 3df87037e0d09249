"""Open a zip archive that a stranger made."""

import struct
import zipfile
from pathlib import Path

from contacts.tabular import limits
from contacts.tabular.errors import TableError, TableErrorCode

_END = b"PK\x05\x06"
_END_BYTES = 22
_MAX_COMMENT_BYTES = 65_535
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
_ZIP64_END_BYTES = 56


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open the archive, refusing one whose directory declares more than we would read.

    What is read later never exceeds the declaration: zipfile stops each entry at its declared size.
    """
    # zipfile reads the whole directory into memory before anyone can count its entries.
    if _directory_bytes(path) > limits.MAX_ZIP_DIRECTORY_BYTES:
        raise _too_large()
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError) as error:
        raise damaged() from error
    entries = archive.infolist()
    if any(entry.header_offset < 0 for entry in entries):
        raise damaged()
    inflated = sum(entry.file_size for entry in entries)
    if len(entries) > limits.MAX_ZIP_ENTRIES or inflated > limits.MAX_INFLATED_BYTES:
        raise _too_large()
    if inflated > limits.MAX_INFLATION_RATIO * path.stat().st_size:
        raise _too_large()
    return archive


def damaged() -> TableError:
    """Return the error for a workbook that breaks off or contradicts itself."""
    return TableError(
        TableErrorCode.MALFORMED_FILE, "The workbook is damaged. Open it in Excel, save it again and upload that."
    )


def _too_large() -> TableError:
    return TableError(
        TableErrorCode.FILE_TOO_LARGE, "The workbook is too large once unpacked. Split it, or save it as CSV."
    )


def _directory_bytes(path: Path) -> int:
    """Return how long the archive's directory says it is, found the way zipfile finds it."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES - _MAX_COMMENT_BYTES - _ZIP64_LOCATOR_BYTES - _ZIP64_END_BYTES))
        tail = file.read()
    at = len(tail) - _END_BYTES
    if not (tail[at:].startswith(_END) and tail.endswith(b"\0\0")):
        at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        raise damaged()
    zip64 = at - _ZIP64_LOCATOR_BYTES - _ZIP64_END_BYTES
    if zip64 >= 0 and tail.startswith(_ZIP64_LOCATOR, at - _ZIP64_LOCATOR_BYTES):
        return int(struct.unpack_from("<Q", tail, zip64 + 40)[0])
    return int(struct.unpack_from("<I", tail, at + 12)[0])
