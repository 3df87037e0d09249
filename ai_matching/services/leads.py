"""Score leads by factors that anybody can check: fit, engagement, recency, source and history in the pipeline."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q
from django.utils import timezone

from ai_matching.models import LeadScore, LeadScoreEntry
from sales.models import Activity, BuyingRole, Deal, DealContact, LeadStatus, SalesProfile
from vocelio.audit.services import record

RULES = "1"
# What each factor adds at most; together 100.
MOST = {"fit": 30, "engagement": 25, "recency": 20, "source": 10, "history": 15}
STEP = 500
# Engagement is what happened in so many days.
LATELY = timedelta(days=90)
SENIOR = (
    "chief",
    "ceo",
    "cfo",
    "cto",
    "coo",
    "founder",
    "owner",
    "president",
    "vp",
    "vice president",
    "director",
    "head",
)
MIDDLE = ("manager", "lead", "senior", "principal")
ROLES = {
    BuyingRole.DECISION_MAKER: 1.0,
    BuyingRole.ECONOMIC_BUYER: 1.0,
    BuyingRole.CHAMPION: 0.8,
    BuyingRole.INFLUENCER: 0.6,
    BuyingRole.USER: 0.4,
    BuyingRole.GATEKEEPER: 0.2,
    BuyingRole.BLOCKER: 0.0,
}
# A source counts as the average until so many of its deals were closed.
CAUTION = 5


@dataclass
class Facts:
    """What is known of a lead at a moment."""

    title: str = ""
    buying_role: str = ""
    has_budget: bool = False
    has_client: bool = False
    status: str = LeadStatus.NEW
    source: str = ""
    touches: int = 0
    last_touch: datetime | None = None
    won: int = 0
    lost: int = 0
    # Percent, of the furthest open deal.
    chance: int | None = None
    # {source: (won, closed)} of the organization.
    sources: dict[str, tuple[int, int]] = field(default_factory=dict)


def score_leads(profiles: Iterable[SalesProfile]) -> list[LeadScore]:
    """Score these leads now, keep the score and, where it changed, the history; return the scores."""
    rows = list(profiles)
    facts = facts_of(rows)
    before = {row.profile_id: row for row in LeadScore.objects.filter(profile_id__in=[row.pk for row in rows])}
    now = timezone.now()
    scores, changed = [], []
    for profile in rows:
        score, factors = judged(facts[profile.pk], now)
        known = before.get(profile.pk)
        if known is None or known.score != score or known.rules_version != RULES:
            changed.append(
                LeadScoreEntry(profile=profile, scored_at=now, score=score, factors=factors, rules_version=RULES)
            )
        scores.append(LeadScore(profile=profile, score=score, factors=factors, rules_version=RULES, scored_at=now))
    LeadScore.objects.bulk_create(
        scores,
        update_conflicts=True,
        unique_fields=["organization", "profile"],
        update_fields=["score", "factors", "rules_version", "scored_at"],
    )
    LeadScoreEntry.objects.bulk_create(changed)
    return list(LeadScore.objects.filter(profile_id__in=[row.pk for row in rows]).order_by("-score", "-id"))


def score_now(profiles: Iterable[SalesProfile]) -> list[LeadScore]:
    """Score the leads that a person asked for."""
    scores = score_leads(profiles)
    record("leads.scored", "leadscore", "", count=len(scores))
    return scores


def score_next(after: uuid.UUID | None) -> list[uuid.UUID]:
    """Score the next leads behind an id; return whose, none at the end."""
    rows = SalesProfile.objects.filter(contact__deleted_at__isnull=True, is_primary=True).order_by("id")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    profiles = list(rows.select_related("contact").defer("contact__search")[:STEP])
    score_leads(profiles)
    return [profile.pk for profile in profiles]


def score_contacts(contact_ids: Iterable[uuid.UUID]) -> None:
    """Score the leads of contacts that changed, if they were scored before."""
    rows = SalesProfile.objects.filter(
        contact_id__in=list(contact_ids)[:STEP], contact__deleted_at__isnull=True, is_primary=True
    )
    known = LeadScore.objects.filter(profile_id__in=rows.values("pk")).values("profile_id")
    profiles = list(rows.filter(pk__in=known).select_related("contact").defer("contact__search"))
    if profiles:
        score_leads(profiles)


def judged(facts: Facts, now: datetime) -> tuple[int, list[dict[str, Any]]]:
    """Return the score and what each factor adds to it, with the reason."""
    shares = {
        "fit": _fit(facts),
        "engagement": _engagement(facts),
        "recency": _recency(facts, now),
        "source": _source(facts),
        "history": _history(facts),
    }
    factors: list[dict[str, Any]] = [
        {"factor": name, "points": round(share * MOST[name], 1), "most": MOST[name], "reason": reason}
        for name, (share, reason) in shares.items()
    ]
    return round(sum(each["points"] for each in factors)), factors


def facts_of(profiles: list[SalesProfile], before: datetime | None = None) -> dict[uuid.UUID, Facts]:
    """Return what is known of each lead now, or was known before a moment; in a fixed number of queries."""
    until = before or timezone.now()
    contacts = [profile.contact_id for profile in profiles]
    touches = (
        Activity.objects.filter(contact_id__in=contacts, deleted_at__isnull=True, completed_at__lte=until)
        .order_by()
        .values("contact_id")
        .annotate(number=Count("pk", filter=Q(completed_at__gte=until - LATELY)), last=Max("completed_at"))
    )
    touched = {row["contact_id"]: (row["number"], row["last"]) for row in touches}
    deals = DealContact.objects.filter(
        contact_id__in=contacts, deal__deleted_at__isnull=True, deal__created_at__lt=until
    )
    history: dict[uuid.UUID, list[tuple[str, int, datetime | None]]] = {}
    for contact_id, status, chance, closed_at in deals.values_list(
        "contact_id", "deal__status", "deal__stage__probability", "deal__closed_at"
    ):
        history.setdefault(contact_id, []).append((status, chance, closed_at))
    sources = sources_before(until)
    result = {}
    for profile in profiles:
        contact = profile.contact
        number, last = touched.get(profile.contact_id, (0, None))
        if before is None and contact.last_contacted_at and (last is None or contact.last_contacted_at > last):
            last = contact.last_contacted_at
        own = history.get(profile.contact_id, [])
        closed = [(status, at) for status, _, at in own if at is not None and at < until]
        still_open = [chance for status, chance, at in own if at is None]
        result[profile.pk] = Facts(
            title=contact.title or profile.headline,
            buying_role=profile.buying_role,
            has_budget=profile.budget is not None,
            has_client=profile.client_id is not None or bool(contact.company),
            status=profile.lead_status if before is None else LeadStatus.NEW,
            source=profile.lead_source or contact.source,
            touches=number,
            last_touch=last,
            won=len([status for status, _ in closed if status == "won"]),
            lost=len([status for status, _ in closed if status == "lost"]),
            chance=max(still_open) if still_open and before is None else None,
            sources=sources,
        )
    return result


def sources_before(until: datetime) -> dict[str, tuple[int, int]]:
    """Return how many deals of each source were won, of those closed."""
    closed = Deal.objects.alive().filter(closed_at__lt=until).order_by().values("source")
    rows = closed.annotate(won=Count("pk", filter=Q(status="won")), closed=Count("pk"))
    return {row["source"]: (row["won"], row["closed"]) for row in rows}


def backtest() -> dict[str, Any]:
    """Score the first contact of past deals with what was known when each began; say how well that told won from lost.

    AUC is the chance that a won deal had the higher score than a lost one, .5 being none at all; lift is how much more
    often the best fifth was won than all were.
    """
    people = DealContact.objects.filter(is_primary=True, deal__deleted_at__isnull=True, deal__closed_at__isnull=False)
    past = list(
        people.select_related("deal")
        .order_by("-deal__closed_at", "-id")
        .only("contact_id", "deal__created_at", "deal__status")[:300]
    )
    profiles = {
        profile.contact_id: profile
        for profile in SalesProfile.objects.filter(contact_id__in=[each.contact_id for each in past], is_primary=True)
        .select_related("contact")
        .defer("contact__search")
    }
    scored: list[tuple[int, bool]] = []
    for each in past:
        profile = profiles.get(each.contact_id)
        if profile is not None:
            began = each.deal.created_at
            score, _ = judged(facts_of([profile], before=began)[profile.pk], began)
            scored.append((score, each.deal.status == "won"))
    return {"deals": len(scored), **_figures(scored)}


def leads_visible(principal: Any) -> Any:
    """Return the leads the caller may see, with their contacts."""
    return SalesProfile.visible(principal).filter(is_primary=True).select_related("contact").defer("contact__search")


def _figures(scored: list[tuple[int, bool]]) -> dict[str, Any]:
    won = [score for score, is_won in scored if is_won]
    lost = [score for score, is_won in scored if not is_won]
    if not won or not lost:
        return {"won": len(won), "auc": None, "lift": None}
    wins = sum((one > other) + 0.5 * (one == other) for one in won for other in lost)
    best = sorted(scored, key=lambda pair: -pair[0])[: max(1, len(scored) // 5)]
    rate = len(won) / len(scored)
    lift = sum(is_won for _, is_won in best) / len(best) / rate
    return {"won": len(won), "auc": round(wins / len(won) / len(lost), 3), "lift": round(lift, 2)}


def _fit(facts: Facts) -> tuple[float, str]:
    words = f" {facts.title.casefold()} "
    if facts.buying_role:
        role, told = ROLES[BuyingRole(facts.buying_role)], BuyingRole(facts.buying_role).label.lower()
    elif any(f" {word} " in words for word in SENIOR):
        role, told = 0.9, "senior title"
    elif any(f" {word} " in words for word in MIDDLE):
        role, told = 0.6, "title with some say"
    else:
        role, told = 0.3, "part in buying not known"
    share = 0.6 * role + 0.25 * facts.has_budget + 0.15 * facts.has_client
    budget = "budget known" if facts.has_budget else "no budget known"
    return share, f"{told}, {budget}"


def _engagement(facts: Facts) -> tuple[float, str]:
    word = "activity" if facts.touches == 1 else "activities"
    return min(1.0, facts.touches / 6), f"{facts.touches} {word} in 90 days"


def _recency(facts: Facts, now: datetime) -> tuple[float, str]:
    if facts.last_touch is None:
        return 0.0, "never contacted"
    days = max(0, (now - facts.last_touch).days)
    when = "today" if days == 0 else f"{days} {'day' if days == 1 else 'days'} ago"
    return max(0.0, 1 - days / 120), f"last contact {when}"


def _source(facts: Facts) -> tuple[float, str]:
    won = sum(pair[0] for pair in facts.sources.values())
    closed = sum(pair[1] for pair in facts.sources.values())
    if not closed:
        return 0.5, "no closed deals to judge sources by"
    average = won / closed
    own_won, own_closed = facts.sources.get(facts.source, (0, 0)) if facts.source else (0, 0)
    rate = (own_won + CAUTION * average) / (own_closed + CAUTION)
    named = facts.source or "no source"
    return (
        rate,
        f"{named}: {own_won} of {own_closed} closed deals won" if own_closed else f"{named}: no closed deals yet",
    )


def _history(facts: Facts) -> tuple[float, str]:
    if facts.status in (LeadStatus.LOST, LeadStatus.UNQUALIFIED):
        return 0.0, f"lead is {LeadStatus(facts.status).label.lower()}"
    if facts.chance is not None:
        return max(facts.chance / 100, 0.4), f"open deal with a chance of {facts.chance} %"
    if facts.won or facts.lost:
        return (facts.won + 1) / (
            facts.won + facts.lost + 2
        ), f"{facts.won} {'deal' if facts.won == 1 else 'deals'} won, {facts.lost} lost"
    return (0.7, "qualified") if facts.status == LeadStatus.QUALIFIED else (0.4, "no deals yet")
