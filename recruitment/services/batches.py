"""Take in a zip of CVs, as a job: file by file, each read in a child of its own."""

import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import PurePath
from queue import SimpleQueue
from typing import NamedTuple

from django.core.files.base import File
from django.core.files.storage import default_storage

from recruitment.cv.reader import CvReader, Reading
from recruitment.cv.skills import dictionary, own
from recruitment.models import CvBatch
from recruitment.services.cvs import check_cv, discard_file, read_cv, store_cv
from recruitment.services.files import MAX_FILE_BYTES
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import Invalid, TooLarge, VocelioError
from vocelio.jobs.services import enqueue_job, running

MOST_FILES = 5_000
MAX_ZIP_BYTES = 256 * 1024 * 1024
# CVs of one step: progress and rows commit together.
CHUNK = 20
READERS = 2


class Taken(NamedTuple):
    """One file of the zip and what was read in it."""

    place: int
    name: str
    content: bytes
    kind: str
    reading: Reading


def start_batch(*, file: "File[bytes]") -> CvBatch:
    """Keep the zip and enqueue its job; raise Invalid for what is no zip, TooLarge for what is too large."""
    if file.size > MAX_ZIP_BYTES:
        raise TooLarge("The file is larger than 256 MB.")
    try:
        with zipfile.ZipFile(file) as archive:
            number = len(_entries(archive))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise Invalid.field("file", "The file is no zip.", constraint="content") from None
    if not number:
        raise Invalid.field("file", "There are no files in the zip.", constraint="empty")
    if number > MOST_FILES:
        raise Invalid.field("file", f"A zip holds at most {MOST_FILES:,} CVs.", constraint="max_length")
    job = CvBatch(id=uuid7(), filename=PurePath(file.name or "").name[:255], total=number)
    file.seek(0)
    job.file = default_storage.save(f"candidates/{job.organization_id}/{job.pk}.zip", file)
    job.save(force_insert=True)
    record("cv_batch.started", "cvbatch", job.pk, files=number)
    enqueue_job(job)
    return job


def run_batch(job: CvBatch) -> None:
    """Take in the files of the zip that were not taken in yet; each has its place, so none comes twice."""
    with running(job) as run, default_storage.open(job.file) as stored, tempfile.TemporaryFile() as local:
        for chunk in stored.chunks(1 << 20):
            local.write(chunk)
        with zipfile.ZipFile(local) as archive, Readers() as readers:
            entries = list(enumerate(_entries(archive)))[run.job.checkpoint.get("next", 0) :]
            known: dict[str, str] | None = None
            for chunk in _chunks(iter(entries)):
                taken = readers.read([(place, *_unpacked(archive, entry)) for place, entry in chunk])
                with run.step() as step:
                    known = known or dictionary(own().items())
                    for each in taken:
                        store_cv(
                            name=each.name,
                            content=each.content,
                            kind=each.kind,
                            reading=each.reading,
                            known_skills=known,
                            batch=job,
                            place=each.place,
                        )
                    refused = sum(bool(each.reading.error) for each in taken)
                    step.advance(
                        len(taken),
                        checkpoint={"next": taken[-1].place + 1},
                        parsed=len(taken) - refused,
                        refused=refused,
                    )
        with run.step() as step:
            discard_file(job.file)
            step.set(file="")


class Readers:
    """So many children as there are processors for, each with one file at a time."""

    def __enter__(self) -> "Readers":
        self._readers = [CvReader().__enter__() for _ in range(READERS)]
        self._free: SimpleQueue[CvReader] = SimpleQueue()
        for reader in self._readers:
            self._free.put(reader)
        self._threads = ThreadPoolExecutor(READERS)
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown()
        for reader in self._readers:
            reader.__exit__(None, None, None)

    def read(self, files: list[tuple[int, str, bytes, Reading]]) -> list[Taken]:
        """Return what the files say, in their order."""
        return list(self._threads.map(self._read, files))

    def _read(self, file: tuple[int, str, bytes, Reading]) -> Taken:
        place, name, content, refusal = file
        if refusal.error:
            return Taken(place, name, b"", "", refusal)
        try:
            kind = check_cv(content)
        except VocelioError as error:
            return Taken(place, name, content, "", Reading(error=error.code, message=error.message))
        reader = self._free.get()
        try:
            return Taken(place, name, content, kind, read_cv(reader, content, kind))
        finally:
            self._free.put(reader)


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of the zip, without what macOS and Windows leave in it."""
    return [
        entry
        for entry in archive.infolist()
        if not entry.is_dir()
        and not entry.filename.startswith("__MACOSX/")
        and PurePath(entry.filename).name not in (".DS_Store", "Thumbs.db")
    ]


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[str, bytes, Reading]:
    """Return name and content of an entry, or why it is not unpacked; never more than a CV's size of it."""
    name = PurePath(entry.filename).name[:255] or "document"
    if entry.flag_bits & 1:
        return name, b"", Reading(error="ENCRYPTED", message="The file is protected by a password.")
    try:
        with archive.open(entry) as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, EOFError):
        return name, b"", Reading(error="UNREADABLE", message="The file is broken in the zip.")
    if len(content) > MAX_FILE_BYTES:
        return name, b"", Reading(error="FILE_TOO_LARGE", message="The file is larger than 10 MB.")
    return name, content, Reading()


def _chunks(entries: Iterator[tuple[int, zipfile.ZipInfo]]) -> Iterator[list[tuple[int, zipfile.ZipInfo]]]:
    while chunk := list(islice(entries, CHUNK)):
        yield chunk
