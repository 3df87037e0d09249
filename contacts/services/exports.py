"""Write the contacts of a list into a file for people and for other systems."""

import csv
import io
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection

from contacts.models import ContactExport
from contacts.services.export_columns import NAMES, Column, chosen_columns
from contacts.tabular.xlsx_writer import MAX_ROWS, XlsxWriter
from vocelio.access.principal import Principal, principal_of_member
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden, Invalid, VocelioError
from vocelio.formulas import harmless
from vocelio.jobs.services import Run, cancel_job, enqueue_job, running

CHUNK_ROWS = 10_000
_ID_BYTES = 16
# Contacts are probed one by one: the planner would take an organization it has no statistics of for a small one.
_ROWS = """
    SELECT {columns} FROM unnest(%s::uuid[]) WITH ORDINALITY AS wanted (id, place) CROSS JOIN LATERAL (
        SELECT * FROM contacts WHERE organization_id = (SELECT %s::uuid) AND id = wanted.id AND deleted_at IS NULL OFFSET 0
    ) AS contact ORDER BY wanted.place
"""

# Which contacts, for whom: filters are a matter of the doors.
Choose = Callable[[Principal], Any]


class TooManyRows(VocelioError):
    code = "TOO_MANY_ROWS"
    status = 422
    message = f"A workbook holds at most {MAX_ROWS - 1:,} contacts. Export them as CSV, or narrow the list."


def start_export(
    *,
    principal: Principal,
    choose: Choose,
    filter: dict[str, Any],
    sort: str = "",
    format: str = ContactExport.Format.CSV,
    columns: Sequence[str] = (),
) -> ContactExport:
    """Promise a file of the contacts the filters choose when it is written; raise Invalid where they make no sense."""
    if unknown := [name for name in columns if name not in NAMES]:
        problems = [
            {"field": "columns", "value": name, "constraint": "choice", "message": f"Columns are: {', '.join(NAMES)}."}
            for name in unknown
        ]
        raise Invalid(str(problems[0]["message"]), errors=problems)
    choose(principal)
    job = ContactExport(filter=filter, sort=sort, format=format, columns=list(columns))
    job.save()
    record("export.started", job.resource, job.id, format=format, filters=sorted(filter))
    enqueue_job(job)
    return job


def cancel_export(job: ContactExport) -> ContactExport:
    """Stop the export; nothing of it is kept."""
    return cancel_job(job)


def fetch_export(job: ContactExport) -> str:
    """Return where the finished file lies, for its download, which is audited; raise Conflict where there is none."""
    if not job.file or not default_storage.exists(job.file):
        raise Conflict("There is no file: the export is not done, or its file was deleted.", status=job.status)
    record("export.downloaded", job.resource, job.id)
    return job.file


def run_export(job: ContactExport, *, choose: Choose) -> None:
    """Write the file and keep it; a worker that dies is followed by one that begins again."""
    with running(job) as run, tempfile.TemporaryDirectory() as folder:
        ids, columns = _begin(run, choose)
        path = Path(folder, "export")
        with _writer(path, run.job, columns) as write:
            for start in range(0, len(ids), CHUNK_ROWS * _ID_BYTES):
                wanted = _uuids(ids[start : start + CHUNK_ROWS * _ID_BYTES])
                with run.step() as step:
                    written = write(wanted)
                    step.advance(len(wanted), rows=written)
        with run.step() as step, path.open("rb") as file:
            name = f"exports/{run.job.organization_id}/{run.job.id}.{run.job.format}"
            default_storage.delete(name)
            step.set(
                file=default_storage.save(name, File(file)), file_size=path.stat().st_size, cut_cells=write.cut_cells
            )


def _begin(run: Run[ContactExport], choose: Choose) -> tuple[bytearray, list[Column]]:
    """Return the contacts in the order of the list, 16 bytes each, and the columns."""
    with run.step() as step:
        job = run.job
        person = principal_of_member(job.created_by_id, job.organization_id) if job.created_by_id else None
        if person is None or not person.may("contacts:export"):
            raise Forbidden("Whoever asked for the export may not export any more.")
        ids = bytearray()
        for contact_id in choose(person).values_list("id", flat=True).iterator(chunk_size=CHUNK_ROWS):
            ids += contact_id.bytes
        number = len(ids) // _ID_BYTES
        if job.format == ContactExport.Format.XLSX and number >= MAX_ROWS:
            raise TooManyRows
        step.set(total=number, processed=0, rows=0, progress=0)
        return ids, chosen_columns(job.columns)


def _uuids(ids: bytearray) -> list[str]:
    return [ids[at : at + _ID_BYTES].hex() for at in range(0, len(ids), _ID_BYTES)]


class _Write(ABC):
    """Writes the contacts of some ids and returns how many there still were."""

    cut_cells = 0

    def __init__(self, job: ContactExport, columns: list[Column]) -> None:
        self.job = job
        self.sql = _ROWS.format(columns=", ".join(f"nullif({column.harmless_sql()}, '')" for column in columns))
        self.parameters = [value for column in columns for value in column.harmless_parameters()]

    @abstractmethod
    def __call__(self, ids: list[str]) -> int:
        """Write the contacts of these ids and return their number."""


class _WriteCsv(_Write):
    """Has PostgreSQL make the lines."""

    def __init__(self, job: ContactExport, columns: list[Column], file: BinaryIO) -> None:
        super().__init__(job, columns)
        self.file = file
        header = io.StringIO()
        csv.writer(header).writerow([harmless(column.header) for column in columns])
        file.write(("\ufeff" + header.getvalue()).encode())

    def __call__(self, ids: list[str]) -> int:
        with connection.cursor() as cursor:
            # COPY takes no parameters, so the values are put into the text, quoted by the driver.
            select = connection.ops.compose_sql(self.sql, [*self.parameters, ids, self.job.organization_id])  # type: ignore[attr-defined]
            with cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv)") as copy:
                for block in copy:
                    self.file.write(block)
            return int(cursor.rowcount)


class _WriteXlsx(_Write):
    """Makes every cell a text, and protects it all the same: somebody may save the workbook as CSV."""

    def __init__(self, job: ContactExport, columns: list[Column], workbook: XlsxWriter) -> None:
        super().__init__(job, columns)
        self.workbook = workbook

    def __call__(self, ids: list[str]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [*self.parameters, ids, self.job.organization_id])
            rows = cursor.fetchall()
        self.workbook.write(rows)
        self.cut_cells = self.workbook.cut_cells
        return len(rows)


@contextmanager
def _writer(path: Path, job: ContactExport, columns: list[Column]) -> Iterator[_Write]:
    if job.format == ContactExport.Format.CSV:
        with path.open("wb") as file:
            yield _WriteCsv(job, columns, file)
    else:
        with XlsxWriter(path, "Contacts", [column.header for column in columns]) as workbook:
            yield _WriteXlsx(job, columns, workbook)
