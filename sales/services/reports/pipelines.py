"""What is in the pipelines, how it moves, and what may come of it."""

import datetime
from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, F, Max, Q, Sum
from django.db.models.functions import Now, TruncMonth
from django.utils import timezone

from sales.models import Deal, PipelineSnapshot, Stage, StageKind, StageMove
from sales.services.reports.chains import chances
from sales.services.reports.questions import Question
from vocelio.reports.shapes import Column, Drawing, Line, Report, money, percent

DAY = 86_400
# Months ahead that a forecast shows one by one.
MONTHS = 12


def stages_of(asked: Question, *, with_removed: bool = False) -> list[Stage]:
    stages = Stage.objects.filter(pipeline__deleted_at__isnull=True).select_related("pipeline")
    if not with_removed:
        stages = stages.alive()
    if asked.pipeline_id:
        stages = stages.filter(pipeline_id=asked.pipeline_id)
    return list(stages.order_by("pipeline__created_at", "pipeline_id", "position", "id"))


def pipeline_value(asked: Question) -> Report:
    """Show number, value and weighted value of the open deals by stage, as they are now."""
    deals = asked.narrow(Deal.objects.alive().open())
    rotting = dict(deals.rotting().order_by().values_list("stage_id").annotate(Count("pk")))
    found = {
        row["stage_id"]: row
        for row in deals.order_by()
        .values("stage_id")
        .annotate(number=Count("pk"), amount=Sum("base_amount"), age=Avg(Now() - F("stage_entered_at")))
    }
    rows = []
    for stage in stages_of(asked):
        if stage.kind != StageKind.OPEN:
            continue
        row = found.get(stage.pk, {"number": 0, "amount": Decimal(0), "age": None})
        rows.append(
            {
                "pipeline": stage.pipeline.name,
                "stage": stage.name,
                "probability": stage.probability,
                "count": row["number"],
                "amount": money(row["amount"]),
                "weighted": money((row["amount"] or Decimal(0)) * stage.probability / 100),
                "rotting": rotting.get(stage.pk, 0),
                "days": round(row["age"].total_seconds() / DAY, 1) if row["age"] else None,
            }
        )
    names = [row["stage"] for row in rows]
    return Report(
        "Pipeline value",
        [
            Column("pipeline", "Pipeline", "text"),
            Column("stage", "Stage", "text"),
            Column("probability", "Probability", "percent"),
            Column("count", "Deals"),
            Column("amount", "Value", "money"),
            Column("weighted", "Weighted", "money"),
            Column("rotting", "Rotting"),
            Column("days", "Days in stage, on average", "days"),
        ],
        rows,
        {
            "count": sum(row["count"] for row in rows),
            "amount": sum((row["amount"] for row in rows), Decimal(0)),
            "weighted": sum((row["weighted"] for row in rows), Decimal(0)),
            "rotting": sum(row["rotting"] for row in rows),
        },
        [
            Drawing(
                "Open deals by stage",
                "bar",
                names,
                [Line("Value", [row["amount"] for row in rows]), Line("Weighted", [row["weighted"] for row in rows])],
            )
        ],
    )


def moves_of(asked: Question) -> list[dict[str, Any]]:
    """Return number, time and value of the changes of stage within the days, by the stages they led between."""
    moves = asked.narrow(StageMove.objects.filter(moved_at__gte=asked.start, moved_at__lt=asked.end))
    return list(
        moves.order_by()
        .values("from_stage_id", "to_stage_id")
        .annotate(number=Count("*"), spent=Sum("seconds"), amount=Sum("base_amount"))
    )


def forecast(asked: Question) -> Report:
    """Show what open deals may bring by month of their expected close.

    Weighted twice: by the probability that each stage was given, and by what became of the deals that left it within
    the days asked for.
    """
    stages = {stage.pk: stage for stage in stages_of(asked, with_removed=True)}
    kinds: dict[str, set[Any]] = defaultdict(set)
    for stage in stages.values():
        kinds[stage.kind].add(stage.pk)
    moves = asked.narrow(StageMove.objects.filter(moved_at__gte=asked.start, moved_at__lt=asked.end))
    counted = {
        (source, target): number
        for source, target, number in moves.order_by()
        .values_list("from_stage_id", "to_stage_id")
        .annotate(number=Count("*"))
        if source
    }
    by_history = chances(counted, kinds[StageKind.WON], kinds[StageKind.LOST])
    month_begins = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    this_month = month_begins.date()
    months = [this_month]
    while len(months) < MONTHS:
        months.append((months[-1] + datetime.timedelta(days=32)).replace(day=1))
    rows = {month: _empty(f"{month:%Y-%m}") for month in months}
    rest = {name: _empty(name) for name in ("overdue", "later", "no date")}
    open_deals = asked.narrow(Deal.objects.alive().open())
    for found in (
        open_deals.order_by()
        .annotate(month=TruncMonth("expected_close_on"))
        .values("month", "stage_id")
        .annotate(number=Count("pk"), amount=Sum("base_amount"))
    ):
        month, stage = found["month"], stages[found["stage_id"]]
        if month is None:
            row = rest["no date"]
        elif month < this_month:
            row = rest["overdue"]
        else:
            row = rows.get(month, rest["later"])
        row["count"] += found["number"]
        row["amount"] += found["amount"]
        row["weighted"] += found["amount"] * stage.probability / 100
        row["byHistory"] += found["amount"] * Decimal(by_history.get(stage.pk, stage.probability / 100))
    won = (
        asked.narrow(Deal.objects.alive().filter(status=StageKind.WON, closed_at__gte=month_begins))
        .order_by()
        .aggregate(amount=Sum("base_amount"))
    )
    rows[this_month]["won"] = won["amount"] or Decimal(0)
    result = [rest["overdue"], *rows.values(), rest["later"], rest["no date"]]
    for row in result:
        for name in ("amount", "weighted", "byHistory", "won"):
            row[name] = money(row[name])
    shown = [row for row in result if row["count"] or row["won"] or row["month"][:1].isdigit()]
    return Report(
        "Forecast",
        [
            Column("month", "Expected close", "text"),
            Column("count", "Open deals"),
            Column("amount", "Value", "money"),
            Column("weighted", "Weighted by probability", "money"),
            Column("byHistory", "Weighted by history", "money"),
            Column("won", "Won already", "money"),
        ],
        shown,
        {
            **{
                name: sum((row[name] for row in result), Decimal(0))
                for name in ("amount", "weighted", "byHistory", "won")
            },
            "count": sum(row["count"] for row in result),
            "moves": sum(counted.values()),
        },
        [
            Drawing(
                "Forecast by month",
                "bar",
                [row["month"] for row in shown],
                [
                    Line("Won", [row["won"] for row in shown]),
                    Line("Weighted", [row["weighted"] for row in shown]),
                    Line("By history", [row["byHistory"] for row in shown]),
                ],
            )
        ],
    )


def _empty(name: str) -> dict[str, Any]:
    zero = Decimal(0)
    return {"month": name, "count": 0, "amount": zero, "weighted": zero, "byHistory": zero, "won": zero}


def trend(asked: Question) -> Report:
    """Show what the open deals were worth at the end of each day, by the daily snapshots."""
    snapshots = asked.narrow(PipelineSnapshot.objects.filter(day__gte=asked.first, day__lte=asked.last))
    rows = [
        {
            "day": row["day"].isoformat(),
            "count": row["deals"],
            "amount": money(row["value"]),
            "weighted": money(row["worth"]),
        }
        for row in snapshots.order_by("day")
        .values("day")
        .annotate(deals=Sum("number"), value=Sum("amount"), worth=Sum("weighted"))
    ]
    return Report(
        "Pipeline by day",
        [
            Column("day", "Day", "date"),
            Column("count", "Open deals"),
            Column("amount", "Value", "money"),
            Column("weighted", "Weighted", "money"),
        ],
        rows,
        {"change": money(rows[-1]["amount"] - rows[0]["amount"]) if rows else money(None)},
        [
            Drawing(
                "Pipeline by day",
                "line",
                [row["day"] for row in rows],
                [Line("Value", [row["amount"] for row in rows]), Line("Weighted", [row["weighted"] for row in rows])],
            )
        ],
    )


def conversion(asked: Question) -> Report:
    """Show for each stage how many deals came, went on, back or were lost, and how likely they are won from there."""
    stages = stages_of(asked)
    position = {stage.pk: stage.position for stage in stages}
    won = {stage.pk for stage in stages if stage.kind == StageKind.WON}
    lost = {stage.pk for stage in stages if stage.kind == StageKind.LOST}
    figures: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    counted: dict[tuple[Any, Any], int] = {}
    for row in moves_of(asked):
        source, target, number = row["from_stage_id"], row["to_stage_id"], row["number"]
        figures[target]["entered"] += number
        if source is None:
            continue
        counted[source, target] = number
        figures[source]["left"] += number
        figures[source]["spent"] += int(row["spent"] or 0)
        if target in lost:
            figures[source]["lost"] += number
        elif target in won or position.get(target, -1) > position.get(source, 0):
            figures[source]["advanced"] += number
        else:
            figures[source]["back"] += number
    likely = chances(counted, won, lost)
    rows = [
        {
            "pipeline": stage.pipeline.name,
            "stage": stage.name,
            "entered": figures[stage.pk]["entered"],
            "advanced": figures[stage.pk]["advanced"],
            "back": figures[stage.pk]["back"],
            "lost": figures[stage.pk]["lost"],
            "conversion": percent(figures[stage.pk]["advanced"], figures[stage.pk]["left"]),
            "winChance": round(likely[stage.pk] * 100, 1) if stage.pk in likely else None,
            "days": round(figures[stage.pk]["spent"] / DAY / figures[stage.pk]["left"], 1)
            if figures[stage.pk]["left"]
            else None,
        }
        for stage in stages
        if stage.kind == StageKind.OPEN
    ]
    return Report(
        "Conversion by stage",
        [
            Column("pipeline", "Pipeline", "text"),
            Column("stage", "Stage", "text"),
            Column("entered", "Came"),
            Column("advanced", "Went on"),
            Column("back", "Went back"),
            Column("lost", "Lost"),
            Column("conversion", "Went on, of those that left", "percent"),
            Column("winChance", "Won in the end", "percent"),
            Column("days", "Days in stage, on average", "days"),
        ],
        rows,
        {"moves": sum(counted.values())},
        [
            Drawing(
                "What became of deals by stage",
                "bar",
                [row["stage"] for row in rows],
                [
                    Line("Went on", [row["advanced"] for row in rows]),
                    Line("Lost", [row["lost"] for row in rows]),
                    Line("Went back", [row["back"] for row in rows]),
                ],
            )
        ],
    )


def velocity(asked: Question) -> Report:
    """Show how fast each pipeline turns deals into money: open deals x win rate x value / days to win."""
    closed = asked.narrow(Deal.objects.alive().filter(closed_at__gte=asked.start, closed_at__lt=asked.end))
    by_pipeline = {
        row["pipeline_id"]: row
        for row in closed.order_by()
        .values("pipeline_id")
        .annotate(
            won=Count("pk", filter=Q(status=StageKind.WON)),
            lost=Count("pk", filter=Q(status=StageKind.LOST)),
            value=Avg("base_amount", filter=Q(status=StageKind.WON)),
            cycle=Avg(F("closed_at") - F("created_at"), filter=Q(status=StageKind.WON)),
            longest=Max(F("closed_at") - F("created_at"), filter=Q(status=StageKind.WON)),
        )
    }
    open_deals = dict(
        asked.narrow(Deal.objects.alive().open()).order_by().values_list("pipeline_id").annotate(Count("pk"))
    )
    rows = []
    for pipeline in {stage.pipeline_id: stage.pipeline for stage in stages_of(asked)}.values():
        row = by_pipeline.get(pipeline.pk, {"won": 0, "lost": 0, "value": None, "cycle": None, "longest": None})
        rate = percent(row["won"], row["won"] + row["lost"])
        days = max(row["cycle"].total_seconds() / DAY, 0.1) if row["cycle"] else None
        number = open_deals.get(pipeline.pk, 0)
        rows.append(
            {
                "pipeline": pipeline.name,
                "open": number,
                "won": row["won"],
                "lost": row["lost"],
                "winRate": rate,
                "averageValue": money(row["value"]),
                "daysToWin": round(days, 1) if days else None,
                "longest": round(row["longest"].total_seconds() / DAY, 1) if row["longest"] else None,
                "perDay": money(row["value"] * number * Decimal(rate) / 100 / Decimal(days))
                if days and rate
                else money(None),
            }
        )
    return Report(
        "Velocity",
        [
            Column("pipeline", "Pipeline", "text"),
            Column("open", "Open deals"),
            Column("won", "Won"),
            Column("lost", "Lost"),
            Column("winRate", "Win rate", "percent"),
            Column("averageValue", "Value of a won deal", "money"),
            Column("daysToWin", "Days to win, on average", "days"),
            Column("longest", "Longest", "days"),
            Column("perDay", "Velocity a day", "money"),
        ],
        rows,
        {"won": sum(row["won"] for row in rows), "lost": sum(row["lost"] for row in rows)},
        [
            Drawing(
                "Velocity a day",
                "bar",
                [row["pipeline"] for row in rows],
                [Line("A day", [row["perDay"] for row in rows])],
            )
        ],
    )
