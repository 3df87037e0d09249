"""The board: each column's true totals, and its cards page by page."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from sales.models import Deal, DealTally, Pipeline, Stage, StageKind
from sales.models.deals import DealQuerySet
from vocelio.access.principal import Principal

# What a column is ordered by: {API name: columns}, each served by an index of its own.
ORDERS: dict[str, list[str]] = {
    "-stageEnteredAt": ["-stage_entered_at", "-id"],
    "-amount": ["-base_amount", "-id"],
}
DEFAULT_ORDER = "-stageEnteredAt"

Narrow = Callable[[Any], Any]


def read_columns(
    *, pipeline: Pipeline, principal: Principal, narrow: Narrow | None, order: str, limit: int
) -> list[dict[str, Any]]:
    """Return the columns of a pipeline with totals and the first cards, one more than `limit` where there are more.

    `narrow` filters the deals; totals are then counted, else read from the counters.
    """
    visible: DealQuerySet = Deal.objects.alive().visible_to(principal)
    if narrow is None:
        totals = DealTally.objects.by_stage(pipeline.pk, principal)
    else:
        visible = narrow(visible)
        totals = visible.filter(pipeline=pipeline).totals_by_stage()
    columns = []
    for stage in Stage.objects.alive().filter(pipeline=pipeline).order_by("position", "id"):
        count, amount = totals.get(stage.pk, (0, Decimal(0)))
        cards = read_cards(visible, stage, order)[: limit + 1] if count else []
        columns.append(
            {
                "stage": stage,
                "count": count,
                "amount": amount,
                "weighted_amount": (amount * stage.probability / 100).quantize(Decimal("0.01")),
                "cards": list(cards),
            }
        )
    return columns


def read_cards(visible: DealQuerySet, stage: Stage, order: str) -> Any:
    """Return the cards of one column in the board's order, to be cut into pages."""
    return visible.filter(stage=stage).order_by(*ORDERS[order]).cards()


def shown(cards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return cards as the API shows them."""
    now = timezone.now()
    return [
        {
            "id": card["id"],
            "name": card["name"],
            "amount": card["amount"],
            "currency": card["currency"],
            "baseAmount": card["base_amount"],
            "status": card["status"],
            "stageId": card["stage_id"],
            "stageEnteredAt": card["stage_entered_at"],
            "expectedCloseOn": card["expected_close_on"],
            "client": {"id": card["client_id"], "name": card["client_name"]} if card["client_id"] else None,
            "assignedTo": {"id": card["assigned_to_id"], "name": card["assignee_name"]}
            if card["assigned_to_id"]
            else None,
            "tags": card["tags"],
            "isRotting": card["status"] == StageKind.OPEN
            and bool(card["rotting_days"])
            and (now - card["stage_entered_at"]).days >= card["rotting_days"],
            "nextActivityAt": card["next_activity_at"],
            "version": card["version"],
        }
        for card in cards
    ]
