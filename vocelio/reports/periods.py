"""Periods in an organization's time zone: presets, what came before them, and the steps of a time axis."""

import datetime
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.contrib.postgres.fields import ArrayField
from django.db.models import DateField, DateTimeField, F, Field, Func, IntegerField, TextChoices, Value
from django.utils import timezone

from vocelio.errors import Invalid
from vocelio.languages.middleware import zone_named
from vocelio.languages.translate import translated
from vocelio.organizations.models import Organization

UTC = ZoneInfo("UTC")
# The first day a question may be about.
EARLIEST = datetime.date(2000, 1, 1)
MAX_STEPS = 400


class Preset(TextChoices):
    """Periods that move on with the calendar."""

    TODAY = "today", "Today"
    YESTERDAY = "yesterday", "Yesterday"
    LAST_7_DAYS = "last_7_days", "Last 7 days"
    LAST_30_DAYS = "last_30_days", "Last 30 days"
    LAST_90_DAYS = "last_90_days", "Last 90 days"
    LAST_365_DAYS = "last_365_days", "Last 365 days"
    THIS_WEEK = "this_week", "This week"
    LAST_WEEK = "last_week", "Last week"
    THIS_MONTH = "this_month", "This month"
    LAST_MONTH = "last_month", "Last month"
    THIS_QUARTER = "this_quarter", "This quarter"
    LAST_QUARTER = "last_quarter", "Last quarter"
    THIS_YEAR = "this_year", "This year"
    LAST_YEAR = "last_year", "Last year"


class Granularity(TextChoices):
    """The steps of a time axis."""

    DAY = "day", "Day"
    WEEK = "week", "Week"
    MONTH = "month", "Month"
    QUARTER = "quarter", "Quarter"


STEPS = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "quarter": relativedelta(months=3),
    "year": relativedelta(years=1),
}


def zone_of(organization_id: uuid.UUID) -> ZoneInfo:
    """Return the organization's time zone, UTC unless it is set."""
    name = Organization.objects.values_list("time_zone", flat=True).get(pk=organization_id)
    return zone_named(name)


@dataclass(frozen=True)
class Period:
    """Days from the first to the last, both included, in a time zone."""

    first: datetime.date
    last: datetime.date
    zone: ZoneInfo = UTC
    preset: str = ""

    @property
    def start(self) -> datetime.datetime:
        return datetime.datetime.combine(self.first, datetime.time(), self.zone)

    @property
    def end(self) -> datetime.datetime:
        return datetime.datetime.combine(self.last + STEPS["day"], datetime.time(), self.zone)

    def steps(self, granularity: str) -> list[datetime.date]:
        """Return the first day of each step; raise Invalid for too many."""
        found = []
        for day in steps_between(self.first, self.last, granularity):
            found.append(day)
            if len(found) > MAX_STEPS:
                raise Invalid.field(
                    "granularity",
                    f"That makes more than {MAX_STEPS} steps; choose longer ones.",
                    value=granularity,
                    constraint="range",
                )
        return found

    def before(self) -> "Period":
        """Return the period to compare with: as many days just before, or the same part of the last calendar period."""
        kind, _, unit = self.preset.partition("_")
        if kind in ("this", "last") and unit in STEPS:
            first = self.first - STEPS[unit]
            whole = self.last + STEPS["day"] == self.first + STEPS[unit]
            last = self.first - STEPS["day"] if whole else min(self.last - STEPS[unit], self.first - STEPS["day"])
            return Period(first, last, self.zone)
        length = self.last - self.first + datetime.timedelta(days=1)
        return Period(self.first - length, self.last - length, self.zone)


def steps_between(first: datetime.date, last: datetime.date, granularity: str) -> Iterator[datetime.date]:
    """Yield the first days of all steps from that of the first day."""
    first = start_of(first, granularity)
    while first <= last:
        yield first
        first += STEPS[granularity]


def start_of(day: datetime.date, granularity: str) -> datetime.date:
    """Return the first day of the day, week (Monday), month, quarter or year that holds a day."""
    match granularity:
        case "week":
            return day - datetime.timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


def step_number(column: str, starts: Sequence[datetime.date], zone: datetime.tzinfo | None = UTC) -> Func:
    """Return the expression for the step that a row falls in: 1 for the first of `starts`, days of the time zone.

    Without one the column holds days itself. Half the time of date_trunc(), which asks the time zone for each row.
    """
    kind: Field[Any, Any] = DateField() if zone is None else DateTimeField()
    bounds = starts if zone is None else [datetime.datetime.combine(day, datetime.time(), zone) for day in starts]
    return Func(F(column), Value(list(bounds), ArrayField(kind)), function="width_bucket", output_field=IntegerField())


def step_name(granularity: str) -> str:
    """Return what a step of an axis is called."""
    return translated(Granularity(granularity).label)


def step_label(day: datetime.date, granularity: str) -> str:
    """Return what a step is called on an axis: 2026-03-31, 2026-03, 2026-Q1."""
    if granularity == "month":
        return f"{day:%Y-%m}"
    if granularity == "quarter":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return day.isoformat()


def preset_period(preset: str, zone: ZoneInfo, today: datetime.date | None = None) -> Period:
    """Return the days of a preset as the calendar of the time zone has them now."""
    today = today or timezone.now().astimezone(zone).date()
    kind, _, unit = preset.partition("_")
    if preset == Preset.TODAY:
        return Period(today, today, zone, preset)
    if preset == Preset.YESTERDAY:
        return Period(today - STEPS["day"], today - STEPS["day"], zone, preset)
    if unit.endswith("_days"):
        days = int(unit.removesuffix("_days"))
        return Period(today - datetime.timedelta(days=days - 1), today, zone, preset)
    first = start_of(today, unit)
    if kind == "last":
        return Period(first - STEPS[unit], first - STEPS["day"], zone, preset)
    return Period(first, today, zone, preset)
