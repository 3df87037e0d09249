"""Reports as charts on pages of the back office."""

import json
from typing import Any

from contacts.reports.shapes import Drawing

COLORS = ["var(--color-primary-600)", "#94a3b8", "#f59e0b", "#ef4444"]
PERIODS = {"30": "30 days", "90": "90 days", "180": "180 days", "365": "A year"}


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
