"""Keep uploaded files, open them, and say what is in them."""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage

from contacts.incoming import Mapping
from contacts.incoming.mapping import CONTACT_FIELDS, IGNORED, Fields, custom_name
from contacts.models import ContactImport
from contacts.tabular import Row, Table, TableError, guess_columns, open_table
from vocelio.errors import VocelioError

# A chunk is one transaction: long enough to pay for its commit, short enough to be cancelled and watched.
CHUNK_ROWS = 5_000
# Rows may be huge; a chunk of them must still fit into memory several times.
CHUNK_CHARS = 8_000_000
SHOWN_ROWS = 20
SHOWN_CELL_CHARS = 200


class UnreadableFile(VocelioError):
    """The file is no table; `code` says why."""

    status = 422

    def __init__(self, error: TableError) -> None:
        super().__init__(error.message, field="file", value=None, constraint="content")
        self.code = str(error.code)


class FileMissing(VocelioError):
    code = "FILE_MISSING"
    status = 422
    message = "The uploaded file is no longer in the storage. Upload it again."


@contextmanager
def local_file(job: ContactImport) -> Iterator[Path]:
    """Give the job's file as a file of this machine; from remote storage, a copy for the time of use."""
    if not job.file:
        raise FileMissing
    try:
        path = default_storage.path(job.file)
    except NotImplementedError:
        with default_storage.open(job.file) as stored, tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(stored, copy, 1024 * 1024)
            copy.flush()
            yield Path(copy.name)
        return
    if not Path(path).exists():
        raise FileMissing
    yield Path(path)


def open_file(path: Path, filename: str) -> Table:
    """Return the table in a file; raise UnreadableFile where there is none."""
    try:
        return open_table(path, filename)
    except TableError as error:
        raise UnreadableFile(error) from None


def describe_table(
    table: Table, region: str, sensitive: Collection[str] = (), fields: Fields = CONTACT_FIELDS
) -> dict[str, Any]:
    """Return what was found in a file: how it is written, a guess for each column, its first rows.

    Columns named as `sensitive` custom fields are left out: their values rest encrypted, and files do not fill them.
    """
    guesses = guess_columns(table.headers, [row.cells for row in table.sample], region, fields.vocabulary)
    mapping = Mapping.guessed(guesses, fields)
    mapping = mapping.changed(
        {header: IGNORED for header, target in mapping.columns if custom_name(header, target) in sensitive}
    )
    return {
        "kind": table.kind,
        "encoding": table.encoding,
        "delimiter": table.dialect.delimiter if table.dialect else None,
        "quote": table.dialect.quotechar if table.dialect else None,
        "sheet": table.sheet,
        "headerRow": table.header_row,
        "columns": [
            [header, target, guess.confidence] for (header, target), guess in zip(mapping.columns, guesses, strict=True)
        ],
        "rows": [
            [row.number, [cell[:SHOWN_CELL_CHARS] for cell in row.cells]] for row in islice(table.rows(), SHOWN_ROWS)
        ],
    }


def mapping_of(layout: dict[str, Any], targets: dict[str, str]) -> Mapping:
    """Return which column is which: the guesses, and what a person said instead."""
    guessed = Mapping(tuple((header, target) for header, target, _ in layout["columns"]))
    return guessed.changed({header: target for header, target in targets.items() if header in dict(guessed.columns)})


def chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Gather rows into chunks, bounded by number and by size."""
    chunk: list[Row] = []
    chars = 0
    for row in rows:
        chunk.append(row)
        chars += sum(map(len, row.cells))
        if len(chunk) == CHUNK_ROWS or chars > CHUNK_CHARS:
            yield chunk
            chunk, chars = [], 0
    if chunk:
        yield chunk
