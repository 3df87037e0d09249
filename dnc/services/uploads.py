"""Bulk uploads: a file of numbers for one list, or of facts about numbers, taken whole or refused with the reason."""

import hashlib
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from contacts.phones import PhoneProblem
from dnc.formats import Format, FormatError, all_formats
from dnc.models import DncList, ListUpload
from dnc.services.entries import expiry_of, merge_entries
from dnc.services.facts_store import store_facts
from dnc.services.lists import RegistryListKept, touch_lists
from dnc.services.numbers import entry_numbers, region_of_organization
from dnc.services.registry_files import local_path
from vocelio.audit.services import record
from vocelio.db.copy import copy_to_temporary_table
from vocelio.errors import Conflict, Invalid, TooLarge, VocelioError
from vocelio.jobs.services import Step, enqueue_job, running
from vocelio.organizations.scope import current_organization_id

HEAD = 64 * 1024
SHOWN_ERRORS = 100


class UnknownFile(VocelioError):
    """The file is of no known format; nothing was taken from it."""

    code = "UNKNOWN_FORMAT"
    status = 422


class SameFile(Conflict):
    code = "FILE_ALREADY_LOADED"
    message = "A file of the same content was loaded into this list already."


class DamagedFile(VocelioError):
    """A file that broke its format's promise in the middle; the list is as it was."""

    status = 422

    def __init__(self, error: FormatError) -> None:
        super().__init__(error.message)
        self.code = error.code.upper()


def start_upload(
    *,
    dnc_list: DncList,
    file: "File[bytes]",
    format: str = "",
    options: dict[str, Any] | None = None,
    replace: bool = False,
) -> ListUpload:
    """Keep the file and promise to load it; raise UnknownFile when it is of no known format, SameFile when it was taken."""
    if dnc_list.registry_id is not None:
        raise RegistryListKept
    if file.size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge
    chosen = _recognise(file, format)
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    sha256 = digest.hexdigest()
    last = ListUpload.objects.filter(list=dnc_list, status="completed").order_by("-created_at", "-id").first()
    if last is not None and last.sha256 == sha256:
        raise SameFile(field="file", value=file.name, constraint="unique", existingId=str(last.id))
    upload = ListUpload(
        list=dnc_list,
        filename=PurePath(file.name or "").name[:255],
        file_size=file.size,
        sha256=sha256,
        format=chosen.slug,
        settings=options or {},
        replaces=replace,
    )
    file.seek(0)
    suffix = PurePath(upload.filename).suffix.lower()[:10]
    upload.file = default_storage.save(f"dnc/{upload.organization_id}/{upload.id}{suffix}", file)
    upload.save()
    record("dnc_upload.started", upload.resource, upload.id, listId=str(dnc_list.pk), format=chosen.slug)
    enqueue_job(upload)
    return upload


def run_upload(upload: ListUpload) -> None:
    """Load the file in one transaction, so that a broken file changes nothing and a killed worker begins anew."""
    with running(upload) as run, local_path({"storage": run.job.file}) as path:
        if path is None:
            raise DamagedFile(FormatError("file_missing", "The uploaded file is no longer in the storage."))
        with run.step() as step:
            try:
                _take(step, path)
            except FormatError as error:
                raise DamagedFile(error) from None


def _take(step: Step[ListUpload], path: Path) -> None:
    job = step.job
    dnc_list: DncList = DncList.objects.select_for_update().get(pk=job.list_id)
    chosen = all_formats()[job.format]
    rows = _rows(path, chosen, job.settings)
    counts = dict.fromkeys(("added", "updated", "removed", "unchanged", "invalid"), 0)
    errors: list[dict[str, Any]] = []
    if chosen.holds == "facts":
        for batch in rows:
            for name, number in store_facts(batch).items():
                counts[name] += number
    else:
        _take_entries(dnc_list, chosen, rows, counts, errors, replaces=job.replaces)
        touch_lists({dnc_list.pk}, added=counts["added"], removed=counts["removed"])
    total = sum(counts.values())
    step.set(total=total, errors=errors)
    step.advance(total, checkpoint=None, **counts)


def _take_entries(
    dnc_list: DncList,
    chosen: Format,
    batches: Iterator[list[dict[str, Any]]],
    counts: dict[str, int],
    errors: list[dict[str, Any]],
    *,
    replaces: bool,
) -> None:
    region, now = region_of_organization(), timezone.now()
    kept: dict[str, dict[str, Any]] = {}
    gone: set[str] = set()
    for batch in batches:
        judged = (
            entry_numbers([row["phone"] for row in batch], region) if chosen.judged else [row["phone"] for row in batch]
        )
        for row, phone in zip(batch, judged, strict=True):
            if isinstance(phone, PhoneProblem):
                counts["invalid"] += 1
                if len(errors) < SHOWN_ERRORS:
                    errors.append({"row": row["line"], "value": row["phone"][:50], "error": phone.reason})
            elif phone in kept or phone in gone:
                # The last line on a number holds; the others change nothing.
                counts["unchanged"] += 1
                (gone.add if row.get("removed") else gone.discard)(phone)
                if row.get("removed"):
                    kept.pop(phone, None)
                else:
                    kept[phone] = row
            elif row.get("removed"):
                gone.add(phone)
            else:
                kept[phone] = row
    entries = [
        {
            "phone_number": phone,
            "source": row.get("source", "")[:255] or dnc_list.source,
            "reason": row.get("reason", "")[:255],
            "notes": row.get("notes", ""),
            "expiry_date": _expiry(dnc_list, phone, row, now),
        }
        for phone, row in kept.items()
    ]
    for start in range(0, len(entries), 50_000):
        part = entries[start : start + 50_000]
        merged = merge_entries(dnc_list, part)
        counts["added"] += merged["added"]
        counts["updated"] += merged["updated"]
        counts["unchanged"] += len(part) - merged["added"] - merged["updated"]
    removed = _remove(dnc_list, gone, kept if replaces else None)
    counts["removed"] += removed
    counts["unchanged"] += max(0, len(gone) - removed) if not replaces else 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT analyze_grown_dnc_entries()")


def _expiry(dnc_list: DncList, phone: str, row: dict[str, Any], now: datetime) -> datetime | None:
    since = row["date"].replace(tzinfo=UTC) if row.get("date") else now
    return row["expiry"].replace(tzinfo=UTC) if row.get("expiry") else expiry_of(dnc_list, phone, since)


def _remove(dnc_list: DncList, gone: set[str], kept: dict[str, Any] | None) -> int:
    """Take numbers off the list: those the file removes, or all that a replacing file does not hold."""
    if kept is None and not gone:
        return 0
    copy_to_temporary_table(
        "dnc_named_numbers", {"phone_number": "text"}, ((phone,) for phone in (gone if kept is None else kept))
    )
    with connection.cursor() as cursor:
        if kept is None:
            cursor.execute(
                "DELETE FROM dnc_entries WHERE organization_id = %s AND list_id = %s AND EXISTS"
                " (SELECT FROM dnc_named_numbers AS named WHERE named.phone_number = dnc_entries.phone_number)",
                [current_organization_id(), dnc_list.pk],
            )
        else:
            cursor.execute(
                "DELETE FROM dnc_entries WHERE organization_id = %s AND list_id = %s AND NOT EXISTS"
                " (SELECT FROM dnc_named_numbers AS named WHERE named.phone_number = dnc_entries.phone_number)",
                [current_organization_id(), dnc_list.pk],
            )
        count = int(cursor.rowcount)
        cursor.execute("DROP TABLE dnc_named_numbers")
    return count


def _rows(path: Path, chosen: Format, options: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the file's rows; those of registry formats as numbers alone."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            try:
                for member in archive.infolist():
                    with archive.open(member) as stream:
                        yield from _batches(chosen, stream, options)
            except (zipfile.BadZipFile, EOFError) as error:
                raise FormatError("bad_archive", f"The zip file is damaged: {error}.") from error
        return
    with path.open("rb") as stream:
        yield from _batches(chosen, stream, options)


def _batches(chosen: Format, stream: Any, options: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for batch in chosen.read(stream, options):
        if not batch.rows:
            off = batch.removed.tolist() if batch.removed is not None else [False] * len(batch.numbers)
            yield [
                {"phone": f"+{number}", "removed": removed}
                for number, removed in zip(batch.numbers.tolist(), off, strict=True)
            ]
        elif len(batch.numbers):
            yield [{**row, "number": number} for row, number in zip(batch.rows, batch.numbers.tolist(), strict=True)]
        else:
            yield batch.rows


def _recognise(file: "File[bytes]", format: str) -> Format:
    """Return the format of the file: the one that was named, or the only one that fits."""
    known = all_formats()
    if format and format not in known:
        raise Invalid.field("format", f"There is: {', '.join(known)}.", value=format[:40], constraint="choice")
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        raise UnknownFile("The file is empty.", field="file", constraint="empty")
    if head[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
                if not names:
                    raise UnknownFile("The zip file is empty.", field="file", constraint="empty")
                with archive.open(names[0]) as stream:
                    head = stream.read(HEAD)
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise UnknownFile("The zip file is damaged.", field="file", constraint="content") from error
    if format:
        if format != "delimited" and not known[format].recognises(head):
            raise UnknownFile(f"This is no file of the format {format}.", field="file", constraint="content")
        return known[format]
    fitting = [each for each in known.values() if each.recognises(head)]
    # A file of one's own is what no published format claims.
    fitting = [each for each in fitting if each.slug != "delimited"] or fitting
    # The Canadian and the American flat list look alike, and mean the same.
    if {each.slug for each in fitting} == {"ftc-flat", "lnnte"}:
        return known["ftc-flat"]
    if len(fitting) != 1:
        raise UnknownFile(
            f"The file could be {' or '.join(each.slug for each in fitting)}; name its format."
            if fitting
            else "The file is of no known format. A file of your own needs a header with a column named phone.",
            field="file",
            value=file.name,
            constraint="content",
        )
    return fitting[0]
