"""Read a registry's file: recognise it, prove it whole, turn it into sorted numbers. Needs no database."""

import hashlib
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
from django.core.files.storage import default_storage

from dnc.formats import Format, FormatError, Identity, all_formats

# A zip of one area code unpacks to 20 MB; one that unpacks to more than this is an attack or a mistake.
MOST_UNPACKED = 8 * 1024**3
HEAD = 64 * 1024


@dataclass(frozen=True)
class RegistryRules:
    """What the store knows of a registry while it reads files."""

    formats: list[str]
    country_code: str
    options: dict[str, Any]
    # Chosen by the operator for files whose name does not say them.
    format: str = ""
    version_date: date | None = None


@dataclass
class ReadFile:
    """One file as it was understood, or why it was not."""

    name: str
    sha256: str = ""
    format: str = ""
    holds: str = "full"
    identity: Identity = field(default_factory=Identity)
    lines: int = 0
    numbers: Any = None
    removed: Any = None
    problem: FormatError | None = None

    @property
    def version_date(self) -> date | None:
        return self.identity.version_date


def read_files(name: str, path: Path, rules: RegistryRules) -> Iterator[ReadFile]:
    """Yield what the file holds: itself, or each member of a zip of several."""
    try:
        if not zipfile.is_zipfile(path):
            if name.lower().endswith(".zip"):
                raise FormatError("bad_archive", "This is no zip file.")
            with path.open("rb") as stream:
                yield _read(name, stream, rules)
            return
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if not members:
                raise FormatError("bad_archive", "The zip file is empty.")
            for member in members:
                yield _read_member(name, archive, member, rules, is_only=len(members) == 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        yield ReadFile(name, problem=FormatError("bad_archive", f"The zip file is damaged: {error}."))
    except FormatError as error:
        yield ReadFile(name, problem=error)


def _read_member(
    name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, rules: RegistryRules, *, is_only: bool
) -> ReadFile:
    if member.file_size > MOST_UNPACKED:
        raise FormatError("too_large", "The zip file unpacks to more than 8 GB.")
    own = Path(member.filename).name
    # The FTC names the member as the zip; a relabelled delivery shows here.
    if (
        is_only
        and rules.format == ""
        and "ftc-flat" in rules.formats
        and own.lower()
        not in (
            name.lower().removesuffix(".zip"),
            f"{name.lower().removesuffix('.zip')}.txt",
        )
    ):
        return ReadFile(name, problem=FormatError("bad_member", f"The zip file holds {own!r}, which is another name."))
    with archive.open(member) as stream:
        # zipfile compares the CRC when the last byte is read, which is the proof that the file is whole.
        return _read(name if is_only else own, stream, rules, archive_name=name)


def _read(name: str, stream: IO[bytes], rules: RegistryRules, archive_name: str = "") -> ReadFile:
    read = ReadFile(name)
    try:
        hashed = _Hashed(stream)
        head = hashed.peek(HEAD)
        if not head:
            raise FormatError("empty", "The file is empty.")
        chosen = _recognise(name, archive_name, head, rules)
        identity = chosen.identify(name) or chosen.identify(archive_name or name) or Identity()
        read.format, read.holds = chosen.slug, chosen.holds
        numbers, removed, at = [], [], []
        for batch in chosen.read(io.BufferedReader(hashed, 4 * 1024 * 1024), rules.options):
            read.lines += batch.lines
            numbers.append(batch.numbers if len(batch.numbers) or not batch.rows else _plain(batch.rows, rules))
            if batch.removed is not None and batch.at is not None:
                removed.append(batch.removed)
                at.append(batch.at)
        read.sha256 = hashed.hexdigest()
        if not read.lines:
            raise FormatError("empty", "The file holds no numbers.")
        every = np.concatenate(numbers)
        newest = None
        if chosen.holds == "changes":
            moments = np.concatenate(at)
            newest = datetime.fromtimestamp(int(moments.max()), UTC).date() if len(moments) else None
            read.numbers, read.removed = _last_changes(every, np.concatenate(removed), moments)
        else:
            read.numbers = every if (every[1:] > every[:-1]).all() else np.unique(every)
        read.identity = Identity(identity.version_date or rules.version_date or newest, identity.area, identity.guid)
        _check_area(read, rules)
    except FormatError as error:
        read.problem = error
    return read


def _recognise(name: str, archive_name: str, head: bytes, rules: RegistryRules) -> Format:
    """Return the one format of the registry that the name and the first lines fit."""
    known = all_formats()
    if rules.format and rules.format not in known:
        raise FormatError("unknown_format", f"There is no format {rules.format!r}.")
    candidates = [known[slug] for slug in ([rules.format] if rules.format else rules.formats) if slug in known]
    by_content = [each for each in candidates if rules.format == each.slug == "delimited" or each.recognises(head)]
    if not by_content:
        raise FormatError("unknown_format", "The content is of none of this registry's formats.")
    fitting = [each for each in by_content if each.identify(name) or (archive_name and each.identify(archive_name))]
    if not fitting:
        raise FormatError("bad_name", "A file of this format is not named so.")
    if len(fitting) > 1:
        raise FormatError("ambiguous", f"It could be {' or '.join(each.slug for each in fitting)}; name the format.")
    return fitting[0]


def _plain(rows: list[dict[str, Any]], rules: RegistryRules) -> Any:
    """Return the numbers of a configured file, which a registry holds without any details."""
    length = 10 if rules.country_code == "1" else 0
    numbers = []
    for row in rows:
        digits = "".join(character for character in row["phone"] if character.isdigit())
        if length and len(digits) == length + 1 and digits[0] == "1":
            digits = digits[1:]
        if (length and len(digits) != length) or not digits:
            raise FormatError("bad_number", f"Line {row['line']} holds no number: {row['phone'][:20]!r}.")
        if row.get("removed"):
            raise FormatError("not_full", "A registry takes full lists in this format, not removals.")
        numbers.append(int(rules.country_code + (digits if length else digits.lstrip("0"))))
    return np.array(numbers, dtype=np.int64)


def _last_changes(numbers: Any, removed: Any, at: Any) -> tuple[Any, Any]:
    """Return each number once, with what its latest change makes of it."""
    order = np.lexsort((np.arange(len(numbers)), at, numbers))
    numbers, removed = numbers[order], removed[order]
    last = np.append(numbers[1:] != numbers[:-1], True)[: len(numbers)]
    return numbers[last], removed[last]


def _check_area(read: ReadFile, rules: RegistryRules) -> None:
    low, high = (int(read.numbers[0]), int(read.numbers[-1])) if len(read.numbers) else (0, 0)
    if high and not (str(low).startswith(rules.country_code) and str(high).startswith(rules.country_code)):
        raise FormatError("wrong_area", "The file holds numbers of another country.")
    if read.identity.area and read.holds == "full" and rules.country_code == "1":
        wanted = int(read.identity.area) * 10_000_000
        if low < wanted or high >= wanted + 10_000_000:
            raise FormatError("wrong_area", f"The file is named for {read.identity.area[1:]} but holds other numbers.")
    if read.version_date is None:
        raise FormatError("no_version_date", "Neither the name nor the content says of which day the list is.")
    if read.version_date > datetime.now(UTC).date():
        raise FormatError("future", "The list is dated in the future.")


class _Hashed(io.RawIOBase):
    """Reads a stream once and hashes what goes by."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.hash = hashlib.sha256()
        self.ahead = b""

    def peek(self, size: int) -> bytes:
        self.ahead = self.stream.read(size)
        return self.ahead

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.ahead[: len(buffer)] or self.stream.read(len(buffer))
        self.ahead = self.ahead[len(buffer) :] if self.ahead else b""
        buffer[: len(data)] = data
        self.hash.update(data)
        return len(data)

    def hexdigest(self) -> str:
        # What the format did not read belongs to the file all the same.
        while rest := self.stream.read(1024 * 1024):
            self.hash.update(rest)
        return self.hash.hexdigest()


@contextmanager
def local_path(place: dict[str, str]) -> Iterator[Path | None]:
    """Give a file of a load as a file of this machine; None when it is gone."""
    if "path" in place:
        path = Path(place["path"])
        yield path if path.is_file() else None
        return
    if not default_storage.exists(place["storage"]):
        yield None
        return
    try:
        yield Path(default_storage.path(place["storage"]))
    except NotImplementedError:
        with default_storage.open(place["storage"]) as stored, tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(stored, copy, 1024 * 1024)
            copy.flush()
            yield Path(copy.name)
