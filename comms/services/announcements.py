"""What sockets hear of messages."""

import uuid
from typing import Any

from comms.models import Communication, MessageBatch
from contacts.models import Contact
from vocelio.realtime.publish import publish


def announce(message: Communication, event: str = "communication_updated") -> None:
    """Publish how a message stands to those who may see its contact."""
    owners: list[uuid.UUID | None] = [None]
    if message.contact_id:
        owners = list(Contact.objects.filter(pk=message.contact_id).values_list("assigned_to_id", flat=True))
    publish("communications", type=event, data=described(message), owners=owners)


def described(message: Communication) -> dict[str, Any]:
    return {
        "communicationId": str(message.pk),
        "contactId": str(message.contact_id) if message.contact_id else None,
        "channel": message.channel,
        "direction": message.direction,
        "status": message.status,
        "errorCode": message.error_code,
    }


def announce_batch(batch: MessageBatch) -> None:
    """Publish how a batch stands, with how many of its messages have each status."""
    counts = Communication.objects.tally(batch)
    publish(batch.event, key=str(batch.pk), type=batch.event, data={**batch.progress_event(), "messages": counts})
