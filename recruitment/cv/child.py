"""The process in which strangers' files are opened: `python child.py`.

Reads a JSON line {path, kind} at a time from stdin and answers each by a JSON line {text} or {error, message}. Each
file is opened in a fork of its own, with memory, processor time and open files limited by the kernel, and killed after
its time: a file may crash or starve the fork, never this process. Imports nothing of Django, so that a fork is small.
"""

import json
import os
import resource
import select
import signal
import sys
import zipfile
from pathlib import Path
from typing import Any

import docx
import pypdf
import pypdf.errors
from docx.opc.exceptions import PackageNotFoundError

MEMORY_BYTES = 512 * 1024 * 1024
PROCESSOR_SECONDS = 6
WALL_SECONDS = 8.0
MOST_PAGES = 60
MOST_TEXT = 200_000
MOST_PARTS = 1_000
MOST_UNPACKED = 60 * 1024 * 1024
# Of any one part: real documents with pictures stay below, bombs are far above.
MOST_RATIO = 150
SMALL_PART = 1024 * 1024
RUNS_CODE = ("/JavaScript", "/Launch", "/ImportData", "/SubmitForm")


class Refused(Exception):
    """The file is not taken in; `code` and the message say why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_pdf(path: str) -> str:
    reader = pypdf.PdfReader(path, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refused("ENCRYPTED", "The file is protected by a password.")
    root: Any = reader.trailer["/Root"].get_object()
    names = root.get("/Names")
    if (
        (names is not None and "/JavaScript" in names.get_object())
        or _runs_code(root.get("/OpenAction"))
        or "/AA" in root
    ):
        raise Refused("ACTIVE_CONTENT", "The file holds scripts or actions.")
    if len(reader.pages) > MOST_PAGES:
        raise Refused("TOO_MANY_PAGES", f"The file has more than {MOST_PAGES} pages.")
    texts, size = [], 0
    for page in reader.pages:
        for annotation in page.get("/Annots") or []:
            if _runs_code(annotation.get_object().get("/A")):
                raise Refused("ACTIVE_CONTENT", "The file holds scripts or actions.")
        texts.append(page.extract_text())
        size += len(texts[-1])
        if size > MOST_TEXT:
            break
    return "\n".join(texts)


def _runs_code(action: Any) -> bool:
    found = action.get_object() if action is not None else None
    return isinstance(found, dict) and ("/JS" in found or found.get("/S") in RUNS_CODE)


def read_docx(path: str) -> str:
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise Refused("TOO_LARGE_UNPACKED", "The file is far larger unpacked than a CV is.")
        for part in parts:
            if part.flag_bits & 1:
                raise Refused("ENCRYPTED", "The file is protected by a password.")
            if part.file_size > SMALL_PART and part.file_size > MOST_RATIO * max(1, part.compress_size):
                raise Refused("TOO_LARGE_UNPACKED", "The file is far larger unpacked than a CV is.")
            if (
                part.filename.lower().endswith(("vbaproject.bin", ".exe", ".js", ".vbs"))
                or "activex" in part.filename.lower()
            ):
                raise Refused("ACTIVE_CONTENT", "The file holds macros or programs.")
    document = docx.Document(path)
    lines = [paragraph.text for paragraph in document.paragraphs]
    for table in document.tables:
        for row in table.rows:
            lines.append(" | ".join(dict.fromkeys(cell.text for cell in row.cells)))
    return "\n".join(lines)


READERS = {"pdf": read_pdf, "docx": read_docx}


def answer(path: str, kind: str) -> dict[str, str]:
    """Return the text of a file, or why it has none."""
    try:
        text = READERS[kind](path).replace("\0", "")[:MOST_TEXT]
    except Refused as refused:
        return {"error": refused.code, "message": str(refused)}
    except (MemoryError, RecursionError):
        return {"error": "TOO_COSTLY", "message": "Reading the file takes more than a CV may."}
    except (
        pypdf.errors.PyPdfError, PackageNotFoundError, zipfile.BadZipFile, ValueError, KeyError, TypeError, IndexError,
        AttributeError, NotImplementedError, OSError, AssertionError, SyntaxError, ArithmeticError,
    ):  # fmt: skip
        # Whatever the libraries stumble over in a broken file.
        return {"error": "UNREADABLE", "message": "The file is broken, or not what it says it is."}
    if not text.strip():
        return {"error": "NO_TEXT", "message": "There is no text in the file; it may be a picture of a CV."}
    return {"text": text}


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def in_fork(path: str, kind: str) -> dict[str, str]:
    """Answer from a fork; it is killed when its time is over."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Whatever happens in here, the fork never goes on with the parent's work.
        try:
            os.close(reading)
            limit()
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(json.dumps(answer(path, kind)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    chunks = []
    deadline = WALL_SECONDS
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], deadline)[0]:
            chunk = pipe.read(1 << 16)
            if not chunk:
                break
            chunks.append(chunk)
        else:
            os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        found: dict[str, str] = json.loads(b"".join(chunks))
    except ValueError:
        return {"error": "TOO_COSTLY", "message": "Reading the file takes more than a CV may."}
    return found


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(in_fork(str(Path(asked["path"])), asked["kind"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
