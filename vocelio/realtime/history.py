"""The events as PostgreSQL keeps them: what hubs and clients that missed something read."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypedDict

from django.conf import settings
from django.db import connection
from django.utils import timezone

from vocelio.errors import VocelioError
from vocelio.organizations.retention import kept_by_organization
from vocelio.organizations.scope import current_organization_id, organization_scope
from vocelio.realtime.models import Event, EventHead
from vocelio.realtime.topics import all_topics
from vocelio.realtime.viewers import Viewer

PURGE_BATCH = 5000
DAY = timedelta(days=1)


class Frame(TypedDict):
    """What a client receives."""

    type: str
    data: dict[str, Any]
    sequence: int


class Message(TypedDict):
    """An event as processes pass it on; `topic`, `key` and `owners` route it, the frame alone is sent."""

    topic: str
    key: str
    owners: list[str] | None
    frame: Frame


def message_of(event: Event) -> Message:
    return {
        "topic": event.topic,
        "key": event.key,
        "owners": owners_of(event),
        "frame": {"type": event.type, "data": event.data, "sequence": event.sequence},
    }


def owners_of(event: Event) -> list[str] | None:
    return None if event.owners is None else [str(owner) for owner in event.owners]


def heads_of(organization_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the number of each organization's latest committed event."""
    heads = EventHead.objects.filter(organization_id__in=organization_ids)
    return dict(heads.values_list("organization_id", "sequence"))


def messages_after(organization_id: uuid.UUID, sequence: int, limit: int) -> list[Message]:
    """Return the events that follow, oldest first."""
    with organization_scope(organization_id):
        return [message_of(event) for event in Event.objects.filter(sequence__gt=sequence).order_by("sequence")[:limit]]


def purge_events() -> int:
    """Remove events past their time, oldest numbers first so that no gap arises; return how many were deleted singly.

    Days that nobody keeps any more go as a whole, a day late at the most; what an organization keeps for less than
    others, or has of days that were never parted, is deleted row by row.
    """
    kept = {key: value for key, value in kept_by_organization("events").items() if value is not None}
    longest = max(kept.values(), default=settings.RETENTION["events"])
    # An organization's numbers rise with the time they were drawn, so that a day is a range of them.
    with connection.cursor() as cursor:
        cursor.execute("SELECT drop_partitions_of_events(%s)", [timezone.now() - longest])
    purged = 0
    for organization_id, value in kept.items():
        before = timezone.now() - (value if value < longest else longest + DAY)
        count = PURGE_BATCH
        while count == PURGE_BATCH:
            with organization_scope(organization_id):
                count = _purge_batch(organization_id, before)
            purged += count
    return purged


def _purge_batch(organization_id: uuid.UUID, before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM events WHERE organization_id = %s AND sequence < (
                SELECT coalesce(min(sequence) FILTER (WHERE created_at >= %s), max(sequence) + 1)
                FROM (
                    SELECT sequence, created_at FROM events WHERE organization_id = %s ORDER BY sequence LIMIT %s
                ) oldest
            )
            """,
            [organization_id, before, organization_id, PURGE_BATCH],
        )
        return int(cursor.rowcount)


class EventsGone(VocelioError):
    """The caller cannot catch up event by event, as the past it asks for is not kept or is not this one's."""

    code = "EVENTS_GONE"
    status = 410
    message = "Events after this number are not kept; read the data anew, then follow from details.sequence."


def events_after(viewer: Viewer, sequence: int | None, limit: int) -> tuple[list[Event], int, bool]:
    """Return what the viewer may see of the next `limit` events, where to go on, and whether more follow.

    None begins with the oldest event kept. Raise EventsGone when events after the number are missing.
    """
    head = EventHead.objects.filter(organization_id=current_organization_id()).values_list("sequence", flat=True)
    latest = head.first() or 0
    oldest = Event.objects.order_by("sequence").values_list("sequence", flat=True).first()
    before_oldest = latest if oldest is None else oldest - 1
    if sequence is None:
        sequence = before_oldest
    elif not before_oldest <= sequence <= latest:
        raise EventsGone(sequence=latest)
    topics = {topic.name: topic for topic in all_topics() if viewer.principal.may(topic.permission)}
    events = list(Event.objects.filter(topic__in=topics, sequence__gt=sequence).order_by("sequence")[:limit])
    visible = [event for event in events if topics[event.topic].shown_to(viewer, owners_of(event))]
    return visible, events[-1].sequence if events else sequence, len(events) == limit
