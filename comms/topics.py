"""What sockets may follow of messages."""

import uuid
from collections.abc import Mapping
from typing import Any

from comms.models import MessageBatch
from vocelio.jobs.shapes import progress
from vocelio.realtime.shapes import ID, NUMBER, OPTIONAL_ID, TEXT, shape
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer


def of_contact(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "contactId" not in filters or filters["contactId"] == data.get("contactId")


def batch_exists(viewer: Viewer, batch_id: uuid.UUID) -> bool:
    return bool(MessageBatch.objects.filter(pk=batch_id).exists())


MESSAGE = shape(communicationId=ID, contactId=OPTIONAL_ID, channel=TEXT, direction=TEXT, status=TEXT, errorCode=TEXT)

register(
    Topic(
        "communications",
        "Messages and what becomes of them.",
        permission="messages:read",
        owned=True,
        filters=("contactId",),
        matches=of_contact,
        events={f"communication_{what}": MESSAGE for what in ("created", "updated", "received")},
    )
)
register(
    Topic(
        "batch_progress",
        "A batch of messages, with how many of them have each status.",
        permission="messages:bulk",
        key="batchId",
        exists=batch_exists,
        events={"batch_progress": progress(batchId=ID, state=TEXT, queued=NUMBER, skipped=NUMBER)},
    )
)
