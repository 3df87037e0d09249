"""What can be counted. Each app registers its metrics in its `metrics.py`, which is found at start.

register(
    Metric(
        "deals.won",
        "Deals won",
        "Deals that were won in the period.",
        permission="deals:read",
        rows=lambda asked: Deal.objects.alive().visible_to(asked.principal).filter(status="won"),
        measure=count(),
        date="closed_at",
        dimensions=(person("owner", "Owner", "assigned_to_id"),),
        events=("deals",),
    )
)
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Aggregate, Count, F, Q, QuerySet, Sum, Value

from vocelio.access.principal import Principal
from vocelio.languages.translate import reads, translated
from vocelio.organizations.models import Membership

# What a figure is of, which says how it is written: a number of things, or one of the others.
Unit = Literal["number", "money", "percent", "days", "seconds", "bytes"]
Parts = Sequence[Any]

NONE = "None"
ROW = Value(1)
DAY = 86_400


@dataclass(frozen=True)
class Asked:
    """Who asks, and by which dimensions the answer is divided or narrowed."""

    principal: Principal
    used: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Measure:
    """How rows become a figure: `parts` that can be added up over any groups, and what their sums say."""

    parts: tuple[Aggregate, ...]
    finish: Callable[[Parts], Any]
    unit: Unit = "number"
    # False where groups overlap, as those of people who did several things: their sum says nothing.
    is_additive: bool = True

    @property
    def shows_nothing_as_zero(self) -> bool:
        """Whether no rows make 0; a share or a mean of nothing is nothing."""
        return self.unit in ("number", "money", "bytes")


def count(of: Q | None = None, *, distinct: str = "") -> Measure:
    """Return the number of rows, of those that meet a condition, or of different values of a column."""
    # Of the rows rather than of their keys, which not every index holds.
    aggregate = Count(distinct or ROW, filter=of, distinct=bool(distinct))
    return Measure((aggregate,), lambda parts: int(parts[0] or 0), is_additive=not distinct)


def net(to: Q, away: Q) -> Measure:
    """Return how many came less how many were taken back."""
    return Measure((Count(ROW, filter=to), Count(ROW, filter=away)), lambda parts: parts[0] - parts[1])


def total(column: Any, *, unit: Unit = "number", of: Q | None = None) -> Measure:
    """Return the sum of a column."""

    def finish(parts: Parts) -> Any:
        return _money(parts[0]) if unit == "money" else int(parts[0] or 0)

    return Measure((Sum(column, filter=of),), finish, unit)


def share(part: Aggregate, whole: Aggregate) -> Measure:
    """Return the part in percent of the whole, to one decimal."""

    def finish(parts: Parts) -> float | None:
        return round(float(parts[0] or 0) * 100 / float(parts[1]), 1) if parts[1] else None

    return Measure((part, whole), finish, "percent")


def mean(column: Any, *, unit: Unit = "number", of: Q | None = None) -> Measure:
    """Return the mean of a column where it has a value; durations and seconds become days or seconds."""
    divisor = DAY if unit == "days" else 1

    def finish(parts: Parts) -> float | None:
        if not parts[1]:
            return None
        value = parts[0].total_seconds() if isinstance(parts[0], timedelta) else float(parts[0])
        return float(round(value / divisor / parts[1], 1))

    return Measure((Sum(column, filter=of), Count(column, filter=of)), finish, unit)


def _money(value: Decimal | None) -> Decimal:
    return (value or Decimal(0)).quantize(Decimal("0.01"))


@reads("title", "none")
@dataclass(frozen=True)
class Dimension:
    """What a metric can be divided and narrowed by: a column, and what its values are called.

    `labels` gets the values found and who asks, and returns names of those the caller may know.
    """

    key: str
    title: str
    column: Any
    labels: Callable[[Collection[Any], Principal], Mapping[Any, str]] | None = None
    kind: Literal["text", "id"] = "text"
    # Every value there can be, in order, where they are few.
    choices: tuple[tuple[str, str], ...] = ()
    none: str = NONE
    # Puts values in an order of their own, as the stages of a funnel have one; else the largest comes first.
    ranks: Callable[[Collection[Any]], Mapping[Any, int]] | None = None

    def expression(self) -> Any:
        return F(self.column) if isinstance(self.column, str) else self.column

    def named(self, values: Collection[Any], principal: Principal) -> dict[Any, str]:
        """Return what each value is called; a record the caller may not see is not named."""
        known = {value for value in values if value not in (None, "", [])}
        if self.choices:
            names = dict(self.choices)
            named = {value: translated(names.get(value, str(value))) for value in known}
        elif self.labels is not None:
            found = self.labels(known, principal)
            named = {value: found.get(value, translated("Not to be seen")) for value in known}
        else:
            named = {value: str(value) for value in known}
        return {value: named.get(value, self.none) for value in values}


def text(key: str, title: str, column: Any = "", *, none: str = NONE) -> Dimension:
    """Return a dimension whose values are their own names."""
    return Dimension(key, title, column or key, none=none)


def choice(
    key: str, title: str, choices: Iterable[tuple[Any, Any]], column: Any = "", *, none: str = NONE
) -> Dimension:
    """Return a dimension of known values."""
    known = tuple((str(value), str(label)) for value, label in choices)
    return Dimension(key, title, column or key, choices=known, none=none)


def record(
    key: str, title: str, column: str, model: Any, name: Any = "name", *, none: str = NONE, order: Sequence[str] = ()
) -> Dimension:
    """Return a dimension by other records, named to those who may see them, in their own order where they have one."""

    def labels(values: Collection[Any], principal: Principal) -> dict[Any, str]:
        rows = model.objects.get_queryset().visible_to(principal).filter(pk__in=values)
        return {pk: str(label) for pk, label in rows.values_list("pk", name)}

    def ranks(values: Collection[Any]) -> dict[Any, int]:
        rows = model.objects.get_queryset().filter(pk__in=values).order_by(*order)
        return {pk: rank for rank, pk in enumerate(rows.values_list("pk", flat=True))}

    return Dimension(key, title, column, labels, "id", none=none, ranks=ranks if order else None)


def person(key: str, title: str, column: str, *, none: str = "Nobody") -> Dimension:
    """Return a dimension by members of the organization."""

    def labels(values: Collection[Any], principal: Principal) -> dict[Any, str]:
        members = Membership.objects.visible_to(principal).filter(user_id__in=values).select_related("user")
        found = {member.user_id: str(member.user) for member in members}
        return {value: found.get(value, translated("A former member")) for value in values}

    return Dimension(key, title, column, labels, "id", none=none)


@reads("title", "counts")
@dataclass(frozen=True)
class Metric:
    """One figure: what it counts, who may see it, over which rows and how.

    `rows` returns what the caller may see, through `visible_to`. `date` is the column that says when; without one it
    is a state as of now. `events` are the topics of sockets whose events make it out of date. `currency` says what
    money is in.
    """

    name: str
    title: str
    counts: str
    permission: str
    rows: Callable[[Asked], QuerySet[Any]]
    measure: Measure
    date: str = ""
    is_day: bool = False
    dimensions: tuple[Dimension, ...] = ()
    events: tuple[str, ...] = ()
    currency: Callable[[], str] = str

    @property
    def unit(self) -> Unit:
        return self.measure.unit

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]

    def dimension(self, key: str) -> Dimension | None:
        return next((each for each in self.dimensions if each.key == key), None)


_metrics: dict[str, Metric] = {}


def register(*metrics: Metric) -> None:
    """Offer the metrics to reports and dashboards; names are unique."""
    for metric in metrics:
        if _metrics.setdefault(metric.name, metric) is not metric:
            raise ValueError(f"There are two metrics named {metric.name!r}")


def all_metrics() -> list[Metric]:
    return [_metrics[name] for name in sorted(_metrics)]


def metric_named(name: str) -> Metric | None:
    return _metrics.get(name)


def metrics_for(principal: Principal) -> list[Metric]:
    """Return what this person may see."""
    return [metric for metric in all_metrics() if principal.may(metric.permission)]


@dataclass(frozen=True)
class UsualTile:
    """A tile that an app offers for the usual dashboards of these roles; lower ranks come first."""

    title: str
    definition: Mapping[str, Any]
    chart: str
    roles: tuple[str, ...]
    width: int = 1
    rank: int = 50


_offered: list[UsualTile] = []


def offer_tiles(*tiles: UsualTile) -> None:
    """Put tiles on the usual dashboards that are made from now on."""
    _offered.extend(tiles)


def tiles_offered(role: str) -> list[UsualTile]:
    return sorted((each for each in _offered if role in each.roles), key=lambda each: each.rank)
