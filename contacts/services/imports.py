"""Take files of contacts or clients in, look at them first or not, and import them chunk by chunk."""

import uuid
from functools import partial
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from contacts.incoming import Mapping, Options, read_ahead
from contacts.incoming.custom import Definition, Definitions, check_all
from contacts.models import ContactImport, ContactList, CustomField, ImportPreset, RecordType
from contacts.services.custom_fields import clean_text
from contacts.services.import_files import (
    UnreadableFile,
    chunks,
    describe_table,
    local_file,
    mapping_of,
    open_file,
)
from contacts.services.import_kinds import RECORDS
from contacts.services.import_plans import UNDEFINED, Candidate, Plan, Records, merge_chunk
from contacts.services.lists import ListExists, create_list
from contacts.services.rejections import describe_rejection, store_rejections, stored_mapping
from contacts.tabular import Row, Table, TableError
from contacts.tabular.content import detect_kind
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid, TooLarge, VocelioError
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import Run, Step, cancel_job, enqueue_job, running
from vocelio.notifications.services.feed import tell_feed
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

NEWEST_ERRORS = 5
# Measured by benchmarks/imports.py on two cores, rounded down.
BYTES_PER_MINUTE: dict[str, int] = {ContactImport.Kind.CSV: 60_000_000, ContactImport.Kind.EXCEL: 30_000_000}


def start_import(
    *,
    file: "File[bytes]",
    record_type: str = RecordType.CONTACT,
    target_list: ContactList | None = None,
    list_name: str = "",
    options: Options | None = None,
    preset: ImportPreset | None = None,
    preview: bool = False,
) -> ContactImport:
    """Keep the file and promise to import it; raise UnreadableFile when its content is no table.

    `list_name` names the list to fill; it is created unless it exists. With `preview` the import stays a draft, whose
    file has been looked into, until `start_draft`. A preset says which column is which, and its options win.
    """
    _check_list(record_type, target_list, list_name)
    _check_preset(record_type, preset)
    if file.size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge
    try:
        kind = detect_kind(cast(BinaryIO, file))
    except TableError as error:
        raise UnreadableFile(error) from None
    if list_name:
        target_list = list_named(list_name)
    chosen = (options or Options()).settings() | {"mapping": {}} | (preset.options if preset else {})
    job = ContactImport(
        record_type=record_type,
        filename=file.name or "",
        file_size=file.size,
        import_type=ContactImport.Kind.CSV if kind == "csv" else ContactImport.Kind.EXCEL,
        target_list=target_list,
        settings=chosen,
        is_draft=preview,
    )
    name = f"imports/{job.organization_id}/{job.id}{PurePath(job.filename).suffix.lower()[:10]}"
    job.file = default_storage.save(name, file)
    if preview:
        try:
            job.layout = _look_into(job)
        except VocelioError:
            default_storage.delete(job.file)
            raise
    job.save()
    if preview:
        record("import.uploaded", job.resource, job.id, fileSize=job.file_size)
    else:
        record("import.started", job.resource, job.id, fileSize=job.file_size)
        enqueue_job(job)
    return job


def start_draft(
    job: ContactImport, *, options: dict[str, Any], target_list: ContactList | None = None, list_name: str = ""
) -> ContactImport:
    """Import the file of a draft under the given settings; raise Conflict when it is none any more."""
    _check_list(job.record_type, target_list, list_name)
    job = ContactImport.objects.select_for_update().get(pk=job.pk)
    require_draft(job)
    if list_name:
        target_list = list_named(list_name)
    job.settings = job.settings | options
    RECORDS[job.record_type].check_reachable(choose_mapping(job, job.settings))
    job.target_list = target_list or job.target_list
    job.is_draft = False
    job.save(update_fields=["settings", "target_list", "is_draft"])
    for preview in job.previews.filter(status__in=[JobStatus.PENDING, JobStatus.PROCESSING]):
        cancel_job(preview)
    record("import.started", job.resource, job.id, fileSize=job.file_size)
    enqueue_job(job)
    return job


def require_draft(job: ContactImport) -> None:
    """Raise Conflict unless the import waits to be started."""
    if not job.is_draft or job.status != JobStatus.PENDING:
        raise Conflict("The import is no draft: it was started or cancelled.", status=job.status)


def choose_mapping(job: ContactImport, chosen: dict[str, Any]) -> Mapping:
    """Return which column of a looked-into file is which; raise Invalid naming every bad choice."""
    assert job.layout is not None  # noqa: S101 - drafts have one
    mapping = mapping_of(job.layout, chosen.get("mapping", {}))
    sensitive = read_definitions(job).sensitive
    problems = [
        {
            "field": "mapping",
            "value": key,
            "constraint": "sensitive",
            "message": f"{key} is sensitive: no file fills it.",
        }
        for key in mapping.custom
        if key in sensitive
    ] + [
        {"field": "mapping", "value": target, "constraint": "unique", "message": f"Two columns fill {target}."}
        for target in mapping.repeated()
    ]
    if problems:
        raise Invalid(problems[0]["message"], errors=problems)
    return mapping


def estimate_duration(job: ContactImport) -> str:
    """Say in words how long the import will take, from the size of its file."""
    minutes = job.file_size // BYTES_PER_MINUTE[job.import_type]
    return f"{minutes}-{minutes + 1} minutes" if minutes else "less than a minute"


def cancel_import(job: ContactImport) -> ContactImport:
    """Stop the import after the chunk in hand; what it has imported stays."""
    return cancel_job(job)


def run_import(job: ContactImport) -> None:
    """Import the file from where the job stands to its end."""
    with running(job) as run, local_file(run.job) as path:
        options = Options.stored(run.job.settings)
        region = options.region or region_of(run.job.organization_id)
        table = open_file(path, run.job.filename)
        mapping = _understand(run, table, region)
        records = RECORDS[run.job.record_type]
        definitions = read_definitions(run.job)
        prepare = partial(
            prepare_chunk, records, mapping=mapping, region=region, options=options, definitions=definitions
        )
        rows = table.rows(start_after=run.job.checkpoint.get("row", 0))
        for chunk in read_ahead(map(prepare, chunks(rows))):
            with run.step() as step:
                _take(records, step, chunk, mapping, options, definitions)
        if run.job.total != run.job.total_rows:
            # Some rows of a workbook turned out to be blank.
            with run.step() as step:
                step.set(total=run.job.total_rows)


def tell_of_import(job: ContactImport) -> None:
    """Add to the feed what an import brought, or that it failed."""
    tell_feed(
        kind=f"import.{job.status}",
        resource="import",
        resource_id=job.pk,
        title=job.filename,
        owners=[job.created_by_id],
        recordType=job.record_type,
        imported=job.imported_contacts,
        updated=job.updated_contacts,
        invalid=job.invalid_contacts,
    )


class Chunk(NamedTuple):
    """Some rows of a file, judged and ready to be written."""

    rows: list[Row]
    candidates: list[Candidate]
    rejections: list[dict[str, Any]]


def prepare_chunk(
    records: Records, rows: list[Row], *, mapping: Mapping, region: str, options: Options, definitions: Definitions
) -> Chunk:
    """Do all of the work on some rows that needs no database; runs in the reader's thread."""
    contacts, rejected = records.clean(rows, mapping, region=region, options=options)
    if any(map(definitions.is_defined, mapping.custom)):
        rejected += check_all(definitions, contacts, {row.number: row.cells for row in rows})
        rejected.sort(key=lambda each: each.row)
    return Chunk(rows, records.prepare(contacts, options, definitions), [each._asdict() for each in rejected])


def read_definitions(job: ContactImport) -> Definitions:
    """Return the custom fields the organization defines, for rows to be held against; of clients, any may be there."""
    if not RECORDS[job.record_type].has_definitions:
        return UNDEFINED
    with organization_scope(job.organization_id):
        fields = list(CustomField.objects.active())
    return Definitions(
        [
            Definition(each.key, partial(clean_text, each), each.is_required, each.default)
            for each in fields
            if not each.is_sensitive
        ],
        [each.key for each in fields if each.is_sensitive],
    )


def all_rejections(chunk: Chunk, plan: Plan) -> list[dict[str, Any]]:
    """Return what is rejected of a chunk, in the order of the file."""
    if not plan.rejected:
        return chunk.rejections
    cells = {row.number: row.cells for row in chunk.rows}
    later = [
        {"row": row, "field": field, "error": error, "cells": cells[row], "fix": fix}
        for row, field, error, fix in plan.rejected
    ]
    return sorted(chunk.rejections + later, key=lambda each: each["row"])


def region_of(organization_id: uuid.UUID) -> str:
    """Return the country whose dialling rules an organization goes by."""
    return Organization.objects.values_list("default_region", flat=True).get(pk=organization_id)


def list_named(name: str) -> ContactList:
    """Return the list of this name; created unless it exists."""
    existing: ContactList | None = ContactList.objects.filter(name=name).first()
    if existing is not None:
        if existing.is_dynamic:
            raise Invalid.field("listName", "A dynamic list holds whom its filter finds.", constraint="dynamic")
        return existing
    try:
        return create_list(name=name)
    except ListExists as error:
        # Created by somebody else since the look-up.
        found: ContactList = ContactList.objects.get(pk=uuid.UUID(error.details["existingId"]))
        return found


def _take(
    records: Records,
    step: Step[ContactImport],
    chunk: Chunk,
    mapping: Mapping,
    options: Options,
    definitions: Definitions,
) -> None:
    """Write one chunk and its counts in the step's transaction."""
    job = step.job
    plan = merge_chunk(records, job, chunk.candidates, options, definitions)
    rejections = all_rejections(chunk, plan)
    if rejections:
        store_rejections(job, rejections)
        newest = [
            describe_rejection(mapping, each["row"], each["error"], each["cells"], each["fix"])
            for each in rejections[-NEWEST_ERRORS:]
        ]
        job.newest_errors = (job.newest_errors + newest)[-NEWEST_ERRORS:]
    rows = len(chunk.rows)
    step.advance(
        rows,
        checkpoint={"row": chunk.rows[-1].number},
        total_rows=rows,
        valid_contacts=rows - len(rejections),
        invalid_contacts=len(rejections),
        duplicates=plan.duplicates,
        imported_contacts=len(plan.new),
        updated_contacts=plan.updated,
    )
    if plan.new or plan.changes:
        records.announce(job, plan)


def _check_list(record_type: str, target_list: ContactList | None, list_name: str) -> None:
    if target_list is not None and list_name:
        raise Invalid.field("listName", "Give either listId or listName.", value=list_name, constraint="exclusive")
    if (target_list is not None or list_name) and not RECORDS[record_type].has_lists:
        raise Invalid.field("listName", "Only contacts are on lists.", constraint="contacts")
    if target_list is not None and target_list.is_dynamic:
        raise Invalid.field("listId", "A dynamic list holds whom its filter finds.", constraint="dynamic")


def _check_preset(record_type: str, preset: ImportPreset | None) -> None:
    if preset is not None and preset.record_type != record_type:
        raise Invalid.field("presetId", "The preset is for files of other records.", constraint="record_type")


def _understand(run: Run[ContactImport], table: Table, region: str) -> Mapping:
    """Return which column is which, decided once for the job, together with the number of rows.

    Counting reads the file to its end, so a file that breaks off in the middle is refused before anything is written.
    """
    job = run.job
    if "columns" not in job.settings:
        records = RECORDS[job.record_type]
        layout = job.layout or describe_table(table, region, read_definitions(job).sensitive, records.fields)
        mapping = mapping_of(layout, job.settings.get("mapping", {}))
        records.check_reachable(mapping)
        try:
            total = table.count_rows()
        except TableError as error:
            raise UnreadableFile(error) from None
        with run.step() as step:
            step.set(total=total, layout=layout, settings=job.settings | {"columns": mapping.columns})
    return stored_mapping(job)


def _look_into(job: ContactImport) -> dict[str, Any]:
    """Return what is in the file of a new draft."""
    options = Options.stored(job.settings)
    with local_file(job) as path:
        region = options.region or region_of(job.organization_id)
        sensitive = read_definitions(job).sensitive
        return describe_table(open_file(path, job.filename), region, sensitive, RECORDS[job.record_type].fields)
