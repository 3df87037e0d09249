"""What reports can count of matching: questions, verdicts, precision."""

from django.db.models import Count, Q

from ai_matching.models import Match, MatchedPerson
from ai_matching.models.decisions import MatchKind, Verdict
from recruitment.models import JobOpening
from vocelio.reports.registry import Metric, choice, count, person, record, register, share, text

JOB = record("job", "Job", "job_id", JobOpening, "title")
OF_VERDICTS = (choice("verdict", "Verdict", Verdict.choices), JOB, person("person", "Judged by", "decided_by_id"))

register(
    Metric(
        "matching.runs",
        "Matches asked for",
        "Questions for candidates or jobs that were asked in the period.",
        permission="matching:review",
        rows=lambda asked: Match.objects.get_queryset(),
        measure=count(),
        date="created_at",
        dimensions=(
            choice("kind", "Kind", MatchKind.choices),
            JOB,
            text("model", "Model"),
            person("person", "Asked by", "created_by_id"),
        ),
    ),
    Metric(
        "matching.verdicts",
        "Matches judged",
        "Results shown in the period that a person called good or bad.",
        permission="matching:review",
        rows=lambda asked: MatchedPerson.objects.exclude(verdict=""),
        measure=count(),
        date="created_at",
        dimensions=OF_VERDICTS,
    ),
    Metric(
        "matching.precision",
        "Precision of matching",
        "Share of the results shown in the period and judged that were called good.",
        permission="matching:review",
        rows=lambda asked: MatchedPerson.objects.exclude(verdict=""),
        measure=share(Count("pk", filter=Q(verdict=Verdict.GOOD)), Count("pk")),
        date="created_at",
        dimensions=OF_VERDICTS,
    ),
)
