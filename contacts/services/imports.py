"""Take contact files in and import them, chunk by chunk."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePath
from typing import Any, BinaryIO, NamedTuple, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from contacts.incoming import Mapping, clean_rows, read_ahead
from contacts.models import ContactImport, ContactList
from contacts.services.announcements import announce_bulk, owners_of
from contacts.services.import_chunks import Candidate, merge_chunk, prepare_contacts
from contacts.services.lists import ListExists, create_list
from contacts.services.rejections import describe_rejection, store_rejections, stored_mapping
from contacts.tabular import Row, Table, TableError, guess_columns, open_table
from contacts.tabular.content import detect_kind
from vocelio.audit.services import record
from vocelio.errors import Invalid, TooLarge, VocelioError
from vocelio.jobs.services import Run, Step, cancel_job, enqueue_job, running
from vocelio.organizations.models import Organization

# A chunk is one transaction: long enough to pay for its commit, short enough to be cancelled and watched.
CHUNK_ROWS = 5_000
# Rows may be huge; a chunk of them must still fit into memory several times.
CHUNK_CHARS = 8_000_000
NEWEST_ERRORS = 5
# Measured by benchmarks/imports.py on two cores, rounded down.
BYTES_PER_MINUTE: dict[str, int] = {ContactImport.Kind.CSV: 60_000_000, ContactImport.Kind.EXCEL: 30_000_000}


class UnreadableFile(VocelioError):
    """The file is no table of contacts; `code` says why."""

    status = 422

    def __init__(self, error: TableError) -> None:
        super().__init__(error.message, field="file", value=None, constraint="content")
        self.code = str(error.code)


class FileMissing(VocelioError):
    code = "FILE_MISSING"
    status = 422
    message = "The uploaded file is no longer in the storage. Upload it again."


class NoContactColumns(VocelioError):
    code = "NO_CONTACT_COLUMNS"
    status = 422
    message = "No column of the file holds phone numbers or e-mail addresses. Name one of them phone or email."


def start_import(
    *,
    file: "File[bytes]",
    target_list: ContactList | None = None,
    list_name: str = "",
    skip_duplicates: bool = True,
    validate_phones: bool = True,
) -> ContactImport:
    """Keep the file and promise to import it; raise UnreadableFile when its content is no table.

    `list_name` names the list to fill; it is created unless it exists.
    """
    if target_list is not None and list_name:
        raise Invalid.field("listName", "Give either listId or listName.", value=list_name, constraint="exclusive")
    if file.size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge
    try:
        kind = detect_kind(cast(BinaryIO, file))
    except TableError as error:
        raise UnreadableFile(error) from None
    if list_name:
        target_list = _list_named(list_name)
    job = ContactImport(
        filename=file.name or "",
        file_size=file.size,
        import_type=ContactImport.Kind.CSV if kind == "csv" else ContactImport.Kind.EXCEL,
        target_list=target_list,
        settings={"skipDuplicates": skip_duplicates, "validatePhones": validate_phones},
    )
    name = f"imports/{job.organization_id}/{job.id}{PurePath(job.filename).suffix.lower()[:10]}"
    job.file = default_storage.save(name, file)
    job.save()
    record("import.started", job.resource, job.id, fileSize=job.file_size)
    enqueue_job(job)
    return job


def estimate_duration(job: ContactImport) -> str:
    """Say in words how long the import will take, from the size of its file."""
    minutes = job.file_size // BYTES_PER_MINUTE[job.import_type]
    return f"{minutes}-{minutes + 1} minutes" if minutes else "less than a minute"


def cancel_import(job: ContactImport) -> ContactImport:
    """Stop the import after the chunk in hand; what it has imported stays."""
    return cancel_job(job)


def run_import(job: ContactImport) -> None:
    """Import the file from where the job stands to its end."""
    region = Organization.objects.values_list("default_region", flat=True).get(pk=job.organization_id)
    with running(job) as run, _local_file(run.job) as path:
        table = _open(path, run.job.filename)
        mapping = _understand(run, table, region)
        prepare = partial(_prepare, mapping=mapping, region=region, job=run.job)
        rows = table.rows(start_after=run.job.checkpoint.get("row", 0))
        for chunk in read_ahead(map(prepare, _chunks(rows))):
            with run.step() as step:
                _take(step, chunk)
        if run.job.total != run.job.total_rows:
            # Some rows of a workbook turned out to be blank.
            with run.step() as step:
                step.set(total=run.job.total_rows)


class _Chunk(NamedTuple):
    last_row: int
    candidates: list[Candidate]
    rejections: list[dict[str, Any]]
    # The newest of them as the API shows them.
    errors: list[dict[str, Any]]


def _prepare(rows: list[Row], *, mapping: Mapping, region: str, job: ContactImport) -> _Chunk:
    """Do all of the work on some rows that needs no database; runs in the reader's thread."""
    contacts, rejected = clean_rows(rows, mapping, region=region, validate_phones=job.settings["validatePhones"])
    return _Chunk(
        rows[-1].number,
        prepare_contacts(contacts),
        [each._asdict() for each in rejected],
        [describe_rejection(mapping, each.row, each.error, each.cells) for each in rejected[-NEWEST_ERRORS:]],
    )


def _take(step: Step[ContactImport], chunk: _Chunk) -> None:
    """Write one chunk and its counts in the step's transaction."""
    job = step.job
    plan = merge_chunk(job, chunk.candidates, skip_duplicates=job.settings["skipDuplicates"])
    if chunk.rejections:
        store_rejections(job, chunk.rejections)
    job.newest_errors = (job.newest_errors + chunk.errors)[-NEWEST_ERRORS:]
    rows = len(chunk.candidates) + len(chunk.rejections)
    step.advance(
        rows,
        checkpoint={"row": chunk.last_row},
        total_rows=rows,
        valid_contacts=len(chunk.candidates),
        invalid_contacts=len(chunk.rejections),
        duplicates=plan.duplicates,
        imported_contacts=len(plan.new),
        updated_contacts=plan.updated,
    )
    if changed := [*plan.new, *plan.changes]:
        # New contacts are nobody's; to ask for the owners of thousands would cost as much as to find duplicates.
        owners = {None} | (owners_of(plan.changes) if plan.changes else set())
        announce_bulk("imported", changed, [job.target_list_id] if job.target_list_id else (), owners=owners)


def _understand(run: Run[ContactImport], table: Table, region: str) -> Mapping:
    """Return which column is which, decided once for the job, together with the number of rows.

    Counting reads the file to its end, so a file that breaks off in the middle is refused before anything is written.
    """
    job = run.job
    if "columns" not in job.settings:
        mapping = Mapping.guessed(guess_columns(table.headers, [row.cells for row in table.sample], region))
        if not mapping.fields.keys() & {"phone", "email"}:
            raise NoContactColumns
        try:
            total = table.count_rows()
        except TableError as error:
            raise UnreadableFile(error) from None
        found = {"columns": mapping.columns, "encoding": table.encoding, "sheet": table.sheet}
        with run.step() as step:
            step.set(total=total, settings=job.settings | found)
    return stored_mapping(job)


def _open(path: Path, filename: str) -> Table:
    try:
        return open_table(path, filename)
    except TableError as error:
        raise UnreadableFile(error) from None


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
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


def _list_named(name: str) -> ContactList:
    existing: ContactList | None = ContactList.objects.filter(name=name).first()
    if existing is not None:
        return existing
    try:
        return create_list(name=name)
    except ListExists as error:
        # Created by somebody else since the look-up.
        found: ContactList = ContactList.objects.get(pk=uuid.UUID(error.details["existingId"]))
        return found


@contextmanager
def _local_file(job: ContactImport) -> Iterator[Path]:
    """Give the job's file as a file of this machine; from remote storage, a copy for the time of use."""
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
