"""What reports can count of deals and activities. Changes of stage are counted from the history that outlives deals."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Concat

from sales.models import Activity, ActivityKind, Deal, Disposition, LostReason, Pipeline, Stage, StageKind, StageMove
from sales.services.money import own_currency
from vocelio.organizations.models import Role
from vocelio.reports.registry import (
    Asked,
    Metric,
    UsualTile,
    choice,
    count,
    mean,
    offer_tiles,
    person,
    record,
    register,
    share,
    text,
    total,
)


def deals(*statuses: str) -> Callable[[Asked], QuerySet[Any]]:
    """Return the reader of deals of these statuses, of all without any."""

    def rows(asked: Asked) -> QuerySet[Any]:
        found: Any = Deal.objects.alive().visible_to(asked.principal)
        return found.filter(status__in=statuses) if statuses else found  # type: ignore[no-any-return]

    return rows


def moves(asked: Asked) -> QuerySet[Any]:
    rows: Any = StageMove.objects.get_queryset().visible_to(asked.principal)
    return rows  # type: ignore[no-any-return]


def done(asked: Asked) -> QuerySet[Any]:
    rows: Any = Activity.objects.alive().filter(completed_at__isnull=False).visible_to(asked.principal)
    return rows  # type: ignore[no-any-return]


WEIGHTED = ExpressionWrapper(
    F("base_amount") * F("stage__probability") / 100, DecimalField(max_digits=24, decimal_places=2)
)
IN_ORDER = ("pipeline__name", "pipeline_id", "position")
STAGE_NAME = Concat("pipeline__name", Value(": "), "name")
OWNER = person("owner", "Owner", "assigned_to_id")
PIPELINE = record("pipeline", "Pipeline", "pipeline_id", Pipeline)
OF_DEALS = (
    PIPELINE,
    record("stage", "Stage", "stage_id", Stage, STAGE_NAME, order=IN_ORDER),
    OWNER,
    text("source", "Source", none="Not given"),
    choice("status", "Status", StageKind.choices),
    record("lostReason", "Lost reason", "lost_reason_id", LostReason, none="No reason given"),
)
OF_ACTIVITIES = (
    choice("kind", "Kind", ActivityKind.choices),
    OWNER,
    choice("disposition", "How the call ended", Disposition.choices),
)
COMMON: dict[str, Any] = {"permission": "deals:read", "dimensions": OF_DEALS, "events": ("deals",)}
CREATED, CLOSED = {**COMMON, "date": "created_at"}, {**COMMON, "date": "closed_at"}
AMOUNT: dict[str, Any] = {"currency": own_currency}

register(
    Metric(
        "deals.created",
        "Deals created",
        "Deals that were made in the period and are not in the trash.",
        rows=deals(),
        measure=count(),
        **CREATED,
    ),
    Metric(
        "deals.value_created",
        "Value of deals created",
        "What the deals made in the period are worth now, in the organization's currency.",
        rows=deals(),
        measure=total("base_amount", unit="money"),
        **CREATED,
        **AMOUNT,
    ),
    Metric(
        "deals.won",
        "Deals won",
        "Deals that were won in the period.",
        rows=deals(StageKind.WON),
        measure=count(),
        **CLOSED,
    ),
    Metric(
        "deals.won_value",
        "Value won",
        "What the deals won in the period were worth, at the rate of the day they were won.",
        rows=deals(StageKind.WON),
        measure=total("base_amount", unit="money"),
        **CLOSED,
        **AMOUNT,
    ),
    Metric(
        "deals.lost",
        "Deals lost",
        "Deals that were lost in the period.",
        rows=deals(StageKind.LOST),
        measure=count(),
        **CLOSED,
    ),
    Metric(
        "deals.win_rate",
        "Win rate",
        "Share of the deals closed in the period that were won.",
        rows=deals(StageKind.WON, StageKind.LOST),
        measure=share(Count("pk", filter=Q(status=StageKind.WON)), Count("pk")),
        **CLOSED,
    ),
    Metric(
        "deals.cycle_time",
        "Days to win",
        "Days from the making of a deal to its win, on average.",
        rows=deals(StageKind.WON),
        measure=mean(F("closed_at") - F("created_at"), unit="days"),
        **CLOSED,
    ),
    Metric(
        "deals.open",
        "Open deals",
        "Deals that are open now.",
        rows=deals(StageKind.OPEN),
        measure=count(),
        **COMMON,
    ),
    Metric(
        "deals.open_value",
        "Value of open deals",
        "What the open deals are worth, in the organization's currency.",
        rows=deals(StageKind.OPEN),
        measure=total("base_amount", unit="money"),
        **COMMON,
        **AMOUNT,
    ),
    Metric(
        "deals.weighted_forecast",
        "Weighted forecast",
        "The value of the open deals, each times the probability of its stage.",
        rows=deals(StageKind.OPEN),
        measure=total(WEIGHTED, unit="money"),
        **COMMON,
        **AMOUNT,
    ),
    Metric(
        "deals.stage_entries",
        "Deals entering stages",
        "How often deals came to a stage in the period, from the history that nothing changes.",
        permission="deals:read",
        rows=moves,
        measure=count(),
        date="moved_at",
        dimensions=(PIPELINE, record("stage", "Stage", "to_stage_id", Stage, STAGE_NAME, order=IN_ORDER), OWNER),
        events=("deals",),
    ),
    Metric(
        "deals.time_in_stage",
        "Days in a stage",
        "Days that deals spent in the stage they left in the period, on average.",
        permission="deals:read",
        rows=moves,
        measure=mean("seconds", unit="days"),
        date="moved_at",
        dimensions=(
            PIPELINE,
            record("stage", "Stage", "from_stage_id", Stage, STAGE_NAME, order=IN_ORDER, none="New"),
            OWNER,
        ),
        events=("deals",),
    ),
    Metric(
        "activities.completed",
        "Activities completed",
        "Calls, meetings, tasks and notes that were completed in the period.",
        permission="activities:read",
        rows=done,
        measure=count(),
        date="completed_at",
        dimensions=OF_ACTIVITIES,
        events=("activities",),
    ),
    Metric(
        "activities.calls_connected",
        "Calls that reached somebody",
        "Share of the completed calls in the period that were connected.",
        permission="activities:read",
        rows=lambda asked: done(asked).filter(kind=ActivityKind.CALL),
        measure=share(Count("pk", filter=Q(disposition=Disposition.CONNECTED)), Count("pk")),
        date="completed_at",
        dimensions=OF_ACTIVITIES,
        events=("activities",),
    ),
)

SELLERS = tuple(Role.values)

offer_tiles(
    UsualTile("Open deals", {"metrics": ["deals.open"]}, "number", SELLERS, rank=20),
    UsualTile(
        "Value won",
        {"metrics": ["deals.won_value"], "range": {"preset": "this_quarter"}, "compare": True},
        "number",
        SELLERS,
        rank=21,
    ),
    UsualTile(
        "Open value by stage",
        {"metrics": ["deals.open_value", "deals.weighted_forecast"], "dimensions": ["stage"]},
        "bar",
        SELLERS,
        width=2,
        rank=22,
    ),
    UsualTile(
        "Activities completed",
        {
            "metrics": ["activities.completed"],
            "dimensions": ["kind"],
            "range": {"preset": "last_90_days"},
            "granularity": "week",
        },
        "stacked",
        SELLERS,
        width=2,
        rank=23,
    ),
    UsualTile(
        "Won by owner",
        {"metrics": ["deals.won", "deals.won_value"], "dimensions": ["owner"], "range": {"preset": "this_quarter"}},
        "table",
        (Role.MANAGER,),
        width=2,
        rank=24,
    ),
)
