"""One change to many deals, each of them succeeding or failing by itself; moves can be undone."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from contacts.services.contacts import check_assignee
from sales.models import BulkMove, Deal, GateField, LostReason, Stage
from sales.services.announcements import announce_deals
from sales.services.deals import find_stage, tell_of_outcome
from sales.services.gates import unmet_gates
from sales.services.money import worth
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.bulk import UndoableResult
from vocelio.errors import Conflict, Invalid

MAX_DEALS = 1_000
UNKNOWN = ("NOT_FOUND", "There is no such deal.")


class AlreadyUndone(Conflict):
    code = "ALREADY_UNDONE"
    message = "This bulk move was undone already."


def move(
    *,
    principal: Principal,
    deal_ids: list[uuid.UUID],
    stage_id: uuid.UUID,
    lost_reason_id: uuid.UUID | None = None,
) -> UndoableResult:
    """Move deals to a stage; those that lack what it asks for stay and are named with what is missing."""
    stage = find_stage(stage_id, "data.stageId")
    if lost_reason_id is not None and not LostReason.objects.filter(pk=lost_reason_id).exists():
        raise Invalid.field("data.lostReasonId", "There is no such lost reason.", constraint="does_not_exist")
    result, deals = _start(principal, deal_ids)
    if lost_reason_id is not None:
        for deal in deals:
            deal.lost_reason_id = lost_reason_id
    missing = unmet_gates(deals, stage)
    movable = []
    for deal in deals:
        if deal.stage_id == stage.pk:
            result.successful.append(deal.pk)
        elif missing[deal.pk]:
            labels = dict(GateField.choices)
            lacks = ", ".join(labels[name].lower() for name in missing[deal.pk])
            result.fail(deal.pk, "STAGE_GATE", f"{stage.name} needs: {lacks}.", missing=missing[deal.pk])
        else:
            movable.append(deal)
    moves = _move_all([(deal, stage) for deal in movable])
    if moves:
        result.undo_id = BulkMove.objects.create(created_by_id=current_actor().user_id, moves=moves).pk
    result.successful += [deal.pk for deal in movable]
    return _finish(result, "move", deals, stage=str(stage.pk))


def undo_move(*, principal: Principal, move_id: uuid.UUID) -> UndoableResult:
    """Bring the deals of a bulk move back; those that were changed since stay as they are and are named.

    Raise AlreadyUndone the second time.
    """
    bulk = BulkMove.objects.select_for_update(no_key=True).filter(pk=move_id).first()
    if bulk is None:
        raise Invalid.field("undoId", "There is no such bulk move.", value=str(move_id), constraint="does_not_exist")
    if bulk.undone_at is not None:
        raise AlreadyUndone
    moved = {uuid.UUID(each["dealId"]): each for each in bulk.moves}
    result, deals = _start(principal, list(moved))
    stages = {stage.pk: stage for stage in Stage.objects.alive()}
    back = []
    for deal in deals:
        former = stages.get(uuid.UUID(moved[deal.pk]["from"]))
        if deal.version != moved[deal.pk]["version"]:
            result.fail(deal.pk, "CHANGED_SINCE", "The deal was changed since.")
        elif former is None:
            result.fail(deal.pk, "STAGE_GONE", "The stage it came from was removed.")
        else:
            reason = moved[deal.pk].get("lostReason")
            deal.lost_reason_id = uuid.UUID(reason) if reason else None
            back.append((deal, former))
    _move_all(back)
    BulkMove.objects.filter(pk=bulk.pk).update(undone_at=Now())
    result.successful = [deal.pk for deal, _ in back]
    return _finish(result, "undo-move", deals)


def assign(*, principal: Principal, deal_ids: list[uuid.UUID], assigned_to_id: uuid.UUID | None) -> UndoableResult:
    """Make somebody responsible for deals, or nobody; deals whose stage asks for an owner keep theirs."""
    result, deals = _start(principal, deal_ids)
    if deals:
        check_assignee(deals[0], {"assigned_to_id": assigned_to_id})
    owners = {deal.assigned_to_id for deal in deals}
    stages = {stage.pk: stage for stage in Stage.objects.filter(pk__in={deal.stage_id for deal in deals})}
    for deal in list(deals):
        if assigned_to_id is None and GateField.ASSIGNED_TO in stages[deal.stage_id].gates:
            result.fail(deal.pk, "STAGE_GATE", f"{stages[deal.stage_id].name} needs: owner.", missing=["assignedTo"])
            deals.remove(deal)
    ids = [deal.pk for deal in deals]
    Deal.objects.filter(pk__in=ids).update(assigned_to_id=assigned_to_id, version=F("version") + 1)
    for deal in deals:
        deal.assigned_to_id = assigned_to_id
    result.successful = ids
    return _finish(result, "assign", deals, owners=owners)


def delete(*, principal: Principal, deal_ids: list[uuid.UUID]) -> UndoableResult:
    """Move deals to the trash."""
    result, deals = _start(principal, deal_ids)
    result.successful = [deal.pk for deal in deals]
    Deal.objects.filter(pk__in=result.successful).update(
        deleted_at=Now(), deleted_by_id=current_actor().user_id, version=F("version") + 1
    )
    return _finish(result, "delete", deals)


ACTIONS: dict[str, Callable[..., UndoableResult]] = {"move": move, "assign": assign, "delete": delete}


def _start(principal: Principal, deal_ids: list[uuid.UUID]) -> tuple[UndoableResult, list[Deal]]:
    """Return a result with the ids that the caller cannot see already failed, and the other deals, locked."""
    visible = Deal.objects.alive().visible_to(principal).filter(pk__in=deal_ids).order_by("pk")
    deals = list(visible.select_for_update(of=("self",), no_key=True))
    result = UndoableResult("dealId")
    for deal_id in sorted(set(deal_ids) - {deal.pk for deal in deals}):
        result.fail(deal_id, *UNKNOWN)
    return result, deals


def _move_all(targets: list[tuple[Deal, Stage]]) -> list[dict[str, Any]]:
    """Move locked deals, each to its stage; return what the journal needs."""
    before = {stage.pk: stage for stage in Stage.objects.filter(pk__in={deal.stage_id for deal, _ in targets})}
    lost = Deal.objects.filter(pk__in=[deal.pk for deal, _ in targets], lost_reason__isnull=False)
    reasons = dict(lost.values_list("pk", "lost_reason_id"))
    now = timezone.now()
    moves = []
    for deal, stage in targets:
        former = before[deal.stage_id]
        reason = reasons.get(deal.pk)
        deal.stage, deal.moved_by_id, deal.stage_entered_at = stage, current_actor().user_id, now
        deal.version += 1
        if stage.kind != former.kind:
            deal.base_amount = worth(deal.amount, deal.currency)
        moves.append(
            {
                "dealId": str(deal.pk),
                "from": str(former.pk),
                "to": str(stage.pk),
                "version": deal.version,
                "lostReason": str(reason) if reason else None,
            }
        )
        tell_of_outcome(deal, former, stage, [deal.assigned_to_id])
    Deal.objects.bulk_update(
        [deal for deal, _ in targets],
        ["stage", "moved_by", "stage_entered_at", "version", "base_amount", "lost_reason"],
    )
    return moves


def _finish(
    result: UndoableResult,
    action: str,
    deals: list[Deal],
    *,
    owners: set[uuid.UUID | None] | None = None,
    **details: Any,
) -> UndoableResult:
    record(
        "deal.bulk_changed",
        "deal",
        operation=action,
        successful=len(result.successful),
        failed=len(result.errors),
        dealIds=[str(deal_id) for deal_id in result.successful],
        **details,
    )
    done = set(result.successful)
    announce_deals(action, [deal for deal in deals if deal.pk in done], owners or ())
    return result
