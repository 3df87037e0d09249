"""When a number may be called: the hours of its jurisdiction, at every clock its area code may live by."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dnc.rules.areas import Area
from dnc.rules.book import Rule, RuleBook, rule_book

# A holiday on a long weekend, and a day to spare.
DAYS_AHEAD = 8


@dataclass(frozen=True)
class Window:
    """Whether one may call now, until when, or from when. Without a window nobody knows, so nobody may."""

    is_open: bool
    opens_at: datetime | None
    closes_at: datetime | None
    zones: tuple[str, ...]
    rule: str

    def seconds_until_open(self, at: datetime) -> int | None:
        """Return 0 while it is open, None when it is not known to open."""
        if self.is_open:
            return 0
        return None if self.opens_at is None else max(0, round((self.opens_at - at).total_seconds()))

    def seconds_left(self, at: datetime) -> int | None:
        """Return how long it is still open; None while it is not."""
        return round((self.closes_at - at).total_seconds()) if self.is_open and self.closes_at else None


@lru_cache(maxsize=4096)
def _intervals(area: Area, day: date) -> tuple[tuple[tuple[datetime, datetime], ...], str]:
    """Return the spans around a day, in UTC, in which every zone of the area is within its hours."""
    rule = rule_book(day).rule("hours", area.jurisdictions)
    if rule is None or not area.zones:
        return (), ""
    common: list[tuple[datetime, datetime]] | None = None
    for name in area.zones:
        zone = ZoneInfo(name)
        spans = []
        for offset in range(-1, DAYS_AHEAD + 1):
            local = day + timedelta(days=offset)
            book = rule_book(local)
            held = book.rule("hours", area.jurisdictions)
            hours = hours_of(held, book, area, local) if held else None
            if hours:
                # Aware local times, so that the day on which the clocks change has its own length.
                spans.append(tuple(datetime.combine(local, hour, zone).astimezone(UTC) for hour in hours))
        common = (
            spans
            if common is None
            else [  # type: ignore[assignment]
                (max(a, c), min(b, d)) for a, b in common for c, d in spans if max(a, c) < min(b, d)
            ]
        )
    return tuple(sorted(common or ())), rule.id


def hours_of(rule: Rule, book: RuleBook, area: Area, day: date) -> tuple[time, time] | None:
    """Return the first and last moment of a local day; None when there is no calling on it."""
    if not rule.value["holidays"] and holiday_on(book, area, day):
        return None
    name = {5: "saturday", 6: "sunday"}.get(day.weekday(), "weekdays")
    span = rule.value[name]
    return (time.fromisoformat(span[0]), time.fromisoformat(span[1])) if span else None


def holiday_on(book: RuleBook, area: Area, day: date) -> str:
    """Return the name of the legal holiday; blank when it is none."""
    for rule in book.rules("holiday", area.jurisdictions):
        value = rule.value
        if value["month"] == day.month and (
            value.get("day") == day.day or ("nth" in value and is_nth_weekday(day, value["weekday"], value["nth"]))
        ):
            return str(value["name"])
    return ""


def is_nth_weekday(day: date, weekday: int, nth: int) -> bool:
    """Say whether the day is the nth such weekday of its month; the last one for -1."""
    if day.weekday() != weekday:
        return False
    return (day + timedelta(days=7)).month != day.month if nth == -1 else (day.day - 1) // 7 + 1 == nth


def calling_window(area: Area, at: datetime) -> Window:
    """Return the window that is open at that moment, or the next one."""
    intervals, rule = _intervals(area, at.astimezone(UTC).date())
    for opens_at, closes_at in intervals:
        if at < closes_at:
            return Window(opens_at <= at, opens_at, closes_at, area.zones, rule)
    return Window(False, None, None, area.zones, rule)


def add_business_days(book_of: date, area: Area, days: int) -> date:
    """Return the day so many business days later: no Saturdays, Sundays or legal holidays."""
    day = book_of
    while days:
        day += timedelta(days=1)
        if day.weekday() < 5 and not holiday_on(rule_book(day), area, day):
            days -= 1
    return day
