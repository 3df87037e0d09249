"""Fetch lists' files from where they are published, on each list's schedule, and load them by the same jobs as uploads."""

import hashlib
import logging
import uuid
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from dnc.models import DncList, Registry, Source, SourceDownload
from dnc.services.registry_loads import start_load
from dnc.services.uploads import SameFile, start_upload
from dnc.sources import Errand, Fetched, Place, PluginError, all_places
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid, VocelioError
from vocelio.organizations.platform import platform_organization
from vocelio.organizations.scope import current_organization_id, organization_scope

logger = logging.getLogger(__name__)
# After a failure: five minutes, ten, twenty, at most the list's own rhythm.
FIRST_RETRY = timedelta(minutes=5)


def create_source(
    *,
    kind: str,
    dnc_list: DncList | None = None,
    registry: Registry | None = None,
    settings: dict[str, Any] | None = None,
    secret: str = "",
    auto_update: bool = True,
    update_frequency: int = 24,
) -> Source:
    """Note where a list's files come from; raise Invalid naming every wrong setting."""
    if (dnc_list is None) is (registry is None):
        raise Invalid.field("list", "Name either a list or a registry.", constraint="required")
    _check(kind, settings or {}, secret, for_registry=registry is not None)
    if dnc_list is not None and dnc_list.registry_id is not None:
        raise Conflict("The platform keeps this registry's sources.")
    if dnc_list is not None and Source.objects.filter(list=dnc_list).exists():
        raise Conflict("The list has a source already.", field="listId", constraint="unique")
    if registry is not None and current_organization_id() != platform_organization().pk:
        raise Conflict("Registries belong to the organization Platform; choose it first.")
    source = Source(
        kind=kind,
        list=dnc_list,
        registry=registry,
        settings=settings or {},
        secret=secret,
        auto_update=auto_update,
        update_frequency=update_frequency,
        next_run_at=timezone.now(),
    )
    source.save()
    _mirror(source)
    record("dnc_source.created", "source", source.id, kind=kind)
    return source


def update_source(source: Source, **fields: Any) -> Source:
    """Change a source. Other settings need the secret again, so that nobody points a known secret elsewhere."""
    settings = fields.get("settings", source.settings)
    if settings != source.settings and source.secret and not fields.get("secret"):
        raise Invalid.field("secret", "Changed settings need the secret again.", constraint="required")
    _check(source.kind, settings, fields.get("secret") or source.secret, for_registry=source.registry_id is not None)
    for name, value in fields.items():
        setattr(source, name, value)
    source.next_run_at = timezone.now()
    source.failures = 0
    source.save(update_fields=[*fields, "next_run_at", "failures"])
    _mirror(source)
    record("dnc_source.updated", "source", source.id, fields=sorted(fields))
    return source


def delete_source(source: Source) -> None:
    """Forget a source; its list keeps its numbers."""
    list_id = source.list_id
    Source.objects.filter(pk=source.pk).delete()
    DncList.objects.filter(pk=list_id).update(auto_update=False)
    record("dnc_source.deleted", "source", source.pk)


def collect_due() -> int:
    """Run every source that is due, of all organizations; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, id FROM due_dnc_sources()")
        due = cursor.fetchall()
    return sum(run_source(organization_id, source_id) for organization_id, source_id in due)


def run_source(organization_id: uuid.UUID, source_id: uuid.UUID) -> bool:
    """Fetch what is new and start its loading; False when somebody else is at it. Nothing external in a transaction."""
    with organization_scope(organization_id):
        claimed = Source.objects.filter(pk=source_id, auto_update=True, next_run_at__lte=Now()).update(
            next_run_at=timezone.now() + FIRST_RETRY, last_run_at=Now()
        )
        if not claimed:
            return False
        source: Source = Source.objects.select_related("registry", "list").get(pk=source_id)
        errand = Errand(
            settings={name: value for name, value in source.settings.items() if name != "columns"},
            secret=source.secret,
            is_known=lambda name: _is_known(source, name),
            state=dict(source.state),
            prefix=f"incoming/{source.registry.slug if source.registry else source.list_id}",
        )
    place = all_places()[source.kind]
    problem: PluginError | None = None
    try:
        for fetched in place.fetch(errand):
            _keep(source, place, fetched)
    except PluginError as error:
        problem = error
    problem = _load_new(source, place) or problem
    with organization_scope(organization_id):
        _conclude(source, errand, problem)
    return True


def _is_known(source: Source, name: str) -> bool:
    with organization_scope(source.organization_id):
        return bool(SourceDownload.objects.filter(source=source, name=name[:500]).exists())


def _keep(source: Source, place: Place, fetched: Fetched) -> None:
    """Store a file as it came, before anything is made of it."""
    filename = PurePath(fetched.filename).name[:255] or "download"
    key = f"sources/{source.organization_id}/{source.pk}/{uuid.uuid4().hex}/{filename}"
    stored = default_storage.save(key, ContentFile(fetched.content))
    with organization_scope(source.organization_id):
        SourceDownload.objects.create(
            source=source,
            name=fetched.name[:500],
            filename=filename,
            file=stored,
            sha256=hashlib.sha256(fetched.content).hexdigest(),
            is_raw=fetched.is_raw,
        )


def _load_new(source: Source, place: Place) -> PluginError | None:
    """Start loading what is kept and has no job yet, so that a crash after a download loses nothing."""
    with organization_scope(source.organization_id):
        waiting = list(SourceDownload.objects.filter(source=source, job_id__isnull=True).order_by("id"))
    problem, files = None, []
    for download in waiting:
        if download.is_raw:
            try:
                with default_storage.open(download.file) as raw:
                    content = place.decode(raw.read())
            except PluginError as error:
                problem = error
                continue
            # Beside the answer, which stays as it came.
            place_of = default_storage.save(f"{download.file}.decoded/{download.filename}", ContentFile(content))
        else:
            place_of = download.file
        files.append((download, place_of))
    if not files:
        return problem
    try:
        if source.registry is not None:
            load = start_load(
                registry=source.registry,
                files=[{"name": download.filename, "storage": place_of} for download, place_of in files],
                covers=place.covers(source.settings),
            )
            _mark(source, [download for download, _ in files], load.pk)
        else:
            for download, place_of in files:
                _upload(source, download, place_of)
    except VocelioError as error:
        return PluginError(error.message, permanent=True, code=error.code)
    return problem


def _upload(source: Source, download: SourceDownload, place_of: str) -> None:
    with organization_scope(source.organization_id), default_storage.open(place_of) as content:
        content.name = download.filename
        dnc_list = DncList.objects.get(pk=source.list_id)
        columns = source.settings.get("columns") or {}
        try:
            job_id = start_upload(
                dnc_list=dnc_list,
                file=content,
                format="delimited" if columns else "",
                options=columns,
                replace=bool(source.settings.get("replace")),
            ).pk
        except SameFile as error:
            job_id = uuid.UUID(error.details["existingId"])
    _mark(source, [download], job_id)


def _mark(source: Source, downloads: list[SourceDownload], job_id: uuid.UUID) -> None:
    with organization_scope(source.organization_id):
        SourceDownload.objects.filter(pk__in=[download.pk for download in downloads]).update(job_id=job_id)


def _conclude(source: Source, errand: Errand, problem: PluginError | None) -> None:
    """Store how it went and when to look again."""
    rhythm = timedelta(hours=source.update_frequency)
    failures, wait = 0, rhythm
    if problem is not None:
        failures = source.failures + (problem.code != "RequestPending")
        wait = min(rhythm, FIRST_RETRY * 2 ** min(failures - 1, 10)) if failures else FIRST_RETRY
        if problem.retry_after:
            wait = timedelta(seconds=problem.retry_after)
        elif problem.permanent:
            wait = rhythm
        logger.warning("A list's source failed", extra={"source_id": str(source.pk), "code": problem.code})
    Source.objects.filter(pk=source.pk).update(
        next_run_at=timezone.now() + wait,
        failures=failures,
        last_error=str(problem)[:500] if problem else "",
        state=errand.state,
    )
    record("dnc_source.collected", "source", source.pk, error=problem.code if problem else "")


def _check(kind: str, settings: dict[str, Any], secret: str, *, for_registry: bool) -> None:
    place = all_places().get(kind)
    if place is None or (place.for_operators and not for_registry):
        raise Invalid.field("kind", "There is no such kind of source.", value=kind[:40], constraint="choice")
    known = {*place.required, *place.optional, "columns", "replace"}
    errors = [
        {"field": f"settings.{name}", "value": None, "constraint": "required", "message": f"{name} is needed."}
        for name in place.required
        if not settings.get(name)
    ]
    errors += [
        {
            "field": f"settings.{name}"[:100],
            "value": None,
            "constraint": "unknown",
            "message": "There is no such setting.",
        }
        for name in settings
        if name not in known
    ]
    errors += [
        {"field": f"settings.{name}", "value": None, "constraint": "text", "message": "This must be text."}
        for name in place.required
        if settings.get(name) and not isinstance(settings[name], str)
    ]
    if place.needs_secret and not secret:
        errors.append({"field": "secret", "value": None, "constraint": "required", "message": "This is needed."})
    if kind == "https" and not str(settings.get("url", "https://")).startswith("https://"):
        errors.append(
            {"field": "settings.url", "value": None, "constraint": "https", "message": "The address must be https."}
        )
    if errors:
        raise Invalid("Some settings are not valid.", errors=errors)


def _mirror(source: Source) -> None:
    """Show the schedule at the list, as the document has it."""
    DncList.objects.filter(pk=source.list_id).update(
        auto_update=source.auto_update, update_frequency=source.update_frequency, source=all_places()[source.kind].label
    )
