"""Turn the events of publish() into deliveries: each event once, in the order of commits, however often this is called.

Events are numbered without gaps, so a cursor says what has been told. It moves in the transaction that stores the
deliveries: nothing is lost or told twice when a worker dies in between.
"""

import uuid

from django.db import connection

from vocelio.db.ids import uuid7
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event, EventHead
from vocelio.webhooks.events import EventType, all_types, is_wanted
from vocelio.webhooks.models import WebhookCursor, WebhookDelivery, WebhookEndpoint, WebhookEvent
from vocelio.webhooks.services.bodies import NOT_SHOWN, fill
from vocelio.webhooks.services.doorbells import promise_deliveries
from vocelio.webhooks.services.endpoints import hint

BATCH = 200


def organizations_behind() -> list[uuid.UUID]:
    """Return the organizations that have events to tell."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id FROM webhook_cursors JOIN event_heads USING (organization_id)"
            " WHERE event_heads.sequence > webhook_cursors.sequence"
        )
        return [row[0] for row in cursor.fetchall()]


def fan_out(organization_id: uuid.UUID) -> int:
    """Store the deliveries of all events so far; return how many. Nothing while another worker is at it."""
    made = 0
    while True:
        with organization_scope(organization_id):
            number, goes_on = _fan_out_batch(organization_id)
        made += number
        if not goes_on:
            return made


def _fan_out_batch(organization_id: uuid.UUID) -> tuple[int, bool]:
    cursors = WebhookCursor.objects.select_for_update(skip_locked=True)
    cursor = cursors.filter(organization_id=organization_id).first()
    if cursor is None:
        return 0, False
    hint(organization_id, listens=True)
    head = EventHead.objects.filter(organization_id=organization_id).values_list("sequence", flat=True).first() or 0
    topics = {event_type.topic for event_type in all_types()}
    # What was committed after the head was read is for the next time.
    after = Event.objects.filter(sequence__gt=cursor.sequence, sequence__lte=head, topic__in=topics)
    events = list(after.order_by("sequence")[:BATCH])
    # Endpoints that change meanwhile wait: so do the ends of runs that find nothing more to send (sending.py).
    endpoints = list(WebhookEndpoint.objects.select_for_update(no_key=True).filter(is_enabled=True).order_by("pk"))
    deliveries: list[WebhookDelivery] = []
    for event in events:
        for event_type in all_types():
            if event_type.tells_of(event.topic, event.type, event.data):
                listeners = [each for each in endpoints if _wants(each, event_type, event.sequence)]
                deliveries += _store(event_type, event, listeners) if listeners else []
    for endpoint_id in {delivery.endpoint_id for delivery in deliveries}:
        promise_deliveries(endpoint_id)
    goes_on = len(events) == BATCH
    cursor.sequence = events[-1].sequence if goes_on else head
    cursor.save(update_fields=["sequence"])
    return len(deliveries), goes_on


def _wants(endpoint: WebhookEndpoint, event_type: EventType, sequence: int) -> bool:
    return sequence > endpoint.since and is_wanted(event_type.name, endpoint.events)


def _store(event_type: EventType, event: Event, listeners: list[WebhookEndpoint]) -> list[WebhookDelivery]:
    event_id = uuid7()
    told = WebhookEvent(id=event_id, type=event_type.name, sequence=event.sequence)
    fill(told, event_type, event)
    told.save(force_insert=True)
    # What cannot be shown is set aside: sending tries it again, with the waits of a delivery that fails.
    error = "" if told.body else NOT_SHOWN
    made: list[WebhookDelivery] = WebhookDelivery.objects.bulk_create(
        [WebhookDelivery(event=told, endpoint=endpoint, error=error) for endpoint in listeners]
    )
    return made
