"""A person's calendar, which other programs subscribe to (RFC 5545), behind a secret address."""

import datetime
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from sales.models import Activity, CalendarFeed
from vocelio.access.principal import Principal, principal_of_member
from vocelio.audit.services import record
from vocelio.errors import NotFound
from vocelio.ical import entries, folded, moment, text
from vocelio.organizations.scope import organization_scope
from vocelio.users.tokens import hash_secret, make_secret

KEPT_DAYS = 90
MOST_EVENTS = 2_000
DEFAULT_MINUTES = 30


def make_feed(*, user_id: uuid.UUID) -> tuple[CalendarFeed, str]:
    """Return the person's feed and its new secret token; an address given out before answers no more."""
    secret, token_hash = make_secret()
    feed, _ = CalendarFeed.objects.update_or_create(
        user_id=user_id, defaults={"token_hash": token_hash, "last_read_at": None}
    )
    record("calendar.shared", "calendarfeed", feed.pk)
    return feed, f"{feed.organization_id}.{secret}"


def revoke_feed(*, user_id: uuid.UUID) -> None:
    """End the person's feed; raise NotFound when there is none."""
    feed = CalendarFeed.objects.filter(user_id=user_id).first()
    if feed is None:
        raise NotFound
    feed_id = feed.pk
    feed.delete()
    record("calendar.revoked", "calendarfeed", feed_id)


def read_feed(token: str) -> str:
    """Return the calendar behind a token; raise NotFound for one that was revoked, or whose person has left."""
    organization_id, _, secret = token.partition(".")
    try:
        organization = uuid.UUID(organization_id)
    except ValueError:
        raise NotFound from None
    with organization_scope(organization):
        feed = CalendarFeed.objects.filter(token_hash=hash_secret(secret)).first()
        principal = principal_of_member(feed.user_id, organization) if feed else None
        if feed is None or principal is None:
            raise NotFound
        CalendarFeed.objects.filter(pk=feed.pk).update(last_read_at=Now())
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Vocelio//Calendar//EN", "X-WR-CALNAME:Vocelio"]
        lines += entries(principal, timezone.now() - datetime.timedelta(days=KEPT_DAYS))
        return folded([*lines, "END:VCALENDAR"])


def activity_entries(principal: Principal, since: datetime.datetime) -> Iterator[str]:
    """Yield a person's activities that are due after a time, as lines of their calendar."""
    mine = Activity.objects.alive().visible_to(principal).filter(assigned_to_id=principal.user_id, due_at__gte=since)
    for activity in mine.select_related("contact", "client", "deal").order_by("due_at")[:MOST_EVENTS]:
        yield from _event(activity)


def _event(activity: Activity) -> list[str]:
    start = activity.due_at
    assert start is not None  # noqa: S101 - the query asks for it
    end = start + datetime.timedelta(minutes=activity.duration_minutes or DEFAULT_MINUTES)
    about = [str(each) for each in (activity.contact, activity.client, activity.deal) if each]
    summary = f"{activity.get_kind_display()}: {activity.subject}"
    lines = [
        "BEGIN:VEVENT",
        f"UID:{activity.pk}@vocelio",
        f"DTSTAMP:{moment(activity.updated_at)}",
        f"DTSTART:{moment(start)}",
        f"DTEND:{moment(end)}",
        f"SUMMARY:{text(('✓ ' if activity.completed_at else '') + summary)}",
        f"DESCRIPTION:{text(chr(10).join([*about, activity.notes]).strip())}",
        f"URL:{settings.FRONTEND_URL}",
    ]
    if activity.location:
        lines.append(f"LOCATION:{text(activity.location)}")
    # A rule with COUNT counts from the first of the series, of which this one may be a later.
    if activity.recurrence and activity.completed_at is None and "COUNT=" not in activity.recurrence:
        lines.append(f"RRULE:{activity.recurrence}")
    if activity.remind_minutes is not None and activity.completed_at is None:
        lines += ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{text(activity.subject)}"]
        lines += [f"TRIGGER:-PT{activity.remind_minutes}M", "END:VALARM"]
    return [*lines, "END:VEVENT"]
