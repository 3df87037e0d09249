"""Answers as plain data."""

from typing import Any

from vocelio.reports.services.answers import Answer


def shown_answer(found: Answer, title: str = "") -> dict[str, Any]:
    """Return the answer as plain data, the way the API shows and tiles keep it."""
    period = found.question.period
    return {
        "title": title or found.question.title,
        "range": {"from": period.first.isoformat(), "to": period.last.isoformat()},
        "timeZone": period.zone.key,
        "comparedWith": {"from": found.compared.first.isoformat(), "to": found.compared.last.isoformat()}
        if found.compared
        else None,
        "currency": found.currency,
        "axis": dict(zip(("kind", "key", "title"), found.axis, strict=True)),
        "labels": found.labels,
        "series": [
            {
                "metric": each.metric.name,
                "label": each.label,
                "unit": each.metric.unit,
                "data": [_plain(value) for value in each.data],
                "total": _plain(each.total),
                "previous": None
                if each.previous is None
                else {"data": [_plain(value) for value in each.previous], "total": _plain(each.previous_total)},
            }
            for each in found.series
        ],
        "totals": [
            {
                "metric": metric.name,
                "title": metric.title,
                "unit": metric.unit,
                "value": _plain(value),
                "previous": _plain(before),
                "change": change(value, before),
            }
            for metric, value, before in found.totals
        ],
        "isCut": found.is_cut,
        "asOf": found.as_of.isoformat().replace("+00:00", "Z"),
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (int, float)) else str(value)


def change(value: Any, before: Any) -> float | None:
    """Return by how many percent a figure changed; None from nothing."""
    if value is None or not before:
        return None
    return round((float(value) - float(before)) * 100 / float(before), 1)
