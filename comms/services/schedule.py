"""When a person may be written to: the hours of the organization, by every clock the person may live by."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from comms.models import CommsSettings
from dnc.rules import area_of
from dnc.rules.areas import DIGITS
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Invalid

DAYS_AHEAD = 8


def read_settings() -> CommsSettings:
    """Return the organization's rules for messages, stored or the defaults."""
    found: CommsSettings | None = CommsSettings.objects.first()
    return found or CommsSettings()


def update_settings(**fields: object) -> CommsSettings:
    """Change the rules."""
    rules = CommsSettings.objects.select_for_update().first() or CommsSettings()
    for name, value in fields.items():
        setattr(rules, name, value)
    if rules.window_start >= rules.window_end:
        raise Invalid.field("windowEnd", "The window ends after it begins.", constraint="order")
    try:
        ZoneInfo(rules.time_zone)
    except (ValueError, OSError, KeyError):
        raise Invalid.field("timeZone", "There is no such time zone.", constraint="choice") from None
    rules.save()
    record(
        "comms_settings.updated", "commssettings", rules.pk, fields=sorted(fields), user=str(current_actor().user_id)
    )
    return read_settings()


def zones_of(phone: str, rules: CommsSettings) -> tuple[str, ...]:
    """Return the time zones a person may live in: those of the phone's area, else the organization's."""
    zones = area_of(phone[1 : DIGITS + 1]).zones if phone else ()
    return zones or (rules.time_zone,)


def next_open(zones: tuple[str, ...], rules: CommsSettings, at: datetime) -> datetime:
    """Return `at` where it is within the window by all these clocks, else the first moment after it that is."""
    common: list[tuple[datetime, datetime]] | None = None
    for name in zones:
        zone = ZoneInfo(name)
        today = at.astimezone(zone).date()
        spans = []
        for offset in range(-1, DAYS_AHEAD):
            day = today + timedelta(days=offset)
            if rules.window_weekends or day.weekday() < 5:
                # Aware local times: on the day on which the clocks change, the hours are still those of the clock.
                start, end = (
                    datetime.combine(day, hour, zone).astimezone(UTC) for hour in (rules.window_start, rules.window_end)
                )
                spans.append((start, end))
        if common is None:
            common = spans
        else:
            common = [(max(a, c), min(b, d)) for a, b in common for c, d in spans if max(a, c) < min(b, d)]
    for start, end in common or []:
        if at < end:
            return max(at, start)
    # Zones so far apart that no hour is within the window of all: look again tomorrow.
    return at + timedelta(days=1)
