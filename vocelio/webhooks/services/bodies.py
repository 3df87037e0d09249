"""What a webhook event says, made once; a record that cannot be shown is tried again when it is to be sent."""

from vocelio.realtime.models import Event
from vocelio.webhooks.events import EventType, all_types
from vocelio.webhooks.models import WebhookEvent
from vocelio.webhooks.payloads import body_if_shown, ids_in

NOT_SHOWN = "The record of the event could not be shown; the log of the workers says why."


def fill(told: WebhookEvent, event_type: EventType, event: Event) -> None:
    """Set the body, empty where the record cannot be shown, and who is in it."""
    told.body = body_if_shown(
        event_type, event_id=told.pk, sequence=event.sequence, happened_at=event.created_at, data=event.data
    )
    told.record_ids = ids_in(told.body or str(event.data))


def refill(told: WebhookEvent) -> bool:
    """Try again to make a body that is missing; say whether there is one now."""
    event = Event.objects.filter(sequence=told.sequence).first()
    event_type = next((each for each in all_types() if each.name == told.type), None)
    if event is None or event_type is None:
        return False
    fill(told, event_type, event)
    told.save(update_fields=["body", "record_ids"])
    return bool(told.body)
