"""What a report is: a table, totals and what to draw, the same for JSON, CSV and PDF."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from django.utils import timezone
from django.utils.translation import gettext

from vocelio.access.principal import Principal
from vocelio.errors import Invalid
from vocelio.languages.translate import reads

DEFAULT_DAYS = 90
MAX_DAYS = 366 * 5


@reads("label")
@dataclass(frozen=True)
class Column:
    """One column: its API name, its heading, and what stands in it: text, number, money, percent, days or date."""

    key: str
    label: str
    kind: str = "number"


@reads("label")
@dataclass(frozen=True)
class Line:
    """One series of a chart."""

    label: str
    data: list[Any]


@reads("title")
@dataclass(frozen=True)
class Drawing:
    """A chart: `bar`, `line` or `doughnut`, a value of each series for each label."""

    title: str
    kind: str
    labels: list[str]
    datasets: list[Line]


@dataclass(frozen=True)
class Question:
    """What is asked: by whom, of which days (both included). Apps add what else it can be narrowed by."""

    principal: Principal
    first: datetime.date
    last: datetime.date

    @classmethod
    def of(
        cls,
        principal: Principal,
        first: datetime.date | None = None,
        last: datetime.date | None = None,
        **narrowed: Any,
    ) -> Self:
        """Return what was asked, the last 90 days unless said otherwise; raise Invalid for days that make no sense."""
        return cls(principal, *days_asked(first, last), **narrowed)

    @property
    def start(self) -> datetime.datetime:
        return datetime.datetime.combine(self.first, datetime.time(), datetime.UTC)

    @property
    def end(self) -> datetime.datetime:
        return datetime.datetime.combine(self.last, datetime.time(), datetime.UTC) + datetime.timedelta(days=1)


@reads("title")
@dataclass(frozen=True)
class Report:
    """An answer, ready to be drawn or printed."""

    title: str
    columns: list[Column]
    rows: list[dict[str, Any]]
    totals: dict[str, Any] = field(default_factory=dict)
    charts: list[Drawing] = field(default_factory=list)


def labelled_before(label: str) -> str:
    """Return what a figure's value in the period before is called."""
    return gettext("%(label)s, before") % {"label": label}


def days_asked(first: datetime.date | None, last: datetime.date | None) -> tuple[datetime.date, datetime.date]:
    """Return the days to cover, the last 90 unless said otherwise; raise Invalid for days that make no sense."""
    last = last or timezone.now().date()
    first = first or last - datetime.timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        raise Invalid.field("to", "This is before from.", value=str(last), constraint="order")
    if (last - first).days > MAX_DAYS:
        raise Invalid.field("from", "A report covers at most five years.", value=str(first), constraint="range")
    return first, last


def percent(part: float | Decimal, whole: float | Decimal) -> float | None:
    """Return the share in percent to one decimal; None of nothing."""
    return round(float(part) * 100 / float(whole), 1) if whole else None


def money(value: Decimal | None) -> Decimal:
    return (value or Decimal(0)).quantize(Decimal("0.01"))
