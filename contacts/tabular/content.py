"""Tell what a file is from its bytes; its name is only a hint."""

import re
import struct
from typing import BinaryIO, Literal

from contacts.tabular.errors import TableError, TableErrorCode

Kind = Literal["csv", "xlsx", "xls"]

SAMPLE_BYTES = 64 * 1024

_ADVICE = "Save the contacts as CSV or as an Excel workbook (.xlsx) and upload that."
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# An encrypted workbook is an OLE file with these two streams ([MS-OFFCRYPTO] 2.3.1), named in UTF-16.
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_BINARY_FORMATS = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"BZh", "a bzip2 archive"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"{\\rtf", "a rich text document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_TEXT_FORMATS = (
    (re.compile(rb"<(?:!doctype|html|head|body|table)\b", re.IGNORECASE), "a web page, whatever its name says"),
    (re.compile(rb"<\?xml"), "an XML document"),
    (re.compile(rb"BEGIN:VCARD", re.IGNORECASE), "a vCard file"),
    (re.compile(rb"[\[{]\s*[{\[]|\{\s*\"[^\"\r\n]*\"\s*:"), "a JSON document"),
)


def detect_kind(file: BinaryIO) -> Kind:
    """Return the kind of table a file holds, or raise the TableError that names what it is instead."""
    head = file.read(SAMPLE_BYTES)
    file.seek(0)
    if not head.strip(b"\0\t\n\v\f\r \xef\xbb\xbf\xff\xfe"):
        raise TableError(TableErrorCode.EMPTY_FILE, "The file is empty. Upload a file with a header row and contacts.")
    if head.startswith(_ZIP):
        return "xlsx"
    if head.startswith(_OLE):
        return _detect_ole(file)
    for signature, name in _BINARY_FORMATS:
        if head.startswith(signature):
            raise unsupported(name)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, name in _TEXT_FORMATS:
        if pattern.match(text):
            raise unsupported(name)
    return "csv"


def unsupported(what: str) -> TableError:
    """Return the error that refuses a file for what it is."""
    return TableError(TableErrorCode.UNSUPPORTED_FILE, f"The file is {what}. {_ADVICE}")


def _detect_ole(file: BinaryIO) -> Kind:
    # [MS-CFB] 2.2: the header names the sector size and the first sector of the directory.
    header = file.read(512)
    if len(header) == 512:
        sector_shift, directory_sector = *struct.unpack_from("<H", header, 30), *struct.unpack_from("<I", header, 48)
        file.seek((directory_sector + 1) << min(sector_shift, 12))
        directory = file.read(4096)
        file.seek(0)
        if _ENCRYPTED_STREAM in directory:
            raise TableError(
                TableErrorCode.ENCRYPTED_FILE,
                "The workbook is protected by a password. Remove the password in Excel, save it and upload it again.",
            )
    return "xls"
