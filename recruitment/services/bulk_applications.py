"""One change to many applications, each succeeding or failing by itself; moves and rejections can be undone a while."""

import uuid
from collections.abc import Callable

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from contacts.services.contacts import check_assignee
from recruitment.models import Application, ApplicationStage, BulkChange, RejectionReason, StageOutcome
from recruitment.services.announcements import announce_applications
from recruitment.services.applications import UNDO_WINDOW, ReasonMissing, find_stage, tell_of_moves
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.bulk import UndoableResult
from vocelio.errors import Conflict, Invalid

MAX_APPLICATIONS = 1_000


class CannotUndo(Conflict):
    code = "CANNOT_UNDO"
    message = "This was undone already, or its time to undo is over."


def move(
    *,
    principal: Principal,
    application_ids: list[uuid.UUID],
    stage_id: uuid.UUID,
    rejection_reason_id: uuid.UUID | None = None,
    notify_candidate: bool = False,
) -> UndoableResult:
    """Move applications to a stage of their process; those of other processes stay and are named."""
    return _move_to(
        principal, application_ids, find_stage(stage_id, "data.stageId"), rejection_reason_id, notify_candidate
    )


def reject(
    *,
    principal: Principal,
    application_ids: list[uuid.UUID],
    rejection_reason_id: uuid.UUID,
    notify_candidate: bool = False,
) -> UndoableResult:
    """Reject applications for a reason, each into its own process's stage for the rejected."""
    return _move_to(principal, application_ids, None, rejection_reason_id, notify_candidate)


def assign(
    *, principal: Principal, application_ids: list[uuid.UUID], assigned_to_id: uuid.UUID | None
) -> UndoableResult:
    """Make somebody responsible for applications, or nobody."""
    result, rows = _start(principal, application_ids)
    if rows:
        check_assignee(rows[0], {"assigned_to_id": assigned_to_id})
    result.successful = [row.pk for row in rows]
    Application.objects.filter(pk__in=result.successful).update(assigned_to_id=assigned_to_id, version=F("version") + 1)
    return _finish(result, "assign", rows)


def undo(*, principal: Principal, change_id: uuid.UUID) -> UndoableResult:
    """Bring back what a bulk move or rejection moved; those changed since stay as they are and are named.

    Raise CannotUndo the second time, and once the window is over: rejections may have been mailed then.
    """
    bulk = BulkChange.objects.select_for_update(no_key=True).filter(pk=change_id).first()
    if bulk is None:
        raise Invalid.field(
            "undoId", "There is no such bulk change.", value=str(change_id), constraint="does_not_exist"
        )
    if bulk.undone_at is not None or bulk.created_at < timezone.now() - UNDO_WINDOW:
        raise CannotUndo
    moved = {uuid.UUID(each["applicationId"]): each for each in bulk.moves}
    result, rows = _start(principal, list(moved))
    stages = {stage.pk: stage for stage in ApplicationStage.objects.alive()}
    back = []
    for row in rows:
        former = stages.get(uuid.UUID(moved[row.pk]["from"]))
        if row.version != moved[row.pk]["version"]:
            result.fail(row.pk, "CHANGED_SINCE", "The application was changed since.")
        elif former is None:
            result.fail(row.pk, "STAGE_GONE", "The stage it came from was removed.")
        elif former.outcome == StageOutcome.OPEN and _has_open(row):
            result.fail(row.pk, "ALREADY_APPLIED", "The person has another open application to the job.")
        else:
            reason = moved[row.pk]["reason"]
            row.rejection_reason_id, row.mail_due_at = uuid.UUID(reason) if reason else None, None
            back.append((row, former))
    _move_all(back)
    BulkChange.objects.filter(pk=bulk.pk).update(undone_at=Now())
    result.successful = [row.pk for row, _ in back]
    return _finish(result, "undo", rows)


ACTIONS: dict[str, Callable[..., UndoableResult]] = {"move": move, "reject": reject, "assign": assign}


def _move_to(
    principal: Principal,
    application_ids: list[uuid.UUID],
    stage: ApplicationStage | None,
    reason_id: uuid.UUID | None,
    notify_candidate: bool,
) -> UndoableResult:
    if reason_id is not None and not RejectionReason.objects.filter(pk=reason_id).exists():
        raise Invalid.field("data.rejectionReasonId", "There is no such reason.", constraint="does_not_exist")
    if stage is not None and stage.outcome == StageOutcome.REJECTED and reason_id is None:
        raise ReasonMissing(stage)
    result, rows = _start(principal, application_ids)
    rejected = {
        each.process_id: each
        for each in ApplicationStage.objects.alive().filter(outcome=StageOutcome.REJECTED).order_by("-position")
    }
    targets = []
    for row in rows:
        target = stage or rejected[row.process_id]
        if target.pk == row.stage_id:
            result.successful.append(row.pk)
        elif target.process_id != row.process_id:
            result.fail(row.pk, "OTHER_PROCESS", "The stage is not of the job's process.")
        elif target.outcome == StageOutcome.OPEN != row.status and _has_open(row):
            result.fail(row.pk, "ALREADY_APPLIED", "The person has another open application to the job.")
        else:
            targets.append((row, target))
    # What undoing puts back is looked up before it is changed.
    former = {row.pk: row.rejection_reason_id for row, _ in targets}
    for row, target in targets:
        if target.outcome == StageOutcome.REJECTED:
            row.rejection_reason_id = reason_id
            row.mail_due_at = timezone.now() + UNDO_WINDOW if notify_candidate else None
    came_from = _move_all(targets)
    if targets:
        moves = [
            {
                "applicationId": str(row.pk),
                "from": str(came_from[row.pk]),
                "version": row.version,
                "reason": str(former[row.pk]) if former[row.pk] else None,
            }
            for row, _ in targets
        ]
        result.undo_id = BulkChange.objects.create(created_by_id=current_actor().user_id, moves=moves).pk
    result.successful += [row.pk for row, _ in targets]
    return _finish(result, "move" if stage else "reject", rows)


def _start(principal: Principal, application_ids: list[uuid.UUID]) -> tuple[UndoableResult, list[Application]]:
    """Return a result with the ids that the caller cannot see already failed, and the other rows, locked."""
    visible = Application.objects.alive().visible_to(principal).filter(pk__in=application_ids).order_by("pk")
    rows = list(visible.select_for_update(of=("self",), no_key=True))
    result = UndoableResult("applicationId")
    for missing in sorted(set(application_ids) - {row.pk for row in rows}):
        result.fail(missing, "NOT_FOUND", "There is no such application.")
    return result, rows


def _has_open(row: Application) -> bool:
    others = Application.objects.open().filter(job_id=row.job_id, contact_id=row.contact_id).exclude(pk=row.pk)
    return bool(others.exists())


def _move_all(targets: list[tuple[Application, ApplicationStage]]) -> dict[uuid.UUID, uuid.UUID]:
    """Move locked applications, each to its stage; return the stages they left."""
    before = {stage.pk: stage for stage in ApplicationStage.objects.filter(pk__in={row.stage_id for row, _ in targets})}
    left = {row.pk: row.stage_id for row, _ in targets}
    now = timezone.now()
    for row, stage in targets:
        row.stage, row.moved_by_id, row.stage_entered_at = stage, current_actor().user_id, now
        row.version += 1
    Application.objects.bulk_update(
        [row for row, _ in targets],
        ["stage", "moved_by", "stage_entered_at", "version", "rejection_reason", "mail_due_at"],
    )
    tell_of_moves([(row, before[left[row.pk]], stage) for row, stage in targets])
    return left


def _finish(result: UndoableResult, action: str, rows: list[Application]) -> UndoableResult:
    record(
        "application.bulk_changed",
        "application",
        operation=action,
        successful=len(result.successful),
        failed=len(result.errors),
        applicationIds=[str(pk) for pk in result.successful],
    )
    done = set(result.successful)
    announce_applications(action, [row for row in rows if row.pk in done])
    return result
