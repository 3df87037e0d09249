"""When something happens again, by the rules of RFC 5545."""

import datetime
import re

from dateutil.rrule import rrulestr

from vocelio.errors import Invalid

# Of a rule's parts, those a person plans by; the finer ones would make thousands of occurrences a day.
FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
# How far ahead the next occurrence is looked for: a rule such as 30 February never comes.
HORIZON = datetime.timedelta(days=366 * 10)
MAX_INTERVAL = 1_000


def check_rule(rule: str, field: str = "recurrence") -> str:
    """Return the rule in its usual spelling; raise Invalid for what is none, or repeats within a day."""
    text = rule.strip().removeprefix("RRULE:").upper()
    pieces = [piece.partition("=") for piece in text.split(";")]
    parts = {name: value for name, _, value in pieces}
    is_known = set(parts) <= PARTS and len(parts) == len(pieces) and parts.get("FREQ") in FREQUENCIES
    numbers = [parts.get(name, "1") for name in ("INTERVAL", "COUNT")]
    is_small = all(re.fullmatch(r"\d{1,4}", number) and 1 <= int(number) <= MAX_INTERVAL for number in numbers)
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    if not is_known or not is_small or ("COUNT" in parts and "UNTIL" in parts):
        raise _bad(rule, field)
    try:
        rrulestr(_for_zone(text), dtstart=start)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError):
        raise _bad(rule, field) from None
    return text


def next_occurrence(rule: str, start: datetime.datetime, after: datetime.datetime) -> datetime.datetime | None:
    """Return the first moment of a series that began at `start` later than `after`; None when it has ended."""
    start, after = start.astimezone(datetime.UTC), after.astimezone(datetime.UTC)
    series = rrulestr(_for_zone(rule), dtstart=start)
    for moment in series.xafter(after, count=1):
        found: datetime.datetime = moment
        return found if found - after < HORIZON else None
    return None


def _for_zone(rule: str) -> str:
    """Give a date-only or local UNTIL the zone the series is counted in, which dateutil asks for."""

    def zoned(match: re.Match[str]) -> str:
        value = match[1]
        return f"UNTIL={value if 'T' in value else f'{value}T235959'}Z"

    return re.sub(r"UNTIL=(\d{8}(?:T\d{6})?)Z?", zoned, rule)


def _bad(rule: str, field: str) -> Invalid:
    return Invalid.field(
        field,
        "This is no recurrence rule; FREQ=WEEKLY;BYDAY=MO or FREQ=MONTHLY;COUNT=6, for example.",
        value=rule[:200],
        constraint="rrule",
    )
