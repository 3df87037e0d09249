"""What is asked of metrics, read from a definition as the API and saved reports spell it."""

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from vocelio.access.principal import Principal
from vocelio.errors import Forbidden, Invalid
from vocelio.reports.periods import EARLIEST, Granularity, Period, Preset, preset_period, step_name, zone_of
from vocelio.reports.registry import Dimension, Metric, metric_named
from vocelio.reports.shapes import Question, days_asked

MOST_METRICS, MOST_DIMENSIONS, MOST_VALUES, MOST_SHOWN, SHOWN = 4, 2, 200, 100, 20
USUAL_PRESET = Preset.LAST_30_DAYS
# What a definition may hold; `range` holds a preset, or from and to.
KEYS = {"metrics", "dimensions", "filters", "range", "granularity", "compare", "limit"}


@dataclass(frozen=True)
class FigureQuestion(Question):
    """What is asked of which metrics, divided by what, of which period, in which steps, compared with what."""

    metrics: tuple[Metric, ...] = ()
    dimensions: tuple[str, ...] = ()
    filters: dict[str, list[Any]] = field(default_factory=dict)
    period: Period = field(default_factory=lambda: Period(EARLIEST, EARLIEST))
    granularity: str = ""
    compare: bool = False
    limit: int = SHOWN

    @property
    def used(self) -> frozenset[str]:
        return frozenset(self.dimensions) | frozenset(self.filters)

    @property
    def title(self) -> str:
        """Return what the answer is called unless somebody named it."""
        by = [dimension.title.lower() for dimension in self.divided(self.metrics[0])]
        by += [step_name(self.granularity).lower()] if self.granularity else []
        names = ", ".join(metric.title for metric in self.metrics)
        divided = {"metrics": names, "dimensions": gettext(" and ").join(by)}
        return gettext("%(metrics)s by %(dimensions)s") % divided if by else names

    def divided(self, metric: Metric) -> list[Dimension]:
        return [found for key in self.dimensions if (found := metric.dimension(key))]


class Problems:
    """Every bad field of a definition, told at once."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def add(self, name: str, message: str, *, value: Any = None, constraint: str = "invalid") -> None:
        shown = value if isinstance(value, (str, int, bool)) else None
        self.found.append({"field": name, "value": shown, "constraint": constraint, "message": message})

    def tell(self) -> None:
        if self.found:
            raise Invalid(self.found[0]["message"], errors=self.found)


def read_question(definition: dict[str, Any], principal: Principal) -> FigureQuestion:
    """Return what a definition asks; raise Invalid with every bad field, Forbidden for what the caller may not see."""
    problems = Problems()
    metrics = _metrics(definition.get("metrics"), problems)
    problems.tell()
    for metric in metrics:
        if not principal.may(metric.permission):
            raise Forbidden(f"Your role does not show {metric.title.lower()}.", metric=metric.name)
    dimensions = _dimensions(definition.get("dimensions") or [], metrics, problems)
    filters = _filters(definition.get("filters") or {}, metrics, problems)
    granularity = definition.get("granularity") or ""
    if granularity:
        if granularity not in Granularity.values:
            problems.add("granularity", "There is no such step.", value=granularity, constraint="choice")
        for metric in metrics:
            if not metric.date:
                problems.add("granularity", f"{metric.title} is a state as of now; it has no steps in time.")
    period = _period(definition.get("range") or {"preset": USUAL_PRESET}, principal, problems)
    problems.tell()
    question = FigureQuestion(
        principal,
        period.first,
        period.last,
        metrics=tuple(metrics),
        dimensions=tuple(dimensions),
        filters=filters,
        period=period,
        granularity=granularity,
        compare=bool(definition.get("compare")),
        limit=min(int(definition.get("limit") or SHOWN), MOST_SHOWN),
    )
    if granularity:
        period.steps(granularity)
    return question


def _metrics(names: Any, problems: Problems) -> list[Metric]:
    if not isinstance(names, list) or not names or len(names) > MOST_METRICS or len(set(map(str, names))) < len(names):
        problems.add("metrics", f"Name one to {MOST_METRICS} metrics, each once.", constraint="range")
        return []
    found = []
    for index, name in enumerate(names):
        metric = metric_named(name) if isinstance(name, str) else None
        if metric is None:
            problems.add(f"metrics.{index}", "There is no such metric.", value=name, constraint="choice")
        else:
            found.append(metric)
    return found


def _dimensions(keys: list[Any], metrics: list[Metric], problems: Problems) -> list[str]:
    if len(keys) > MOST_DIMENSIONS or len(set(map(str, keys))) < len(keys):
        problems.add("dimensions", f"Name at most {MOST_DIMENSIONS} dimensions, each once.", constraint="range")
    for index, key in enumerate(keys):
        for metric in metrics:
            if not isinstance(key, str) or metric.dimension(key) is None:
                message = f"{metric.title} cannot be divided by this."
                problems.add(f"dimensions.{index}", message, value=key, constraint="choice")
    return keys


def _filters(given: dict[str, Any], metrics: list[Metric], problems: Problems) -> dict[str, list[Any]]:
    filters = {}
    for key, values in given.items():
        name = f"filters.{key[:60]}"
        dimensions = [metric.dimension(key) for metric in metrics]
        if None in dimensions:
            problems.add(name, "Not every metric can be narrowed by this.", constraint="unknown")
            continue
        if not isinstance(values, list) or not values or len(values) > MOST_VALUES:
            problems.add(name, f"Give a list of one to {MOST_VALUES} values.", constraint="range")
            continue
        read = [_value(value, dimensions[0], name, problems) for value in values]
        filters[key] = read
    return filters


def _value(value: Any, dimension: Dimension | None, name: str, problems: Problems) -> Any:
    """Return a value to narrow by; null and "" mean rows without one."""
    if value in (None, ""):
        return None
    if not isinstance(value, str) or "\0" in value or len(value) > 300:
        problems.add(name, "A value is a text, or null.", constraint="type")
        return None
    if dimension is not None and dimension.kind == "id":
        try:
            return uuid.UUID(value)
        except ValueError:
            problems.add(name, "A value is an id here.", value=value[:60], constraint="uuid")
    if dimension is not None and dimension.choices and value not in dict(dimension.choices):
        problems.add(name, "There is no such value.", value=value[:60], constraint="choice")
    return value


def _period(given: dict[str, Any], principal: Principal, problems: Problems) -> Period:
    zone = zone_of(principal.organization_id)
    preset = given.get("preset")
    if preset:
        if given.keys() - {"preset"}:
            problems.add("range", "Give a preset, or from and to.", constraint="exclusive")
        elif preset not in Preset.values:
            problems.add("range.preset", "There is no such period.", value=preset, constraint="choice")
        else:
            return preset_period(preset, zone)
        return Period(EARLIEST, EARLIEST, zone)
    days = {}
    for name in ("from", "to"):
        try:
            day = given.get(name)
            days[name] = day if isinstance(day, datetime.date) else datetime.date.fromisoformat(str(day))
        except ValueError:
            problems.add(f"range.{name}", f"{name} is a day such as 2026-03-31.", value=given.get(name))
    if len(days) < 2:
        return Period(EARLIEST, EARLIEST, zone)
    if not min(days.values()) >= EARLIEST or max(days.values()).year > 2100:
        problems.add("range", "Days lie between 2000 and 2100.", constraint="range")
        return Period(EARLIEST, EARLIEST, zone)
    return Period(*days_asked(days["from"], days["to"]), zone)
