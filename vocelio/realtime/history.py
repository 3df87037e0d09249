"""The events as PostgreSQL keeps them: what hubs and clients that missed something read."""

import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Any, TypedDict

from django.db import connection

from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event, EventHead

RETENTION = timedelta(days=7)
PURGE_BATCH = 5000


class Frame(TypedDict):
    """What a client receives."""

    type: str
    data: dict[str, Any]
    sequence: int


class Message(TypedDict):
    """An event as processes pass it on; `topic`, `key` and `owners` route it, the frame alone is sent."""

    topic: str
    key: str
    owners: list[str]
    frame: Frame


def message_of(event: Event) -> Message:
    return {
        "topic": event.topic,
        "key": event.key,
        "owners": [str(owner) for owner in event.owners],
        "frame": {"type": event.type, "data": event.data, "sequence": event.sequence},
    }


def heads_of(organization_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the number of each organization's latest committed event."""
    heads = EventHead.objects.filter(organization_id__in=organization_ids)
    return dict(heads.values_list("organization_id", "sequence"))


def messages_after(organization_id: uuid.UUID, sequence: int, limit: int) -> list[Message]:
    """Return the events that follow, oldest first."""
    with organization_scope(organization_id):
        return [message_of(event) for event in Event.objects.filter(sequence__gt=sequence).order_by("sequence")[:limit]]


def purge_events() -> int:
    """Delete events past the retention, oldest numbers first so that no gap arises; return how many."""
    purged = 0
    for organization_id in Organization.objects.values_list("id", flat=True):
        count = PURGE_BATCH
        while count == PURGE_BATCH:
            with organization_scope(organization_id):
                count = _purge_batch(organization_id)
            purged += count
    return purged


def _purge_batch(organization_id: uuid.UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM events WHERE organization_id = %s AND sequence < (
                SELECT coalesce(min(sequence) FILTER (WHERE created_at >= now() - %s), max(sequence) + 1)
                FROM (
                    SELECT sequence, created_at FROM events WHERE organization_id = %s ORDER BY sequence LIMIT %s
                ) oldest
            )
            """,
            [organization_id, RETENTION, organization_id, PURGE_BATCH],
        )
        return cursor.rowcount


def oldest_kept() -> int | None:
    """Return the lowest sequence of the open scope's organization that is still kept."""
    return Event.objects.order_by("sequence").values_list("sequence", flat=True).first()
