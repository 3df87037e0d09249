"""Make, change and remove hiring processes, and the reasons to reject."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from recruitment.models import (
    Application,
    ApplicationStage,
    HiringProcess,
    JobOpening,
    RejectionReason,
    StageEvent,
    StageOutcome,
)
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.versions import lock

MAX_STAGES = 30
USUAL_STAGES: list[dict[str, Any]] = [
    {"name": "Applied"},
    {"name": "Screening"},
    {"name": "Interview"},
    {"name": "Offer"},
    {"name": "Hired", "outcome": StageOutcome.HIRED},
    {"name": "Rejected", "outcome": StageOutcome.REJECTED},
    {"name": "Withdrawn", "outcome": StageOutcome.WITHDRAWN},
]


class ProcessExists(Conflict):
    code = "PROCESS_EXISTS"
    message = "There is already a hiring process of this name."


class FamilyTaken(Conflict):
    code = "FAMILY_TAKEN"
    message = "Another hiring process is already for this family of jobs."


class StageTwice(Conflict):
    code = "STAGE_EXISTS"
    message = "The process already has a stage of this name."


class ProcessInUse(Conflict):
    code = "PROCESS_IN_USE"
    message = "Jobs follow this process, or it is the default one."


class ApplicationStageInUse(Conflict):
    """Applications are in the stage; `applications` says how many."""

    code = "STAGE_IN_USE"
    message = "Applications are in this stage. Move them first."


class ReasonExists(Conflict):
    code = "REASON_EXISTS"
    message = "There is already a reason of this name."


class ReasonInUse(Conflict):
    code = "REASON_IN_USE"
    message = "Applications were rejected for this reason. Archive it instead."


def create_process(
    *, name: str, stages: list[dict[str, Any]] | None = None, is_default: bool = False, **fields: Any
) -> HiringProcess:
    """Create a process with these stages in their order, the usual ones when none are given."""
    process = HiringProcess(name=name, **fields)
    save_named(process, {"one_process_per_name": ProcessExists, "one_process_per_family": FamilyTaken})
    _write_stages(process, USUAL_STAGES if stages is None else stages)
    if is_default or not HiringProcess.objects.filter(is_default=True).exists():
        _make_default(process)
    record("hiring_process.created", "hiringprocess", process.pk)
    return process


def update_process(
    process: HiringProcess,
    *,
    version: int | None = None,
    stages: list[dict[str, Any]] | None = None,
    is_default: bool | None = None,
    **fields: Any,
) -> HiringProcess:
    """Change the given fields. `stages`, when given, become exactly the process's, in their order: those with an id
    are kept and changed, others are added, missing ones removed. Raise ApplicationStageInUse for one in use.
    """
    process = lock(HiringProcess.objects.alive(), process.pk, version, process_state)
    if is_default is False and process.is_default:
        raise ProcessInUse("Make another process the default one first.")
    for field, value in fields.items():
        setattr(process, field, value)
    process.version += 1
    save_named(process, {"one_process_per_name": ProcessExists, "one_process_per_family": FamilyTaken})
    if stages is not None:
        _write_stages(process, stages)
    if is_default:
        _make_default(process)
    names = [*fields, *(["stages"] if stages is not None else []), *(["is_default"] if is_default is not None else [])]
    record("hiring_process.updated", "hiringprocess", process.pk, fields=sorted(names))
    return process


def delete_process(process: HiringProcess) -> None:
    """Remove a process that no job follows; raise ProcessInUse otherwise."""
    process = lock(HiringProcess.objects.alive(), process.pk, None, process_state)
    jobs = JobOpening.objects.alive().filter(process=process).count()
    if process.is_default or jobs:
        raise ProcessInUse(jobs=jobs)
    HiringProcess.objects.filter(pk=process.pk).update(deleted_at=Now())
    record("hiring_process.deleted", "hiringprocess", process.pk)


def process_for(family: str) -> HiringProcess:
    """Return the process of the family, else the default one, which is made the first time it is needed."""
    processes = HiringProcess.objects.alive()
    found: HiringProcess | None = processes.filter(family__iexact=family).first() if family else None
    found = found or processes.filter(is_default=True).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return create_process(name="Hiring", is_default=True)
    except (IntegrityError, ProcessExists):
        # Somebody else made it at the same moment.
        made: HiringProcess = processes.order_by("-is_default", "created_at")[0]
        return made


def stages_of(process_id: uuid.UUID) -> list[ApplicationStage]:
    """Return the stages of a process in their order."""
    return list(ApplicationStage.objects.alive().filter(process_id=process_id).order_by("position", "id"))


def process_state(process: HiringProcess) -> dict[str, Any]:
    """Return what the second of two people needs to see."""
    return {"id": str(process.pk), "name": process.name, "version": process.version}


def create_reason(**fields: Any) -> RejectionReason:
    reason = RejectionReason(**fields)
    save_named(reason, {"one_rejection_reason_per_name": ReasonExists})
    record("rejection_reason.created", "rejectionreason", reason.pk)
    return reason


def update_reason(reason: RejectionReason, **fields: Any) -> RejectionReason:
    for field, value in fields.items():
        setattr(reason, field, value)
    save_named(reason, {"one_rejection_reason_per_name": ReasonExists})
    record("rejection_reason.updated", "rejectionreason", reason.pk, fields=sorted(fields))
    return reason


def delete_reason(reason: RejectionReason) -> None:
    """Delete a reason nobody was rejected for; raise ReasonInUse otherwise."""
    if Application.objects.filter(rejection_reason=reason).exists():
        raise ReasonInUse
    reason_id = reason.pk
    reason.delete()
    record("rejection_reason.deleted", "rejectionreason", reason_id)


def save_named(row: models.Model, refusals: Mapping[str, type[Conflict]]) -> None:
    """Save the row; raise the refusal of the unique constraint it hurts."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        refusal = next((refusals[name] for name in refusals if name in str(error)), None)
        if refusal is None:
            raise
        raise refusal(field="name", value=str(row), constraint="unique") from None


def _write_stages(process: HiringProcess, stages: list[dict[str, Any]]) -> None:
    if len(stages) > MAX_STAGES:
        raise Invalid.field("stages", f"A process has at most {MAX_STAGES} stages.", constraint="max_length")
    known = {stage.pk: stage for stage in stages_of(process.pk)}
    kept = {stage["id"] for stage in stages if stage.get("id")}
    if unknown := kept - set(known):
        raise Invalid.field("stages", "There is no such stage here.", value=str(min(unknown)), constraint="unknown")
    outcomes = {
        stage.get("outcome", known[stage["id"]].outcome if stage.get("id") else StageOutcome.OPEN) for stage in stages
    }
    if lacking := [label for value, label in StageOutcome.choices if value not in outcomes]:
        raise Invalid.field("stages", f"A process needs stages for: {', '.join(lacking)}.", constraint="outcomes")
    for stage in known.values():
        wanted = next((each for each in stages if each.get("id") == stage.pk), None)
        if wanted is not None and wanted.get("outcome", stage.outcome) == stage.outcome:
            continue
        if number := Application.objects.filter(stage=stage).count():
            raise ApplicationStageInUse(f"Applications are in {stage.name}. Move them first.", applications=number)
        if wanted is not None and StageEvent.objects.filter(to_stage=stage).exists():
            # Figures of the past say what the stage meant.
            raise ApplicationStageInUse(f"{stage.name} has a history: make a new stage for the other outcome.")
        if wanted is None:
            ApplicationStage.objects.filter(pk=stage.pk).update(deleted_at=Now())
    for position, wanted in enumerate(stages):
        stage = known.get(wanted.get("id")) or ApplicationStage(process=process)  # type: ignore[arg-type]
        stage.name, stage.position = wanted.get("name", stage.name), position
        stage.outcome = wanted.get("outcome", stage.outcome)
        save_named(stage, {"one_application_stage_per_name": StageTwice})


def _make_default(process: HiringProcess) -> None:
    HiringProcess.objects.filter(is_default=True).exclude(pk=process.pk).update(is_default=False)
    HiringProcess.objects.filter(pk=process.pk).update(is_default=True)
    process.is_default = True
