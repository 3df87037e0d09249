"""Deals as CSV, row by row."""

import csv
import io
import uuid
from collections.abc import Iterator

from sales.models import Deal
from vocelio.audit.services import record
from vocelio.formulas import harmless
from vocelio.organizations.scope import organization_scope

HEADERS = [
    "Name",
    "Client",
    "Pipeline",
    "Stage",
    "Status",
    "Amount",
    "Currency",
    "Amount in own currency",
    "Expected close",
]
HEADERS += ["Owner", "Source", "Lost reason", "Created", "Closed", "Id"]
BATCH = 1_000


def export_deals(organization_id: uuid.UUID, deal_ids: list[uuid.UUID]) -> Iterator[str]:
    """Note the export, and return the file's lines; they are read after the request's transaction has ended."""
    record("deal.exported", "deal", count=len(deal_ids))
    return _lines(organization_id, deal_ids)


def _lines(organization_id: uuid.UUID, deal_ids: list[uuid.UUID]) -> Iterator[str]:
    yield _line(HEADERS)
    for start in range(0, len(deal_ids), BATCH):
        batch = deal_ids[start : start + BATCH]
        with organization_scope(organization_id):
            rows = Deal.objects.select_related("client", "pipeline", "stage", "assigned_to", "lost_reason")
            found = {deal.pk: deal for deal in rows.filter(pk__in=batch)}
        for deal_id in batch:
            if deal_id in found:
                yield _line(_cells(found[deal_id]))


def _cells(deal: Deal) -> list[str]:
    return [
        deal.name,
        str(deal.client or ""),
        deal.pipeline.name,
        deal.stage.name,
        deal.status,
        str(deal.amount),
        deal.currency,
        str(deal.base_amount),
        str(deal.expected_close_on or ""),
        str(deal.assigned_to or ""),
        deal.source,
        str(deal.lost_reason or ""),
        deal.created_at.isoformat(),
        deal.closed_at.isoformat() if deal.closed_at else "",
        str(deal.pk),
    ]


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(cell) for cell in cells])
    return text.getvalue()
