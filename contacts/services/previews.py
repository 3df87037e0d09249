"""Dry runs: say what an import would do, row by row, and write none of it."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from contacts.incoming import Changes, Options, read_ahead
from contacts.incoming.custom import Definitions
from contacts.incoming.mapping import api_name
from contacts.incoming.options import CUSTOM
from contacts.models import ContactImport, ImportPreset, ImportPreview
from contacts.services.import_files import UnreadableFile, chunks, local_file, open_file
from contacts.services.import_kinds import RECORDS
from contacts.services.import_plans import Candidate, Plan, Records, plan_chunk
from contacts.services.import_scratch import Scratch, open_scratch
from contacts.services.imports import (
    Chunk,
    all_rejections,
    choose_mapping,
    prepare_chunk,
    read_definitions,
    region_of,
    require_draft,
)
from contacts.services.rejections import describe_rejection
from contacts.tabular import TableError
from vocelio.audit.services import record
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import Step, cancel_job, enqueue_job, running

# How many rows of each kind a dry run shows.
SAMPLES = 20
SHOWN_CHARS = 200
# Fields a count of changes is kept of; a hostile file has thousands of custom ones.
COUNTED_FIELDS = 200


def start_preview(job: ContactImport, *, options: dict[str, Any]) -> ImportPreview:
    """Promise a dry run of a draft under the given settings, which the draft keeps; an earlier one ends."""
    job = ContactImport.objects.select_for_update().get(pk=job.pk)
    require_draft(job)
    job.settings = job.settings | options
    RECORDS[job.record_type].check_reachable(choose_mapping(job, job.settings))
    job.save(update_fields=["settings"])
    for earlier in job.previews.filter(status__in=[JobStatus.PENDING, JobStatus.PROCESSING]):
        cancel_job(earlier)
    preview = ImportPreview(contact_import=job, settings=job.settings)
    preview.save()
    record("import_preview.started", preview.resource, preview.id)
    enqueue_job(preview)
    return preview


def latest_preview(job: ContactImport) -> ImportPreview | None:
    """Return the newest dry run of a draft."""
    found: ImportPreview | None = job.previews.order_by("-created_at", "-id").first()
    return found


def matching_presets(job: ContactImport) -> list[ImportPreset]:
    """Return the presets whose columns the file has all of."""
    headers = {column[0] for column in (job.layout or {}).get("columns", [])}
    presets = ImportPreset.objects.filter(record_type=job.record_type).order_by("name")[:200]
    return [each for each in presets if (named := set(each.options.get("mapping", {}))) and named <= headers]


def run_preview(preview: ImportPreview) -> None:
    """Go through the file as the import would; a worker that dies is followed by one that begins again."""
    with running(preview) as run, open_scratch() as scratch:
        with run.step() as step:
            job = ContactImport.objects.get(pk=preview.contact_import_id)
            # What a dead worker counted is counted again.
            step.set(processed=0, total_rows=0, created=0, updated=0, skipped=0, rejected=0, progress=0)
            step.set(samples={}, field_changes={})
        settings, records = run.job.settings, RECORDS[job.record_type]
        options = Options.stored(settings)
        region = options.region or region_of(job.organization_id)
        with local_file(job) as path:
            table = open_file(path, job.filename)
            mapping = choose_mapping(job, settings)
            records.check_reachable(mapping)
            try:
                total = table.count_rows()
            except TableError as error:
                raise UnreadableFile(error) from None
            with run.step() as step:
                step.set(total=total)
            definitions = read_definitions(job)
            prepare = partial(
                prepare_chunk, records, mapping=mapping, region=region, options=options, definitions=definitions
            )
            tally = _Tally(f"{records.fields.noun}Id")
            for chunk in read_ahead(map(prepare, chunks(table.rows()))):
                with run.step() as step:
                    plan = _plan(records, job, chunk.candidates, options, definitions, scratch)
                    tally.add(chunk, plan, mapping)
                    _count(step, chunk, plan, tally)
            if run.job.total != run.job.total_rows:
                with run.step() as step:
                    step.set(total=run.job.total_rows)


def _plan(
    records: Records,
    job: ContactImport,
    candidates: Sequence[Candidate],
    options: Options,
    definitions: Definitions,
    scratch: Scratch,
) -> Plan:
    """Plan a chunk as the import would after the rows before it."""
    records.identify(candidates)
    marks = {
        mark for each in candidates for mark in (each.key, each.contact.phone, *each.marks, *each.otherwise) if mark
    }
    known = scratch.find(marks) | records.find_known(job.organization_id, candidates, options)
    contacts = {}
    if options.changes_known:
        contacts = records.read_known(job.organization_id, known.values(), lock=False) | scratch.read(
            set(known.values())
        )
    plan = plan_chunk(records, candidates, known, contacts, options, definitions)
    states = {}
    if options.changes_known:
        states = {contact_id: candidate.contact for contact_id, candidate in plan.new.items()}
        states |= {contact_id: there.contact for contact_id, there in plan.changes.items()}
    scratch.keep(plan.marks, states)
    return plan


class _Tally:
    """The first rows of each kind, and how often each field would change."""

    def __init__(self, id_name: str) -> None:
        self.id_name = id_name
        self.fields: Counter[str] = Counter()
        self.samples: dict[str, list[Any]] = {"created": [], "updated": [], "skipped": [], "rejected": []}

    def add(self, chunk: Chunk, plan: Plan, mapping: Any) -> None:
        for candidate in plan.new.values():
            if self._is_full("created"):
                break
            self.samples["created"].append({"row": candidate.contact.row, "data": _described(candidate)})
        for row, contact_id, changes in plan.differences:
            self.fields.update(changes.keys())
            if not self._is_full("updated"):
                sample = {"row": row, self.id_name: str(contact_id), "changes": _shown(changes)}
                self.samples["updated"].append(sample)
        for row, contact_id in plan.repeats:
            if not self._is_full("skipped"):
                self.samples["skipped"].append({"row": row, self.id_name: str(contact_id)})
        for each in all_rejections(chunk, plan):
            if self._is_full("rejected"):
                break
            self.samples["rejected"].append(
                describe_rejection(mapping, each["row"], each["error"], each["cells"], each["fix"])
            )

    def _is_full(self, kind: str) -> bool:
        return len(self.samples[kind]) >= SAMPLES


def _count(step: Step[ImportPreview], chunk: Chunk, plan: Plan, tally: _Tally) -> None:
    rejected = len(chunk.rejections) + len(plan.rejected)
    step.advance(
        len(chunk.rows),
        total_rows=len(chunk.rows),
        created=len(plan.new),
        updated=plan.updated,
        skipped=plan.duplicates,
        rejected=rejected,
    )
    counted = {api_name(name): number for name, number in tally.fields.most_common(COUNTED_FIELDS)}
    step.set(samples=tally.samples, field_changes=counted)


def _described(candidate: Candidate) -> dict[str, str]:
    contact = candidate.contact
    named = {"phone": contact.phone or "", "phone_extension": contact.phone_extension, "email": contact.email}
    named |= contact.values | {"tags": "; ".join(contact.tags)}
    named |= {CUSTOM + name: value for name, value in contact.custom_fields.items()}
    return {api_name(name): value[:SHOWN_CHARS] for name, value in list(named.items())[:100] if value}


def _shown(changes: Changes) -> dict[str, dict[str, str]]:
    return {
        api_name(name): {"before": before[:SHOWN_CHARS], "after": after[:SHOWN_CHARS]}
        for name, (before, after) in list(changes.items())[:100]
    }
