"""Reports as charts on pages of the back office."""

import datetime
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from vocelio.languages import numbers
from vocelio.languages.translate import translated
from vocelio.reports.shapes import Drawing, Line, Question, Report, labelled_before

COLORS = [
    "var(--color-primary-600)",
    "#94a3b8",
    "#f59e0b",
    "#ef4444",
    "#6366f1",
    "#22c55e",
    "#ec4899",
    "#0ea5e9",
    "#a16207",
    "#8b5cf6",
]
# What stands above chart.js's own: stacked bars, and pieces of a ring that nothing measures.
STACKED = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {"stacked": True, "grid": {"display": False}, "ticks": {"color": "#9ca3af", "maxTicksLimit": 12}},
        "y": {"stacked": True, "grid": {}, "ticks": {"color": "#9ca3af"}},
    },
}
RING = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "cutout": "60%",
    "plugins": {"legend": {"display": False}},
    "scales": {},
}
PERIODS = {"30": "Last 30 days", "90": "Last 90 days", "180": "Last 180 days", "365": "Last 365 days"}
USUAL_PERIOD = "90"


def period_chosen(request: HttpRequest) -> dict[str, Any]:
    """Return what the page's choice of a period needs to be shown again."""
    days = request.GET.get("days")
    return {"periods": PERIODS.items(), "days": days if days in PERIODS else USUAL_PERIOD}


def days_chosen(request: HttpRequest) -> tuple[datetime.date, datetime.date]:
    """Return the first and the last day of the period chosen on the page."""
    last = timezone.now().date()
    return last - datetime.timedelta(days=int(period_chosen(request)["days"]) - 1), last


def drawn_reports(reports: Mapping[str, Report], asked: Question, route: str) -> list[dict[str, Any]]:
    """Return the reports as backoffice/figures.html takes them, their files served by `v1:<route>-<name>`."""
    period = f"?from={asked.first}&to={asked.last}"
    return [
        {
            "title": report.title,
            "charts": [drawn(chart) for chart in report.charts if chart.labels],
            "files": [
                (kind.upper(), f"{reverse(f'v1:{route}-{name}')}{period}&format={kind}") for kind in ("csv", "pdf")
            ],
        }
        for name, report in reports.items()
    ]


def drawn(chart: Drawing) -> dict[str, Any]:
    """Return the chart as unfold's component takes it."""
    datasets = [
        {
            "label": line.label,
            "data": [float(value or 0) for value in line.data],
            "backgroundColor": COLORS[index % len(COLORS)],
            "borderColor": COLORS[index % len(COLORS)],
            "displayYAxis": True,
            "maxTicksXLimit": 12,
            "maxBarThickness": 22,
            "grouped": True,
        }
        for index, line in enumerate(chart.datasets)
    ]
    return {
        "title": chart.title,
        "kind": chart.kind,
        "data": json.dumps({"labels": chart.labels, "datasets": datasets}),
        "legend": [(each["label"], each["backgroundColor"]) for each in datasets] if len(datasets) > 1 else [],
    }


def drawn_figures(figures: dict[str, Any], chart: str) -> dict[str, Any]:
    """Return an answer as reports/figures.html draws it: a number, a chart, a funnel or a table."""
    series, labels = figures["series"], figures["labels"]
    currency = figures["currency"]
    shown: dict[str, Any] = {
        "kind": chart,
        "asOf": figures["asOf"],
        "is_cut": figures["isCut"],
        "totals": [
            {
                "title": each["title"],
                "value": written(each["value"], each["unit"], currency),
                "change": each["change"],
                "before": written(each["previous"], each["unit"], currency) if each["previous"] is not None else "",
            }
            for each in figures["totals"]
        ],
    }
    if chart == "table":
        return shown | _table(figures)
    if chart == "funnel":
        return shown | {"steps": _funnel(labels, series, currency)}
    if chart == "number":
        return shown
    if chart == "donut":
        return shown | _ring(labels, series)
    lines = [(each["label"], each["data"]) for each in series]
    # What was before makes no stack with what is.
    if chart != "stacked":
        lines += [(labelled_before(each["label"]), each["previous"]["data"]) for each in series if each["previous"]]
    answer = drawn(Drawing("", "line" if chart == "line" else "bar", labels, [Line(*line) for line in lines]))
    return shown | {
        "type": answer["kind"],
        "data": answer["data"],
        "options": json.dumps(STACKED) if chart == "stacked" else "",
        "legend": answer["legend"],
    }


def _ring(labels: list[str], series: list[dict[str, Any]]) -> dict[str, Any]:
    values = [float(value or 0) for value in series[0]["data"]] if series else []
    colors = [COLORS[index % len(COLORS)] for index in range(len(values))]
    pieces = [{"label": "", "data": values, "backgroundColor": colors, "borderWidth": 0}]
    return {
        "type": "doughnut",
        "data": json.dumps({"labels": labels, "datasets": pieces}),
        "options": json.dumps(RING),
        "legend": list(zip(labels, colors, strict=False)),
    }


def _funnel(labels: list[str], series: list[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    if not series:
        return []
    values = [float(value or 0) for value in series[0]["data"]]
    most = max(values, default=0) or 1
    return [
        {"label": label, "value": written(value, series[0]["unit"], currency), "width": round(number * 100 / most)}
        for label, value, number in zip(labels, series[0]["data"], values, strict=True)
    ]


def _table(figures: dict[str, Any]) -> dict[str, Any]:
    series, currency = figures["series"], figures["currency"]
    return {
        "columns": [figures["axis"]["title"], *(each["label"] for each in series)],
        "rows": [
            [label, *(written(each["data"][place], each["unit"], currency) for each in series)]
            for place, label in enumerate(figures["labels"])
        ],
        "sums": [translated("Total"), *(written(each["total"], each["unit"], currency) for each in series)],
    }


def written(value: Any, unit: str, currency: str) -> str:
    """Return a figure as people write it."""
    if value is None:
        return "–"  # noqa: RUF001 - a dash, as the other pages show it
    if unit == "money":
        return numbers.money(Decimal(value), currency, cents=False)
    if unit == "bytes":
        return filesizeformat(value)
    if unit == "percent":
        return numbers.percentage(value)
    number = numbers.number(value, 0 if isinstance(value, int) else 1)
    if unit == "days":
        return gettext("%(number)s days") % {"number": number}
    return f"{number} s" if unit == "seconds" else number
