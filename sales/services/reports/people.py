"""Why deals are won and lost, by whom, and what is done for it."""

import datetime
from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, F, Q, Sum
from django.db.models.functions import TruncMonth, TruncWeek

from sales.models import Activity, ActivityKind, Deal, Disposition, StageKind
from sales.services.reports.questions import Question
from vocelio.languages.translate import translated
from vocelio.organizations.models import Membership
from vocelio.reports.shapes import Column, Drawing, Line, Report, money, percent

DAY = 86_400
NO_REASON = "No reason given"
KINDS: dict[str, str] = {
    ActivityKind.CALL: "Calls",
    ActivityKind.MEETING: "Meetings",
    ActivityKind.TASK: "Tasks",
    ActivityKind.NOTE: "Notes",
}


def win_loss(asked: Question) -> Report:
    """Show for what reasons deals were lost, beside those that were won."""
    closed = asked.narrow(Deal.objects.alive().filter(closed_at__gte=asked.start, closed_at__lt=asked.end)).order_by()
    won = closed.filter(status=StageKind.WON).aggregate(number=Count("pk"), amount=Sum("base_amount"))
    reasons = list(
        closed.filter(status=StageKind.LOST)
        .values("lost_reason__name")
        .annotate(number=Count("pk"), amount=Sum("base_amount"))
        .order_by("-number", "lost_reason__name")
    )
    lost = sum(row["number"] for row in reasons)
    rows = [
        {
            "reason": row["lost_reason__name"] or translated(NO_REASON),
            "count": row["number"],
            "amount": money(row["amount"]),
            "share": percent(row["number"], lost),
        }
        for row in reasons
    ]
    months: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in closed.annotate(month=TruncMonth("closed_at")).values("month", "status").annotate(number=Count("pk")):
        months[row["month"]][row["status"]] = row["number"]
    labels = sorted(months)
    return Report(
        "Won and lost",
        [
            Column("reason", "Lost reason", "text"),
            Column("count", "Deals"),
            Column("amount", "Value", "money"),
            Column("share", "Share of the lost", "percent"),
        ],
        rows,
        {
            "won": won["number"],
            "wonAmount": money(won["amount"]),
            "lost": lost,
            "lostAmount": sum((row["amount"] for row in rows), Decimal(0)),
            "winRate": percent(won["number"], won["number"] + lost),
        },
        [
            Drawing(
                "Lost by reason",
                "bar",
                [row["reason"] for row in rows],
                [Line("Deals", [row["count"] for row in rows])],
            ),
            Drawing(
                "Won and lost by month",
                "bar",
                [f"{month:%Y-%m}" for month in labels],
                [
                    Line("Won", [months[month][StageKind.WON] for month in labels]),
                    Line("Lost", [months[month][StageKind.LOST] for month in labels]),
                ],
            ),
        ],
    )


def owner_performance(asked: Question) -> Report:
    """Show what each owner has open, won, lost and done."""
    deals = asked.narrow(Deal.objects.alive()).order_by()
    within = Q(closed_at__gte=asked.start, closed_at__lt=asked.end)
    by_owner = {
        row["assigned_to_id"]: row
        for row in deals.values("assigned_to_id").annotate(
            open=Count("pk", filter=Q(status=StageKind.OPEN)),
            open_amount=Sum("base_amount", filter=Q(status=StageKind.OPEN)),
            won=Count("pk", filter=within & Q(status=StageKind.WON)),
            won_amount=Sum("base_amount", filter=within & Q(status=StageKind.WON)),
            lost=Count("pk", filter=within & Q(status=StageKind.LOST)),
            cycle=Avg(F("closed_at") - F("created_at"), filter=within & Q(status=StageKind.WON)),
        )
    }
    done = dict(
        asked.narrow(
            Activity.objects.alive().filter(completed_at__gte=asked.start, completed_at__lt=asked.end), pipeline=""
        )
        .order_by()
        .values_list("assigned_to_id")
        .annotate(Count("pk"))
    )
    people = {
        membership.user_id: str(membership.user)
        for membership in Membership.objects.filter(
            organization_id=asked.principal.organization_id, user_id__in={*by_owner, *done} - {None}
        ).select_related("user")
    }
    rows = []
    for owner in {*by_owner, *done}:
        row = by_owner.get(owner, {})
        won, lost = row.get("won", 0), row.get("lost", 0)
        cycle = row.get("cycle")
        rows.append(
            {
                "owner": people.get(owner, "Nobody" if owner is None else "A former member"),
                "open": row.get("open", 0),
                "openAmount": money(row.get("open_amount")),
                "won": won,
                "wonAmount": money(row.get("won_amount")),
                "lost": lost,
                "winRate": percent(won, won + lost),
                "daysToWin": round(cycle.total_seconds() / DAY, 1) if cycle else None,
                "activities": done.get(owner, 0),
            }
        )
    rows.sort(key=lambda row: (-row["wonAmount"], row["owner"]))
    return Report(
        "Owner performance",
        [
            Column("owner", "Owner", "text"),
            Column("open", "Open deals"),
            Column("openAmount", "Open value", "money"),
            Column("won", "Won"),
            Column("wonAmount", "Won value", "money"),
            Column("lost", "Lost"),
            Column("winRate", "Win rate", "percent"),
            Column("daysToWin", "Days to win, on average", "days"),
            Column("activities", "Activities done"),
        ],
        rows,
        {
            "won": sum(row["won"] for row in rows),
            "wonAmount": sum((row["wonAmount"] for row in rows), Decimal(0)),
            "activities": sum(row["activities"] for row in rows),
        },
        [
            Drawing(
                "Won value by owner",
                "bar",
                [row["owner"] for row in rows],
                [Line("Won", [row["wonAmount"] for row in rows]), Line("Open", [row["openAmount"] for row in rows])],
            )
        ],
    )


def activity_volume(asked: Question) -> Report:
    """Show what was done by week and kind, and how the calls ended."""
    done = asked.narrow(
        Activity.objects.alive().filter(completed_at__gte=asked.start, completed_at__lt=asked.end), pipeline=""
    ).order_by()
    weeks: dict[datetime.date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in done.annotate(week=TruncWeek("completed_at")).values("week", "kind").annotate(number=Count("pk")):
        weeks[row["week"].date()][row["kind"]] = row["number"]
    kinds = ActivityKind.values
    rows = [
        {"week": week.isoformat(), **{kind: weeks[week][kind] for kind in kinds}, "total": sum(weeks[week].values())}
        for week in sorted(weeks)
    ]
    ends = dict(done.exclude(disposition="").values_list("disposition").annotate(Count("pk")))
    labels = dict(Disposition.choices)
    return Report(
        "Activities",
        [
            Column("week", "Week from", "date"),
            *(Column(kind, KINDS[kind]) for kind in kinds),
            Column("total", "All"),
        ],
        rows,
        {
            **{kind: sum(row[kind] for row in rows) for kind in kinds},
            "total": sum(row["total"] for row in rows),
            "overdue": asked.narrow(Activity.objects.overdue(), pipeline="").count(),
        },
        [
            Drawing(
                "Activities by week",
                "bar",
                [str(row["week"]) for row in rows],
                [Line(KINDS[kind], [row[kind] for row in rows]) for kind in kinds],
            ),
            Drawing(
                "How calls ended",
                "bar",
                [translated(labels[end]) for end in ends],
                [Line("Calls", list(ends.values()))],
            ),
        ],
    )
