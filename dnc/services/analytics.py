"""The organization's compliance in figures, from what its certificates and runs say."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from dnc.models import Certificate, DncEntry, DncEntryTally, DncList, Scrub
from dnc.models.lists import ListType
from dnc.rules import rule_book
from vocelio.jobs.models import JobStatus


def compliance(days: int = 30) -> dict[str, Any]:
    """Return the figures of the last days, and a row for each day that had a scrub or check."""
    since = timezone.now() - timedelta(days=days)
    scrubs = Scrub.objects.filter(status=JobStatus.COMPLETED, completed_at__gte=since)
    per_day = {
        row["day"]: row
        for row in scrubs.annotate(day=TruncDate("completed_at"))
        .values("day")
        .annotate(
            runs=Count("pk"),
            total=Sum("total_contacts"),
            clean=Sum("clean_contacts"),
            matched=Sum("matched_dnc"),
            blocked=Sum("blocked_contacts"),
        )
        .order_by("day")
    }
    outcomes: Counter[str] = Counter()
    checked: Counter[Any] = Counter()
    certificates = Certificate.objects.filter(created_at__gte=since).values_list(
        "kind", "created_at", "content__numbers", "content__outcomes"
    )
    for kind, created_at, numbers, found in certificates.iterator():
        outcomes.update(found or {})
        if kind == Certificate.Kind.CHECK:
            checked[created_at.date()] += numbers or 0
    total = sum(row["total"] for row in per_day.values())
    clean = sum(row["clean"] for row in per_day.values())
    company = DncList.objects.filter(type=ListType.COMPANY)
    trend = []
    for day in sorted(set(per_day) | set(checked)):
        row = per_day.get(day, {"runs": 0, "total": 0, "clean": 0, "matched": 0, "blocked": 0})
        trend.append(
            {
                "date": day,
                "scrubs": row["runs"],
                "contacts": row["total"],
                "clean": row["clean"],
                "matchedDNC": row["matched"],
                "blocked": row["blocked"],
                "numbersChecked": checked.get(day, 0),
                "complianceRate": rate(row["clean"], row["total"]),
            }
        )
    return {
        "compliance_rate": rate(clean, total),
        "contacts_scrubbed": total,
        "contacts_clean": clean,
        "numbers_checked": sum(checked.values()),
        "scrubs": sum(row["runs"] for row in per_day.values()),
        "opt_outs": DncEntry.objects.filter(list__in=company, created_at__gte=since).count(),
        "entries": int(DncEntryTally.objects.aggregate(sum=Sum("delta"))["sum"] or 0),
        "outcomes": dict(sorted(outcomes.items())),
        "stale_lists": stale_lists(),
        "trend": trend,
    }


def rate(clean: int, total: int) -> float | None:
    """Return a percentage to one decimal; None of nothing."""
    return round(clean * 100 / total, 1) if total else None


def stale_lists() -> list[str]:
    """Return the names of active registry lists that prove nothing today."""
    today = timezone.now().date()
    found = []
    lists = DncList.objects.get_queryset().active().with_counts().filter(registry__isnull=False)
    for each in lists.select_related("registry").order_by("name"):
        if each.registry.kind == "state" and not each.registry.states:
            continue
        rule = rule_book(today).rule("freshness", (each.registry.country,))
        if each.version_date is None or (rule and (today - each.version_date).days > rule.value["days"]):
            found.append(each.name)
    return found
