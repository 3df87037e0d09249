"""The decision log as CSV: a line for each result that was shown."""

import csv
import io
import uuid
from collections.abc import Iterator

import orjson

from ai_matching.models import MatchedPerson
from vocelio.audit.services import record
from vocelio.formulas import harmless
from vocelio.organizations.scope import organization_scope

HEADERS = [
    "Asked", "Asked by", "Kind", "Match", "Job", "Candidate", "Contact", "Provider", "Model", "Model version",
    "Rules version", "Weights", "Title weight", "Threshold", "Filters", "Notice", "Rank", "Score", "Factors", "Reason",
    "Verdict", "Note", "Decided by", "Decided",
]  # fmt: skip
BATCH = 1_000


def export_log(organization_id: uuid.UUID) -> Iterator[str]:
    """Note the export, and return the file's lines; they are read after the request's transaction has ended."""
    record("match_log.exported", "match", count=MatchedPerson.objects.count())
    return _lines(organization_id)


def _lines(organization_id: uuid.UUID) -> Iterator[str]:
    yield _line(HEADERS)
    last: uuid.UUID | None = None
    while True:
        with organization_scope(organization_id):
            rows = MatchedPerson.objects.select_related("match__created_by", "decided_by").order_by("id")
            found = list(rows.filter(pk__gt=last)[:BATCH] if last else rows[:BATCH])
        yield from (_line(_cells(row)) for row in found)
        if len(found) < BATCH:
            return
        last = found[-1].pk


def _cells(row: MatchedPerson) -> list[str]:
    match = row.match
    return [
        match.created_at.isoformat(), str(match.created_by or ""), match.kind, str(match.pk), str(row.job_id or ""),
        str(row.profile_id or ""), str(row.contact_id or ""), match.provider, match.model, match.model_version,
        match.rules_version, _json(match.weights), str(match.title_weight), str(match.threshold), _json(match.filters),
        match.notice, str(row.rank), str(row.score), _json(row.factors), row.reason, row.verdict, row.note,
        str(row.decided_by or ""), row.decided_at.isoformat() if row.decided_at else "",
    ]  # fmt: skip


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(cell) for cell in cells])
    return text.getvalue()
