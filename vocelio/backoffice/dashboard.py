"""The first page: figures and charts of the apps, what runs, what was done last."""

import json
from dataclasses import replace
from typing import Any

from django.http import HttpRequest

from vocelio.audit.models import AuditEntry
from vocelio.backoffice.cards import Card, Chart
from vocelio.backoffice.chosen import principal_of
from vocelio.backoffice.discovery import modules_named
from vocelio.backoffice.jobs import latest_jobs
from vocelio.backoffice.people import with_email
from vocelio.languages.translate import translated


def dashboard(request: HttpRequest) -> dict[str, Any]:
    """Return what the dashboard's template shows; nothing while no organization is chosen."""
    principal = principal_of(request)
    if principal is None or not request.resolver_match or request.resolver_match.url_name != "index":
        return {}
    cards: list[Card] = []
    charts: list[dict[str, str]] = []
    for module in modules_named("dashboard"):
        if hasattr(module, "cards"):
            cards += [
                replace(card, title=translated(card.title), note=translated(card.note))
                for card in module.cards(principal)
            ]
        if hasattr(module, "chart"):
            charts.append(drawn(module.chart(principal)))
    return {
        "cards": cards,
        "charts": charts,
        "jobs": latest_jobs(limit=6),
        "entries": with_email(AuditEntry.objects.order_by("-created_at", "-id"))[:10],
    }


def drawn(chart: Chart) -> dict[str, str]:
    """Return the chart as unfold's component takes it."""
    bars = {
        "data": chart.values,
        "backgroundColor": "var(--color-primary-600)",
        "displayYAxis": True,
        "maxTicksXLimit": 10,
        "maxBarThickness": 14,
    }
    return {"title": translated(chart.title), "data": json.dumps({"labels": chart.labels, "datasets": [bars]})}
