"""What models were used for, what it cost, and whether the month's budget allows more."""

from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from ai_matching.models import AiSettings, AiUsage
from vocelio.db.ids import uuid7
from vocelio.organizations.scope import current_organization_id

ADD = """
INSERT INTO ai_usage (id, organization_id, day, purpose, provider, model, requests, texts, tokens, cost)
VALUES (%s, %s, current_date, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (organization_id, day, purpose, provider, model) DO UPDATE SET
    requests = ai_usage.requests + excluded.requests, texts = ai_usage.texts + excluded.texts,
    tokens = ai_usage.tokens + excluded.tokens, cost = ai_usage.cost + excluded.cost
"""
MILLION = Decimal(1_000_000)


def add_usage(
    *, purpose: str, provider: str, model: str, requests: int, texts: int, tokens: int, cost: Decimal
) -> None:
    """Add to the day's counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            ADD, [uuid7(), current_organization_id(), purpose, provider, model, requests, texts, tokens, cost]
        )


def spent_this_month() -> Decimal:
    """Return what the open organization has spent in this calendar month (UTC), in US dollars."""
    first = timezone.now().date().replace(day=1)
    cost: Decimal | None = AiUsage.objects.filter(day__gte=first).aggregate(cost=Sum("cost"))["cost"]
    return cost or Decimal(0)


def budget_left(settings: AiSettings) -> Decimal:
    return Decimal(max(Decimal(0), Decimal(settings.monthly_budget) - spent_this_month()))


def usage(days: Any) -> list[dict[str, Any]]:
    """Return the counts of some days by purpose, provider and model."""
    rows = AiUsage.objects.filter(day__range=days).values("purpose", "provider", "model")
    return list(
        rows.annotate(requests=Sum("requests"), texts=Sum("texts"), tokens=Sum("tokens"), cost=Sum("cost")).order_by(
            "purpose", "provider", "model"
        )
    )
