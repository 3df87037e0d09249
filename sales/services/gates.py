"""Stage gates: what a deal must have before it may be in a stage, the same at every door."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from sales.models import Activity, Deal, DealContact, DealLine, GateField, Stage
from vocelio.errors import Invalid

# What is missing of the deal itself; relations are looked up for all deals at once.
MISSING: dict[str, Callable[[Deal], bool]] = {
    GateField.AMOUNT: lambda deal: deal.amount <= 0,
    GateField.EXPECTED_CLOSE_ON: lambda deal: deal.expected_close_on is None,
    GateField.CLIENT: lambda deal: deal.client_id is None,
    GateField.ASSIGNED_TO: lambda deal: deal.assigned_to_id is None,
    GateField.DESCRIPTION: lambda deal: not deal.description.strip(),
    GateField.SOURCE: lambda deal: not deal.source.strip(),
    GateField.LOST_REASON: lambda deal: deal.lost_reason_id is None,
}


def _related(field: str) -> Any:
    rows: dict[str, Any] = {
        GateField.CONTACTS: DealContact.objects,
        GateField.LINES: DealLine.objects,
        GateField.NEXT_ACTIVITY: Activity.objects.open(),
    }
    return rows[field]


class StageGate(Invalid):
    """The deal lacks what the stage asks for; `missing` names the fields, `stage` the stage."""

    code = "STAGE_GATE"

    def __init__(self, stage: Stage, missing: list[str]) -> None:
        labels = dict(GateField.choices)
        super().__init__(
            f"{stage.name} needs: {', '.join(labels[name].lower() for name in missing)}.",
            errors=[
                {
                    "field": name,
                    "value": None,
                    "constraint": "stage_gate",
                    "message": f"{stage.name} needs this.",
                }
                for name in missing
            ],
            missing=missing,
            stage={"id": str(stage.pk), "name": stage.name},
        )


def unmet_gates(deals: Iterable[Deal], stage: Stage) -> dict[uuid.UUID, list[str]]:
    """Return for each deal which of the stage's required fields it lacks, as the open transaction has it."""
    deals = list(deals)
    gates = stage.gates
    ids = [deal.pk for deal in deals]
    has = {
        gate: set(_related(gate).filter(deal_id__in=ids).values_list("deal_id", flat=True))
        for gate in gates
        if gate not in MISSING
    }
    return {
        deal.pk: [gate for gate in gates if (MISSING[gate](deal) if gate in MISSING else deal.pk not in has[gate])]
        for deal in deals
    }


def check_gates(deals: Iterable[Deal], stage: Stage) -> None:
    """Raise StageGate unless every deal may be in the stage."""
    for missing in unmet_gates(deals, stage).values():
        if missing:
            raise StageGate(stage, missing)
