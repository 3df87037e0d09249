"""What people said of matches, and how good that makes them."""

import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from ai_matching.models import Match, MatchedPerson, Verdict
from recruitment.models import Application, StageOutcome
from vocelio.audit.context import current_actor
from vocelio.audit.services import record

# Matches that figures are made of, the latest first.
LATEST = 2_000
NEVER = datetime.min.replace(tzinfo=UTC)


def decide(result: MatchedPerson, *, verdict: str, note: str = "") -> MatchedPerson:
    """Note what a person says of a result; nothing else follows from it."""
    result.verdict, result.note = verdict, note
    result.decided_by_id, result.decided_at = current_actor().user_id, timezone.now()
    result.save(update_fields=["verdict", "note", "decided_by", "decided_at"])
    record("match.decided", "matchedperson", result.pk, verdict=verdict)
    return result


def quality(k: int = 10) -> list[dict[str, Any]]:
    """Return the precision of the first k results by model and weights, as verdicts and hires say.

    A result counts as good by its verdict, else when the candidate was hired for the job, as bad when rejected; those
    of whom neither is known are not counted. A pair that was shown again is counted once.
    """
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    weights: dict[tuple[str, str, str], Any] = {}
    seen: set[Any] = set()
    for row, is_good in judged_results():
        key = (row.match.provider, row.match.model, str(sorted(row.match.weights.items())))
        if row.rank > k or ((key, row.job_id, row.contact_id) in seen and row.job_id is not None):
            continue
        seen.add((key, row.job_id, row.contact_id))
        weights[key] = row.match.weights
        counts[key][0] += is_good
        counts[key][1] += 1
    return [
        {
            "provider": key[0],
            "model": key[1],
            "weights": weights[key],
            "judged": judged,
            "good": good,
            "precision": round(good / judged, 3),
        }
        for key, (good, judged) in sorted(counts.items(), key=lambda item: (-item[1][1], item[0]))
    ]


def judged_results() -> list[tuple[MatchedPerson, bool]]:
    """Return the results of the latest matches of which it is known whether they were good, what was said last first."""
    rows = list(
        MatchedPerson.objects.filter(match_id__in=Match.objects.order_by("-created_at").values("pk")[:LATEST])
        .select_related("match")
        .only(
            "rank",
            "verdict",
            "decided_at",
            "job_id",
            "contact_id",
            "factors",
            "match__provider",
            "match__model",
            "match__weights",
        )
    )
    outcomes = _outcomes({(row.job_id, row.contact_id) for row in rows if not row.verdict})
    # What was said last of a pair is what counts, before what became of it.
    ordered = sorted(rows, key=lambda row: row.decided_at or NEVER, reverse=True)
    known = (
        (row, row.verdict == Verdict.GOOD if row.verdict else outcomes.get((row.job_id, row.contact_id)))
        for row in ordered
    )
    return [(row, is_good) for row, is_good in known if is_good is not None]


def _outcomes(pairs: set[tuple[uuid.UUID | None, uuid.UUID | None]]) -> dict[tuple[Any, Any], bool]:
    jobs = {job for job, contact in pairs if job and contact}
    rows = Application.objects.filter(job_id__in=jobs, status__in=[StageOutcome.HIRED, StageOutcome.REJECTED])
    return {
        (job, contact): status == StageOutcome.HIRED
        for job, contact, status in rows.values_list("job_id", "contact_id", "status")
        if (job, contact) in pairs
    }
