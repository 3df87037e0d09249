"""Ask metrics: one statement a metric and period, then series ready to be drawn."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg.errors import QueryCanceled

from vocelio.errors import Invalid, VocelioError
from vocelio.languages.translate import translated
from vocelio.reports.periods import Period, step_label, step_name, step_number
from vocelio.reports.registry import Asked, Metric, Parts
from vocelio.reports.services.questions import FigureQuestion
from vocelio.reports.shapes import Column, Drawing, Line, Report, labelled_before

# Groups that one statement may bring; beyond, the question is refused rather than answered in part.
MOST_GROUPS = 20_000
# Lines that one chart can show.
MOST_LINES = 12
OTHER = "Other"
TOTAL = "Total"

# Of a group: its step, and the values of the dimensions.
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Series:
    """One line: a value for each label, and of the period before."""

    metric: Metric
    label: str
    data: list[Any]
    total: Any
    previous: list[Any] | None = None
    previous_total: Any = None


@dataclass(frozen=True)
class Answer:
    """What metrics say, ready to be drawn; `is_cut` where small values were put together or left out."""

    question: FigureQuestion
    axis: tuple[str, str, str]
    labels: list[str]
    series: list[Series]
    totals: list[tuple[Metric, Any, Any]]
    is_cut: bool
    as_of: datetime.datetime
    compared: Period | None = None
    currency: str = ""
    values: list[Any] = field(default_factory=list)


def answer(question: FigureQuestion) -> Answer:
    """Return the answer to a question of the open organization, of what its caller may see."""
    before = question.period.before() if question.compare else None
    grids = [Grid(metric, question, question.period) for metric in question.metrics]
    earlier = [Grid(metric, question, before) if before else None for metric in question.metrics]
    steps = question.period.steps(question.granularity) if question.granularity else None
    axis_values, cut_axis = (list(steps), False) if steps is not None else _axis(grids, question)
    names = _names(question, grids)
    series, cut_lines = _series(question, grids, earlier, axis_values, before, names)
    if steps is not None:
        axis = ("time", question.granularity, step_name(question.granularity))
        labels = [step_label(step, question.granularity) for step in steps]
    elif question.dimensions:
        first = question.divided(question.metrics[0])[0]
        axis = ("dimension", first.key, first.title)
        labels = [translated(OTHER) if value is _Rest else names[0][value] for value in axis_values]
    else:
        axis, labels = ("none", "", ""), [translated(TOTAL)]
    return Answer(
        question,
        axis,
        labels,
        series,
        [
            (grid.metric, grid.total, past.total if past is not None and past.is_dated else None)
            for grid, past in zip(grids, earlier, strict=True)
        ],
        cut_axis or cut_lines,
        timezone.now(),
        before,
        next((metric.currency() for metric in question.metrics if metric.unit == "money"), ""),
        [None if value is _Rest or isinstance(value, datetime.date) else value for value in axis_values],
    )


class TooSlow(VocelioError):
    code = "TOO_SLOW"
    status = 503
    message = "This took too long and was stopped; ask for less, or narrow the filter."


def answer_in_time(question: FigureQuestion) -> Answer:
    """Return the answer; raise TooSlow when a statement is stopped, with the open transaction still of use."""
    try:
        with transaction.atomic():
            return answer(question)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TooSlow from None
        raise


class _Rest:
    """Stands for the values that are not shown by themselves."""


class Grid:
    """A metric's sums by step and values of the dimensions, in one period."""

    def __init__(self, metric: Metric, question: FigureQuestion, period: Period) -> None:
        self.metric, self.question, self.period = metric, question, period
        self.is_dated = bool(metric.date)
        self.dimensions = question.divided(metric)
        self.groups = self._read(with_steps=bool(question.granularity), with_values=bool(self.dimensions))

    def _rows(self) -> Any:
        metric, question = self.metric, self.question
        rows = metric.rows(Asked(question.principal, question.used))
        if metric.date:
            first, last = (
                (self.period.first, self.period.last + datetime.timedelta(days=1))
                if metric.is_day
                else (self.period.start, self.period.end)
            )
            rows = rows.filter(**{f"{metric.date}__gte": first, f"{metric.date}__lt": last})
        for key, values in question.filters.items():
            dimension = metric.dimension(key)
            assert dimension is not None  # noqa: S101 - read_question refused it otherwise
            rows = rows.annotate(**{f"by_{key}": dimension.expression()})
            wanted = Q(**{f"by_{key}__in": [value for value in values if value is not None]})
            if None in values:
                wanted |= Q(**{f"by_{key}__isnull": True})
                wanted |= Q(**{f"by_{key}": ""}) if dimension.kind == "text" else Q()
            rows = rows.filter(wanted)
        return rows.order_by()

    def _read(self, *, with_steps: bool, with_values: bool) -> dict[Key, Parts]:
        rows, names = self._rows(), []
        if with_steps:
            zone = None if self.metric.is_day else self.period.zone
            rows = rows.annotate(step=step_number(self.metric.date, self._steps, zone))
            names.append("step")
        if with_values:
            for index, dimension in enumerate(self.dimensions):
                rows = rows.annotate(**{f"value_{index}": dimension.expression()})
                names.append(f"value_{index}")
        parts = {f"part_{index}": part for index, part in enumerate(self.metric.measure.parts)}
        if not names:
            found = rows.aggregate(**parts)
            return {(None,): tuple(found.values())}
        read = list(rows.values(*names).annotate(**parts).values_list(*names, *parts)[: MOST_GROUPS + 1])
        if len(read) > MOST_GROUPS:
            raise Invalid.field(
                "dimensions", "That makes too many groups; narrow the filter or the range.", constraint="range"
            )
        groups: dict[Key, Parts] = {}
        for row in read:
            key = self._key(row[: len(names)], with_steps)
            found_parts = row[len(names) :]
            groups[key] = added([groups[key], found_parts]) or () if key in groups else found_parts
        return groups

    def _key(self, values: Sequence[Any], with_steps: bool) -> Key:
        step, rest = (values[0], values[1:]) if with_steps else (None, values)
        if step is not None:
            step = self._steps[step - 1]
        # What is empty and what is missing are one.
        return (step, *(None if value == "" else value for value in rest))

    def value(self, parts: Iterable[Parts]) -> Any:
        """Return the figure that groups make together."""
        sums = added(list(parts))
        if sums is None:
            return self.metric.measure.finish([0] * len(self.metric.measure.parts)) if self._zero else None
        return self.metric.measure.finish(sums)

    @cached_property
    def _steps(self) -> list[datetime.date]:
        return self.period.steps(self.question.granularity)

    @property
    def _zero(self) -> bool:
        return self.metric.measure.shows_nothing_as_zero

    @cached_property
    def total(self) -> Any:
        if self.metric.measure.is_additive:
            return self.value(self.groups.values())
        return self.value(self._read(with_steps=False, with_values=False).values())

    @cached_property
    def by_values(self) -> dict[Key, Parts]:
        """The sums by the values of the dimensions, over all steps."""
        groups = self.groups
        if self.question.granularity and not self.metric.measure.is_additive:
            groups = self._read(with_steps=False, with_values=bool(self.dimensions))
        sums: dict[Key, list[Parts]] = defaultdict(list)
        for key, parts in groups.items():
            sums[key[1:]].append(parts)
        return {key: added(found) or () for key, found in sums.items()}


def added(parts: Sequence[Parts]) -> Parts | None:
    """Return the sums part by part; what is missing adds nothing."""
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    sums = []
    for column in zip(*parts, strict=True):
        known = [value for value in column if value is not None]
        sums.append(sum(known[1:], known[0]) if known else None)
    return sums


def _axis(grids: list[Grid], question: FigureQuestion) -> tuple[list[Any], bool]:
    """Return the values along the axis, largest first, and whether the rest of them is put together."""
    if not question.dimensions:
        return [None], False
    sums: dict[Any, list[Parts]] = defaultdict(list)
    for key, parts in grids[0].groups.items():
        sums[key[1]].append(parts)
    for grid in grids[1:]:
        for key in grid.groups:
            sums.setdefault(key[1], [])
    ordered = _largest_first(grids[0], sums)
    shown = _in_order(ordered[: question.limit], question)
    if len(ordered) <= question.limit:
        return shown, False
    return [*shown, _Rest] if all(grid.metric.measure.is_additive for grid in grids) else shown, True


def _in_order(values: list[Any], question: FigureQuestion) -> list[Any]:
    """Return the values in the order that their dimension has, as they came where it has none."""
    ranks = question.divided(question.metrics[0])[0].ranks
    if ranks is None:
        return values
    known = ranks([value for value in values if value is not None])
    return sorted(values, key=lambda value: known.get(value, len(known)))


def _largest_first(grid: Grid, sums: dict[Any, list[Parts]]) -> list[Any]:
    figures = {value: float(grid.value(parts) or 0) for value, parts in sums.items()}
    return sorted(sums, key=lambda value: (-figures[value], str(value)))


def _names(question: FigureQuestion, grids: list[Grid]) -> list[dict[Any, str]]:
    """Return what the values of each dimension are called, asked for once."""
    names = []
    for index, dimension in enumerate(question.divided(question.metrics[0])):
        values = {key[index + 1] for grid in grids for key in grid.groups}
        names.append(dimension.named(values, question.principal))
    return names


def _series(
    question: FigureQuestion,
    grids: list[Grid],
    earlier: Sequence[Grid | None],
    axis: list[Any],
    before: Period | None,
    names: list[dict[Any, str]],
) -> tuple[list[Series], bool]:
    is_time = bool(question.granularity)
    earlier_steps = before.steps(question.granularity) if before and is_time else []
    # Along the axis goes the time, or else the first dimension; the others make lines.
    skipped = 0 if is_time else 1
    made, is_cut = [], False
    shown = set(axis)
    for grid, past in zip(grids, earlier, strict=True):
        sums: dict[Key, list[Parts]] = defaultdict(list)
        for key, parts in grid.by_values.items():
            sums[key[skipped:]].append(parts)
        lines = _largest_first(grid, sums) if len(names) > skipped else [()]
        is_cut = is_cut or len(lines) > MOST_LINES
        for line in lines[:MOST_LINES]:
            label = " / ".join(names[skipped + index][value] for index, value in enumerate(line))
            if len(grids) > 1 or not label:
                label = f"{grid.metric.title}: {label}" if label else grid.metric.title
            previous, previous_total = None, None
            if past is not None and past.is_dated and before is not None:
                past_axis = earlier_steps if is_time else axis
                previous = _cells(past, past_axis, shown, line, skipped)[: len(axis)]
                previous += [None] * (len(axis) - len(previous))
                previous_total = _line_total(past, line, skipped)
            data = _cells(grid, axis, shown, line, skipped)
            made.append(Series(grid.metric, label, data, _line_total(grid, line, skipped), previous, previous_total))
    return made, is_cut


def _cells(grid: Grid, axis: list[Any], shown: set[Any], line: Key, skipped: int) -> list[Any]:
    """Return the figures of one line along the axis."""
    cells: dict[Any, list[Parts]] = defaultdict(list)
    is_time = bool(grid.question.granularity)
    for key, parts in grid.groups.items():
        if key[1 + skipped :] == line:
            place = key[0] if is_time else key[1] if grid.dimensions else None
            if place not in shown and not is_time:
                place = _Rest
            cells[place].append(parts)
    return [grid.value(cells.get(place, [])) for place in axis]


def _line_total(grid: Grid, line: Key, skipped: int) -> Any:
    if not grid.metric.measure.is_additive and not line:
        return grid.total
    return grid.value(parts for key, parts in grid.by_values.items() if key[skipped:] == line)


# Units as the columns of a report know them, and what is said beside others.
KINDS = {"number": "number", "money": "money", "percent": "percent", "days": "days"}


def as_report(found: Answer, *, title: str = "", chart: str = "") -> Report:
    """Return the answer as a table with charts, to be drawn, printed or saved as a file."""
    question = found.question
    columns = [Column("axis", found.axis[2] or "Figure", "text")]
    lines: list[tuple[str, list[Any]]] = []
    for index, each in enumerate(found.series):
        suffix = f" ({translated(each.metric.unit)})" if each.metric.unit in ("seconds", "bytes") else ""
        kind = KINDS.get(each.metric.unit, "number")
        columns.append(Column(f"series{index}", each.label + suffix, kind))
        lines.append((f"series{index}", each.data))
        if each.previous is not None:
            columns.append(Column(f"previous{index}", labelled_before(each.label + suffix), kind))
            lines.append((f"previous{index}", each.previous))
    rows = [{"axis": label, **{key: data[place] for key, data in lines}} for place, label in enumerate(found.labels)]
    kind = drawing_kind(chart, found)
    drawings = []
    for unit in dict.fromkeys(each.metric.unit for each in found.series):
        same = [each for each in found.series if each.metric.unit == unit]
        drawn = [Line(each.label, each.data) for each in same]
        drawn += [Line(labelled_before(each.label), each.previous) for each in same if each.previous is not None]
        drawings.append(Drawing(title or question.title, kind, found.labels, drawn))
    totals = {metric.name: value for metric, value, _ in found.totals}
    return Report(title or question.title, columns, rows, totals, drawings)


def drawing_kind(chart: str, found: Answer) -> str:
    """Return how a chart is drawn: as it was wished, else by what stands along its axis."""
    if chart in ("line", "bar"):
        return chart
    if chart == "donut":
        return "doughnut"
    return "line" if found.axis[0] == "time" and not chart else "bar"
