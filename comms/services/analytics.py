"""What came of messages: by channel, by template and version, and whether one version did better than another."""

import math
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from comms.models import Communication, CommunicationTemplate, Direction, MessageStatus, TemplateVersion

COUNTS = {
    "sent": Q(sent_at__isnull=False) | Q(status=MessageStatus.SENT),
    "delivered": Q(delivered_at__isnull=False),
    "opened": Q(read_at__isnull=False),
    "clicked": Q(clicked_at__isnull=False),
    "replied": Q(replied_at__isnull=False),
    "unsubscribed": Q(unsubscribed_at__isnull=False),
    "failed": Q(status=MessageStatus.FAILED),
    "bounced": Q(status=MessageStatus.BOUNCED),
    "unknown": Q(status=MessageStatus.UNKNOWN),
    "cancelled": Q(status=MessageStatus.CANCELLED),
    "waiting": Q(status__in=[MessageStatus.QUEUED, MessageStatus.SENDING]),
}
COMPARED = ("replied", "clicked", "opened", "unsubscribed")
# Below this many in either group nothing is said: the approximation does not hold.
ENOUGH, ENOUGH_EVENTS = 30, 5


def channel_figures(*, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return for each channel what became of the messages made in a period, and how many came in."""
    rows = Communication.objects.filter(created_at__gte=since, created_at__lt=until)
    outbound = rows.filter(direction=Direction.OUTBOUND).order_by("channel").values("channel")
    found = outbound.annotate(total=Count("pk"), **{name: Count("pk", filter=rule) for name, rule in COUNTS.items()})
    received = dict(
        rows.filter(direction=Direction.INBOUND).order_by().values_list("channel").annotate(number=Count("pk"))
    )
    figures = [{**row, "received": received.pop(row["channel"], 0)} for row in found]
    empty = dict.fromkeys(["total", *COUNTS], 0)
    return figures + [{"channel": channel, **empty, "received": number} for channel, number in received.items()]


def template_figures(template: CommunicationTemplate) -> dict[str, Any]:
    """Return the counts of each version and what can honestly be said of the two that were sent most."""
    versions = TemplateVersion.objects.filter(template=template).order_by("number")
    rows = Communication.objects.filter(version__in=versions.values("pk")).order_by().values("version_id")
    counted = {
        row["version_id"]: row
        for row in rows.annotate(total=Count("pk"), **{name: Count("pk", filter=rule) for name, rule in COUNTS.items()})
    }
    empty = dict.fromkeys(["total", *COUNTS], 0)
    figures = [
        {
            "version": version.number,
            **empty,
            **{k: v for k, v in counted.get(version.pk, {}).items() if k != "version_id"},
        }
        for version in versions
    ]
    most = sorted(sorted(figures, key=lambda each: -each["sent"])[:2], key=lambda each: each["version"])
    tracked = {"clicked": template.track_clicks, "opened": template.track_opens or template.channel != "email"}
    measures = [name for name in COMPARED if tracked.get(name, True)]
    comparisons = (
        [compare(most[0], most[1], measure) for measure in measures] if len(most) == 2 and most[1]["sent"] else []
    )
    return {
        "versions": figures,
        "comparisons": comparisons,
        "opens_tracked": template.track_opens,
        "clicks_tracked": template.track_clicks,
    }


def compare(a: dict[str, Any], b: dict[str, Any], measure: str) -> dict[str, Any]:
    """Return the rates of two versions, the difference with its 95 % interval (Newcombe), and what may be said of it."""
    rates = [each[measure] / each["sent"] if each["sent"] else 0.0 for each in (a, b)]
    difference = rates[1] - rates[0]
    low, high = _interval(a[measure], a["sent"], b[measure], b["sent"])
    p_value = _p_value(a[measure], a["sent"], b[measure], b["sent"])
    return {
        "measure": measure,
        "a": {"version": a["version"], "sent": a["sent"], "count": a[measure], "rate": round(rates[0], 4)},
        "b": {"version": b["version"], "sent": b["sent"], "count": b[measure], "rate": round(rates[1], 4)},
        "difference": round(difference, 4),
        "interval": [round(low, 4), round(high, 4)],
        "pValue": None if p_value is None else round(p_value, 4),
        "note": _note(a, b, measure, difference, p_value),
    }


def _note(a: dict[str, Any], b: dict[str, Any], measure: str, difference: float, p_value: float | None) -> str:
    if p_value is None:
        return f"Too few messages to tell: at least {ENOUGH} of each version and {ENOUGH_EVENTS} {measure} in all."
    if p_value >= 0.05:
        return "No difference that could not be chance. More messages may show one, or that there is none."
    better = b["version"] if difference > 0 else a["version"]
    word = "more" if measure != "unsubscribed" else "more often"
    return (
        f"Version {better} was {measure} {word}; chance alone would do as much in {p_value:.1%} of cases. Look once, at a"
        " moment chosen before: whoever looks every day finds a difference sooner or later."
    )


def _wilson(count: int, number: int) -> tuple[float, float]:
    if not number:
        return 0.0, 1.0
    z, rate = 1.959964, count / number
    middle = (rate + z * z / (2 * number)) / (1 + z * z / number)
    half = z * math.sqrt(rate * (1 - rate) / number + z * z / (4 * number * number)) / (1 + z * z / number)
    return middle - half, middle + half


def _interval(count_a: int, number_a: int, count_b: int, number_b: int) -> tuple[float, float]:
    """Return Newcombe's interval of the difference, which holds for small and lopsided counts too."""
    (low_a, high_a), (low_b, high_b) = _wilson(count_a, number_a), _wilson(count_b, number_b)
    rate_a, rate_b = count_a / max(1, number_a), count_b / max(1, number_b)
    difference = rate_b - rate_a
    return (
        difference - math.sqrt((rate_b - low_b) ** 2 + (high_a - rate_a) ** 2),
        difference + math.sqrt((high_b - rate_b) ** 2 + (rate_a - low_a) ** 2),
    )


def _p_value(count_a: int, number_a: int, count_b: int, number_b: int) -> float | None:
    """Return the two-sided p-value of equal rates (pooled z test); None where that would say nothing."""
    total = count_a + count_b
    if min(number_a, number_b) < ENOUGH or total < ENOUGH_EVENTS or total > number_a + number_b - ENOUGH_EVENTS:
        return None
    pooled = total / (number_a + number_b)
    error = math.sqrt(pooled * (1 - pooled) * (1 / number_a + 1 / number_b))
    z = (count_b / number_b - count_a / number_a) / error
    return math.erfc(abs(z) / math.sqrt(2))
