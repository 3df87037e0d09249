"""How the kinds of profiles overlap in an organization."""

from typing import Any

from django.db.models import Count, F, Func, TextField, Value
from django.db.models.functions import TruncMonth

from contacts.models import ContactInsight, ProfileSummary
from vocelio.access.principal import Principal

MONTHS = 12


def dual_analytics(*, principal: Principal) -> dict[str, Any]:
    """Count contacts by kinds and states of their profiles, how many became dual a month, and insights by code."""
    summaries = ProfileSummary.objects.get_queryset().visible_to(principal).order_by()
    by_kind = summaries.values(text=Func("kinds", Value(" + "), function="array_to_string", output_field=TextField()))
    kinds = list(by_kind.annotate(number=Count("id")).order_by("-number", "text").values_list("text", "number"))
    dual = summaries.dual()
    states = (
        dual.values(sales=F("primaries__sales__state"), candidate=F("primaries__candidate__state"))
        .annotate(number=Count("id"))
        .order_by("-number", "sales", "candidate")
    )
    months = (
        dual.annotate(month=TruncMonth("dual_since"))
        .values("month")
        .annotate(number=Count("id"))
        .order_by("-month")
        .values_list("month", "number")[:MONTHS]
    )
    insights = (
        ContactInsight.objects.get_queryset()
        .visible_to(principal)
        .order_by()
        .values("code")
        .annotate(number=Count("id"))
        .order_by("-number", "code")
        .values_list("code", "number")
    )
    total, number_dual = sum(number for _, number in kinds), dual.count()
    return {
        "contacts": total,
        "dual": number_dual,
        "dual_share": round(number_dual / total, 4) if total else 0.0,
        "kinds": [{"value": text, "count": number} for text, number in kinds],
        "states": [
            {"sales": row["sales"] or "", "candidate": row["candidate"] or "", "count": row["number"]} for row in states
        ],
        "became_dual": [{"month": f"{month:%Y-%m}", "count": number} for month, number in reversed(months)],
        "insights": [{"value": code, "count": number} for code, number in insights],
    }
