"""Find the encoding of a text file by reading it, and decode it without ever giving up."""

import codecs
import re
from typing import BinaryIO

from contacts.tabular.content import SAMPLE_BYTES, unsupported
from contacts.tabular.limits import MEGABYTE

# Stands for bytes that could not be decoded. A lone surrogate comes out of no decoder, so it is never in the file.
UNREADABLE = "\udcff"
ERRORS = "contacts.tabular.unreadable"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNREADABLE, error.end


codecs.register_error(ERRORS, _mark)

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16, whose little-endian mark is the beginning of UTF-32's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x19\x1c-\x1f]")


def detect_encoding(file: BinaryIO) -> str:
    """Return the name of the codec that reads the file; refuse a file that is not text."""
    head = file.read(SAMPLE_BYTES)
    file.seek(0)
    encoding = _by_first_bytes(head) or _utf8_or_windows(file)
    file.seek(0)
    text = head[: len(head) & ~3].decode(encoding, ERRORS)
    if len(_CONTROL.findall(text)) > len(text) / 50 or text.count("\0") > len(text) / 4:
        raise unsupported("not a text file")
    return encoding


def _by_first_bytes(head: bytes) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    # Without a mark, the zero bytes of delimiters, digits and line ends show the width of a character.
    zeros = [head[offset::4].count(0) for offset in range(4)]
    quarter = len(head) / 4
    if min(zeros[1:]) > quarter * 0.9 and zeros[0] < quarter * 0.1:
        return "utf-32-le"
    if min(zeros[:3]) > quarter * 0.9 and zeros[3] < quarter * 0.1:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if odd > max(2, quarter * 0.2) and odd > even * 5:
        return "utf-16-le"
    if even > max(2, quarter * 0.2) and even > odd * 5:
        return "utf-16-be"
    return None


def _utf8_or_windows(file: BinaryIO) -> str:
    """Read on until the first byte that is not UTF-8, then weigh the evidence so far."""
    decoder = codecs.getincrementaldecoder("utf-8")(ERRORS)
    good = 0
    while chunk := file.read(MEGABYTE):
        text = decoder.decode(chunk)
        if text.isascii():
            continue
        bad = text.count(UNREADABLE)
        good += len(text) - bad - len(text.encode("ascii", "ignore"))
        if bad:
            # A few broken cells in a UTF-8 file stay its own errors; else it is what Excel writes in the West.
            return "utf-8" if good >= bad else "cp1252"
    return "utf-8"
