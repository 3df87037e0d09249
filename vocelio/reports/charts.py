"""Reports as charts on pages of the back office."""

import datetime
import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from vocelio.reports.shapes import Drawing, Question, Report

COLORS = ["var(--color-primary-600)", "#94a3b8", "#f59e0b", "#ef4444"]
PERIODS = {"30": "30 days", "90": "90 days", "180": "180 days", "365": "A year"}
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
