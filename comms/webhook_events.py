"""What webhooks tell of messages."""

from collections.abc import Callable

from comms.models import MessageStatus
from contacts.webhook_events import counts, is_over
from vocelio.webhooks.events import Data, EventType, Shown, register

MESSAGE = Shown("communication", "communicationId", "comms.views.communications.CommunicationViewSet")
ID = "00000000-0000-0000-0000-000000000000"


def became(status: MessageStatus) -> Callable[[Data], bool]:
    return lambda data: bool(data["status"] == status)


for status, summary in (
    (MessageStatus.SENT, "A message was handed to the mail server or provider; not told of those of a batch."),
    (MessageStatus.DELIVERED, "A message has arrived."),
    (MessageStatus.READ, "A message was opened or read."),
    (MessageStatus.REPLIED, "Somebody answered a message."),
    (MessageStatus.BOUNCED, "A message came back."),
    (MessageStatus.FAILED, "A message could not be sent."),
):
    register(
        EventType(
            f"message.{status}",
            summary,
            topic="communications",
            on="communication_updated",
            shows=MESSAGE,
            when=became(status),
            example={
                "communicationId": ID,
                "contactId": ID,
                "channel": "email",
                "direction": "outbound",
                "status": str(status),
                "errorCode": "",
            },
        )
    )
register(
    EventType(
        "message.received",
        "Somebody wrote to the organization.",
        topic="communications",
        on="communication_received",
        shows=MESSAGE,
        example={
            "communicationId": ID,
            "contactId": ID,
            "channel": "whatsapp",
            "direction": "inbound",
            "status": "received",
            "errorCode": "",
        },
    )
)
register(
    EventType(
        "batch.finished",
        "A batch of messages is queued whole, or was stopped.",
        topic="batch_progress",
        on="batch_progress",
        when=is_over,
        shape=counts,
        example={"jobId": ID, "status": "completed", "processed": 100, "total": 100},
    )
)
