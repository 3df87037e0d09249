"""publish(): announce a fact to the sockets that follow it, once its transaction has committed."""

import logging
import uuid
from collections.abc import Iterable
from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import connection, transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from vocelio.organizations.scope import Scope, current_scope
from vocelio.realtime.history import message_of
from vocelio.realtime.models import Event
from vocelio.realtime.signals import events_committed

logger = logging.getLogger(__name__)
# Without retries: whoever committed does not wait for a Redis that is away, hubs look into the table meanwhile.
_redis = redis.Redis.from_url(
    settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
)


def publish(
    topic: str, *, type: str, data: dict[str, Any], key: str = "", owners: Iterable[uuid.UUID | None] | None = None
) -> None:
    """Note an event of the open scope. It is stored with the work and pushed after the commit.

    `owners` are the users responsible for the records before and after the change: agents limited to their team
    receive the event when one of them is of the team, or None, since nobody's records are everybody's. Without
    owners they receive it on topics that are not `owned`.

    Numbers rise without gaps in the order of commits, since they are drawn as the last act of the
    transaction under a lock on the organization's head.
    """
    scope = current_scope()
    if "events" not in scope.notes:
        scope.notes["events"] = []
        scope.before_commit.append(lambda: _store(scope))
    if owners is not None:
        owners = set(owners)
        owners = [] if None in owners else owners
    scope.notes["events"].append(
        Event(
            organization_id=scope.organization_id,
            topic=topic,
            key=key,
            type=type,
            data=data,
            owners=None if owners is None else list(owners),
        )
    )


def redis_channel(organization_id: object) -> str:
    """Return the Redis channel that carries an organization's events."""
    return f"{settings.REDIS_NAMESPACE}:events:{organization_id}"


def _store(scope: Scope) -> None:
    events: list[Any] = scope.notes["events"]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO event_heads (organization_id, sequence) VALUES (%s, %s)"
            " ON CONFLICT (organization_id) DO UPDATE SET sequence = event_heads.sequence + excluded.sequence"
            " RETURNING sequence",
            [scope.organization_id, len(events)],
        )
        last = cursor.fetchone()[0]
    for sequence, event in enumerate(events, last - len(events) + 1):
        event.sequence = sequence
    Event.objects.bulk_create(events)
    transaction.on_commit(lambda: _push(events))


def _push(events: list[Event]) -> None:
    """Send committed events to every web process; hubs read what they miss from the table."""
    channel = redis_channel(events[0].organization_id)
    try:
        pipeline = _redis.pipeline(transaction=False)
        for event in events:
            pipeline.publish(channel, orjson.dumps(message_of(event)))
        pipeline.execute()
    except redis.RedisError as error:
        logger.warning("Events stored but not pushed", extra={"error": str(error)})
        return
    events_committed.send(sender=Event, organization_id=events[0].organization_id)
