"""Load registries' files: each is taken whole or refused with a reason, and either way it is in the journal."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Now

from contacts.incoming import read_ahead
from dnc.formats import all_formats
from dnc.models import Registry, RegistryArea, RegistryFile, RegistryLoad
from dnc.services.registry_files import ReadFile, RegistryRules, local_path, read_files
from dnc.services.registry_store import apply_changes, replace_area, write_first
from vocelio.audit.services import record
from vocelio.errors import Invalid, VocelioError
from vocelio.jobs.services import Run, Step, enqueue_job, running
from vocelio.organizations.platform import platform_organization
from vocelio.organizations.scope import organization_scope

# A list that lost more than this share of an area's numbers is more likely to be cut off than to be true.
MOST_LOST = 0.2


class NoFiles(VocelioError):
    code = "NO_FILES"
    status = 422
    message = "There are no files to load."


class NothingLoaded(VocelioError):
    """Every file of a load was refused."""

    code = "NOTHING_LOADED"
    status = 422
    message = "No file was loaded; the journal says why."


def start_load(
    *,
    registry: Registry,
    files: list[dict[str, str]],
    accept_shrink: bool = False,
    format: str = "",
    version_date: date | None = None,
    covers: Sequence[str] = (),
) -> RegistryLoad:
    """Promise to load files, given as name and path or storage key, in the order of their dates.

    `covers` names the area codes, or "all", of which change lists are known to tell every change: those that a list
    does not name did not change, and are as fresh as it.
    """
    if not files:
        raise NoFiles
    if format and format not in all_formats():
        raise Invalid.field("format", "There is no such format.", value=format, constraint="choice")
    with organization_scope(platform_organization().pk):
        load = RegistryLoad(
            registry=registry,
            files=sorted(files, key=_order),
            total=len(files),
            settings={
                "acceptShrink": accept_shrink,
                "format": format,
                "versionDate": version_date.isoformat() if version_date else "",
                "covers": list(covers),
            },
        )
        load.save()
        record("registry_load.started", load.resource, load.id, registry=registry.slug, files=len(files))
        enqueue_job(load)
    return load


def store_files(files: "list[File[bytes]]") -> list[dict[str, str]]:
    """Keep uploaded files in the storage and return their places."""
    folder = uuid.uuid4().hex
    return [
        {"name": Path(file.name or "").name, "storage": default_storage.save(f"registries/{folder}/{file.name}", file)}
        for file in files
    ]


def paths_of(paths: list[Path]) -> list[dict[str, str]]:
    """Return the files that some paths mean: themselves, or what lies in a folder."""
    found = []
    for path in paths:
        files = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
        found += [{"name": file.name, "path": str(file.resolve())} for file in files]
    return found


def run_load(load: RegistryLoad) -> None:
    """Load the files from where the job stands to its end, one transaction a file."""
    registry = load.registry
    with running(load) as run:
        settings = run.job.settings
        rules = RegistryRules(
            formats=registry.formats,
            country_code=registry.country_code,
            options=registry.options,
            format=settings.get("format", ""),
            version_date=date.fromisoformat(settings["versionDate"]) if settings.get("versionDate") else None,
        )
        start = run.job.checkpoint.get("file", 0)
        for index, found in read_ahead(_read_from(run.job.files, start, rules)):
            with run.step() as step:
                for read in found:
                    _take(step, registry, read)
                step.advance(1, checkpoint={"file": index + 1})
        _summarize(run, registry)
        if not run.job.files_loaded:
            raise NothingLoaded


def _order(file: dict[str, str]) -> tuple[str, str]:
    """Sort by the date in the name, then by name, so that change lists follow the lists they change."""
    for known in all_formats().values():
        identity = known.identify(file["name"])
        if identity is not None and identity.version_date is not None:
            return identity.version_date.isoformat(), f"{known.holds != 'full'}{file['name']}"
    return "9999", file["name"]


def _read_from(files: list[dict[str, str]], start: int, rules: RegistryRules) -> Iterator[tuple[int, list[ReadFile]]]:
    """Read the files in the reader's thread."""
    from dnc.formats import FormatError

    for index, place in enumerate(files[start:], start):
        with local_path(place) as path:
            if path is None:
                yield index, [ReadFile(place["name"], problem=FormatError("missing", "The file is not there."))]
            else:
                yield index, list(read_files(place["name"], path, rules))


def _take(step: Step[RegistryLoad], registry: Registry, read: ReadFile) -> None:
    """Write one file's numbers and its line in the journal, or the reason why not."""
    with connection.cursor() as cursor:
        # Two loads of a registry take turns.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('dnc_registry'), %s)", [registry.pk])
    entry = RegistryFile(
        registry=registry,
        load_id=step.job.pk,
        filename=read.name[:255],
        sha256=read.sha256,
        guid=read.identity.guid[:100],
        format=read.format,
        kind=read.holds,
        area=read.identity.area,
        version_date=read.version_date,
        lines=read.lines,
        status=RegistryFile.Status.LOADED,
    )
    areas = _spans(registry, read) if read.problem is None else []
    current = {
        area.area: area
        for area in RegistryArea.objects.filter(registry=registry, area__in=[area for area, _, _ in areas])
    }
    problem = _judge(step, registry, read, areas, current)
    if problem is not None:
        entry.status = RegistryFile.Status.REJECTED
        entry.reason_code, entry.reason = problem[0], problem[1][:500]
        entry.save()
        step.advance(files_rejected=1)
        return
    entry.save()
    assert read.version_date is not None  # noqa: S101 - _judge refuses a file without
    for area, low, high in areas:
        numbers = read.numbers[low:high]
        if read.holds == "changes":
            change = apply_changes(registry.pk, entry.pk, numbers, read.removed[low:high])
            added, removed = change.added, change.removed
            total = current[area].numbers + added - removed
        elif area in current:
            first, last = _blocks_of(registry, area)
            change = replace_area(registry.pk, entry.pk, numbers, first, last)
            added, removed, total = change.added, change.removed, len(numbers)
        else:
            write_first(registry.pk, numbers)
            added, removed, total = len(numbers), 0, len(numbers)
        entry.added += added
        entry.removed += removed
        RegistryArea.objects.update_or_create(
            registry=registry,
            area=area,
            defaults={"version_date": read.version_date, "file": entry, "numbers": total, "updated_at": Now()},
            create_defaults={
                "version_date": read.version_date,
                "first_version_date": read.version_date,
                "file": entry,
                "numbers": total,
            },
        )
    entry.save(update_fields=["added", "removed"])
    if read.holds == "changes":
        _advance_covered(step, registry, entry)
    Registry.objects.filter(pk=registry.pk).update(
        number_count=RegistryArea.objects.filter(registry=registry).aggregate(sum=Sum("numbers"))["sum"] or 0,
        loaded_at=Now(),
    )
    step.advance(files_loaded=1, added=entry.added, removed=entry.removed)


def _advance_covered(step: Step[RegistryLoad], registry: Registry, entry: RegistryFile) -> None:
    """Let the areas that a change list covers without naming them be of its date: they did not change."""
    covers = step.job.settings.get("covers", [])
    areas = RegistryArea.objects.filter(registry=registry, version_date__lt=entry.version_date)
    if "all" not in covers:
        areas = areas.filter(area__in=[registry.country_code + code for code in covers])
    areas.update(version_date=entry.version_date, file=entry, updated_at=Now())


def _judge(
    step: Step[RegistryLoad],
    registry: Registry,
    read: ReadFile,
    areas: list[tuple[str, int, int]],
    current: dict[str, RegistryArea],
) -> tuple[str, str] | None:
    """Return why the file is refused, None when it is not."""
    if read.problem is not None:
        return read.problem.code, read.problem.message
    loaded = RegistryFile.objects.filter(registry=registry, status=RegistryFile.Status.LOADED)
    # A full list that is newer and the same says that nothing changed until its day.
    twins = loaded.filter(sha256=read.sha256)
    if read.holds == "full" or not len(read.numbers):
        twins = twins.filter(version_date__gte=read.version_date)
    if twin := twins.first():
        return "duplicate", f"The same content was loaded as {twin.filename}."
    if read.identity.guid and (twin := loaded.filter(guid=read.identity.guid).first()):
        return "duplicate", f"The same delivery was loaded as {twin.filename}."
    for area, low, high in areas:
        now = current.get(area)
        if now is None:
            if read.holds == "changes":
                return "no_full_list", f"Area {area} has no full list to be changed."
            continue
        if read.version_date is not None and read.version_date < now.version_date:
            return "older", f"Area {area} is loaded as of {now.version_date}, this is of {read.version_date}."
        if (
            read.holds == "full"
            and high - low < now.numbers * (1 - MOST_LOST)
            and not step.job.settings.get("acceptShrink")
        ):
            return "shrink", f"Area {area} would fall from {now.numbers:,} to {high - low:,} numbers."
    return None


def _spans(registry: Registry, read: ReadFile) -> list[tuple[str, int, int]]:
    """Return each area of a file's sorted numbers with where it begins and ends."""
    if registry.country_code != "1":
        return [(registry.country_code, 0, len(read.numbers))]
    prefixes, first = np.unique(read.numbers // 10_000_000, return_index=True)
    edges = [*first.tolist(), len(read.numbers)]
    return [
        (str(prefix), start, end) for prefix, start, end in zip(prefixes.tolist(), edges[:-1], edges[1:], strict=True)
    ]


def _blocks_of(registry: Registry, area: str) -> tuple[int, int]:
    """Return the first and last block of an area."""
    if registry.country_code == "1":
        return int(area) * 1000, int(area) * 1000 + 999
    return 0, 2**31 - 1


def _summarize(run: Run[RegistryLoad], registry: Registry) -> None:
    """Let the planner know what came."""
    with run.step(), connection.cursor() as cursor:
        cursor.execute("SELECT analyze_dnc_registry()")


def describe_area(registry: Registry, area: Any) -> str:
    """Return an area as people know it: the area code in North America."""
    return str(area)[1:] if registry.country_code == "1" else f"+{area}"
