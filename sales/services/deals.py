"""Make, change, move, trash, restore and purge deals. One way leads into a stage, and its gates stand there."""

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import Client, Contact
from contacts.services.contacts import check_assignee, public_changes
from sales.models import Deal, DealContact, DealLine, LostReason, Stage, StageKind
from sales.services.announcements import announce_deal
from sales.services.gates import StageGate, check_gates, unmet_gates
from sales.services.money import own_currency, worth
from sales.services.pipelines import usual_pipeline
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Invalid
from vocelio.notifications.services.feed import tell_feed
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.retention import kept_since
from vocelio.organizations.scope import current_organization_id
from vocelio.versions import lock

# How long a deal stays in the trash.
PURGE_BATCH = 5_000
MAX_AMOUNT = Decimal(10) ** 16
# Feed kinds by what the deal became.
OUTCOMES: dict[str, str] = {StageKind.WON: "deal.won", StageKind.LOST: "deal.lost", StageKind.OPEN: "deal.reopened"}


def create_deal(
    *,
    principal: Principal,
    stage: Stage | None = None,
    contacts: list[dict[str, Any]] | None = None,
    lines: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> Deal:
    """Create a deal in a stage, the first of the default pipeline otherwise; raise StageGate for what it lacks.

    `contacts` are {contact_id, role, is_primary}, `lines` {name, quantity, unit_price, discount}; with lines the
    amount is their sum.
    """
    if stage is None:
        stages = Stage.objects.alive().filter(pipeline=usual_pipeline(), kind=StageKind.OPEN)
        stage = stages.order_by("position", "id").first()
    assert stage is not None  # noqa: S101 - every pipeline keeps an open stage
    fields.setdefault("currency", own_currency())
    deal = Deal(stage=stage, created_by_id=current_actor().user_id)
    _set(deal, fields, principal)
    # Known before the row is, since gates look at both.
    if lines:
        _take_sum(deal, lines)
    deal.base_amount = worth(deal.amount, deal.currency)
    _check_range(deal)
    _insert(deal)
    _replace_contacts(deal, contacts, principal)
    _replace_lines(deal, lines)
    check_gates([deal], stage)
    deal.refresh_from_db()
    record("deal.created", "deal", deal.pk, fields=sorted(fields), stage=str(stage.pk))
    announce_deal("deal_created", deal)
    tell_feed(kind="deal.created", resource="deal", resource_id=deal.pk, title=deal.name, owners=[deal.assigned_to_id])
    _tell_assignee(deal, None)
    return deal


def update_deal(
    *,
    deal: Deal,
    principal: Principal,
    version: int | None = None,
    stage: Stage | None = None,
    contacts: list[dict[str, Any]] | None = None,
    lines: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> Deal:
    """Change the given fields, and the stage where one is given; lists replace what was there.

    Raise VersionConflict when the deal is no longer at `version`, StageGate when it would enter a stage without
    what the stage asks for, or lose what its own stage asks for.
    """
    deal = lock(Deal.objects.alive(), deal.pk, version, deal_state)
    before = Stage.objects.get(pk=deal.stage_id)
    target = stage or before
    lacked = unmet_gates([deal], before)[deal.pk]
    owner_before, amount_before = deal.assigned_to_id, deal.amount
    _set(deal, fields, principal)
    if lines is not None:
        _take_sum(deal, lines)
    elif "amount" in fields and deal.amount != amount_before and DealLine.objects.filter(deal=deal).exists():
        raise Invalid.field("amount", "The amount of a deal with lines is their sum.", constraint="lines")
    is_moving = target.pk != before.pk
    if is_moving:
        deal.stage, deal.moved_by_id = target, current_actor().user_id
        deal.stage_entered_at = timezone.now()
    deal.base_amount = worth(deal.amount, deal.currency, _rate_day(deal, before, target))
    deal.version += 1
    _check_range(deal)
    _replace_contacts(deal, contacts, principal)
    _replace_lines(deal, lines)
    missing = unmet_gates([deal], target)[deal.pk]
    if not is_moving:
        missing = [name for name in missing if name not in lacked]
    if missing:
        raise StageGate(target, missing)
    columns = [*fields, "base_amount", "version", *(["amount"] if lines is not None else [])]
    deal.save(update_fields=[*columns, *(["stage", "moved_by", "stage_entered_at"] if is_moving else [])])
    deal.refresh_from_db()
    names = [*fields, *(["contacts"] if contacts is not None else []), *(["lines"] if lines is not None else [])]
    if is_moving:
        _tell_of_move(deal, before, target, owner_before, names)
    else:
        record("deal.updated", "deal", deal.pk, fields=sorted(names))
        announce_deal("deal_updated", deal, [owner_before], changes=public_changes(deal, fields))
    _tell_assignee(deal, owner_before)
    return deal


def move_deal(*, deal: Deal, principal: Principal, stage: Stage, version: int | None = None, **fields: Any) -> Deal:
    """Move a deal to a stage, giving what the stage asks for in the same breath."""
    return update_deal(deal=deal, principal=principal, version=version, stage=stage, **fields)


def delete_deal(*, deal: Deal, version: int | None = None) -> None:
    """Move the deal to the trash, out of every list, board and figure."""
    deal = lock(Deal.objects.alive(), deal.pk, version, deal_state)
    Deal.objects.filter(pk=deal.pk).update(
        deleted_at=Now(), deleted_by_id=current_actor().user_id, version=F("version") + 1
    )
    record("deal.deleted", "deal", deal.pk)
    announce_deal("deal_deleted", deal)


def restore_deal(*, deal: Deal) -> Deal:
    """Bring the deal back from the trash, into the stage it was in."""
    Deal.objects.filter(pk=deal.pk).update(deleted_at=None, deleted_by=None, version=F("version") + 1)
    deal.refresh_from_db()
    record("deal.restored", "deal", deal.pk)
    announce_deal("deal_created", deal)
    return deal


def purge_trash() -> int:
    """Remove for good what has been in the trash for 30 days; return how many of the open organization."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM deals WHERE organization_id = %(organization)s AND id IN ("
            " SELECT id FROM deals WHERE organization_id = %(organization)s AND deleted_at < %(before)s LIMIT %(most)s)",
            {
                "organization": current_organization_id(),
                "before": kept_since("trash"),
                "most": PURGE_BATCH,
            },
        )
        count = int(cursor.rowcount)
    if count:
        record("deal.purged", "deal", count=count)
    return count


def deal_state(deal: Deal) -> dict[str, Any]:
    """Return what the second of two movers needs to see."""
    return {
        "id": str(deal.pk),
        "name": deal.name,
        "version": deal.version,
        "stageId": str(deal.stage_id),
        "pipelineId": str(deal.pipeline_id),
        "status": deal.status,
        "amount": str(deal.amount),
        "currency": deal.currency,
        "assignedTo": str(deal.assigned_to_id) if deal.assigned_to_id else None,
        "updatedAt": deal.updated_at.isoformat(),
    }


def find_stage(stage_id: uuid.UUID, field: str = "stageId") -> Stage:
    """Return a stage in use; raise Invalid for any other."""
    stages = Stage.objects.alive().filter(pipeline__deleted_at__isnull=True)
    stage: Stage | None = stages.filter(pk=stage_id).select_related("pipeline").first()
    if stage is None:
        raise Invalid.field(field, "There is no such stage.", value=str(stage_id), constraint="does_not_exist")
    return stage


def tell_of_outcome(deal: Deal, before: Stage, target: Stage, owners: Iterable[uuid.UUID | None]) -> None:
    """Add to the feed what a move made of a deal."""
    kind = OUTCOMES[target.kind] if target.kind != before.kind else "deal.moved"
    tell_feed(
        kind=kind,
        resource="deal",
        resource_id=deal.pk,
        title=deal.name,
        owners=owners,
        fromStage=before.name,
        toStage=target.name,
        amount=str(deal.amount),
        currency=deal.currency,
    )


def _tell_of_move(deal: Deal, before: Stage, target: Stage, owner: uuid.UUID | None, names: list[str]) -> None:
    record(
        "deal.moved",
        "deal",
        deal.pk,
        fields=sorted(names),
        fromStage=str(before.pk),
        toStage=str(target.pk),
        status=deal.status,
    )
    announce_deal("deal_moved", deal, [owner], fromStageId=str(before.pk), name=deal.name)
    tell_of_outcome(deal, before, target, {deal.assigned_to_id, owner})


def _tell_assignee(deal: Deal, before: uuid.UUID | None) -> None:
    """Notify who became responsible, unless they did it themselves."""
    if deal.assigned_to_id and deal.assigned_to_id not in (before, current_actor().user_id):
        notify(
            kind="deal.assigned",
            user_ids=[deal.assigned_to_id],
            title=f"{deal.name} is yours",
            key=f"deal.assigned:{deal.pk}:{deal.version}",
            resource="deal",
            resource_id=deal.pk,
        )


def _set(deal: Deal, fields: dict[str, Any], principal: Principal) -> None:
    for name, value in fields.items():
        setattr(deal, name, value)
    check_assignee(deal, fields)
    _check_visible("clientId", Client.objects.alive(), fields.get("client_id"), principal)
    reason_id = fields.get("lost_reason_id")
    if reason_id and not LostReason.objects.filter(pk=reason_id).exists():
        raise Invalid.field(
            "lostReasonId", "There is no such lost reason.", value=str(reason_id), constraint="does_not_exist"
        )


def _check_visible(field: str, rows: Any, pk: uuid.UUID | None, principal: Principal) -> None:
    if pk is not None and not rows.visible_to(principal).filter(pk=pk).exists():
        raise Invalid.field(field, "There is no such record.", value=str(pk), constraint="does_not_exist")


def _rate_day(deal: Deal, before: Stage, target: Stage) -> Any:
    """Return the day whose rate counts: today for open deals, and the closing day of others."""
    if target.kind == StageKind.OPEN or target.kind != before.kind or deal.closed_at is None:
        return None
    return deal.closed_at.date()


def _take_sum(deal: Deal, lines: list[dict[str, Any]]) -> None:
    if lines:
        deal.amount = sum((DealLine(**line).total for line in lines), Decimal(0))


def _check_range(deal: Deal) -> None:
    if max(deal.amount, deal.base_amount) >= MAX_AMOUNT:
        raise Invalid.field("amount", "The amount is too large.", constraint="max_value")


def _insert(deal: Deal) -> None:
    with transaction.atomic():
        deal.save(force_insert=True)


def _replace_contacts(deal: Deal, contacts: list[dict[str, Any]] | None, principal: Principal) -> None:
    if contacts is None:
        return
    wanted = {each["contact_id"]: each for each in contacts}
    primaries = [each for each in contacts if each.get("is_primary")]
    if len(wanted) != len(contacts) or len(primaries) > 1:
        raise Invalid.field("contacts", "Name each contact once, and one of them as primary.", constraint="unique")
    known = set(Contact.objects.alive().visible_to(principal).filter(pk__in=wanted).values_list("pk", flat=True)) | set(
        DealContact.objects.filter(deal=deal, contact_id__in=wanted).values_list("contact_id", flat=True)
    )
    if unknown := set(wanted) - known:
        raise Invalid.field(
            "contacts", "There is no such contact.", value=str(min(unknown)), constraint="does_not_exist"
        )
    if contacts and not primaries:
        contacts[0]["is_primary"] = True
    DealContact.objects.filter(deal=deal).delete()
    DealContact.objects.bulk_create([DealContact(deal=deal, **each) for each in contacts])


def _replace_lines(deal: Deal, lines: list[dict[str, Any]] | None) -> None:
    if lines is None:
        return
    DealLine.objects.filter(deal=deal).delete()
    DealLine.objects.bulk_create(
        [DealLine(deal=deal, position=position, **line) for position, line in enumerate(lines)]
    )
