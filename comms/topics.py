"""What sockets may follow of messages."""

import uuid
from collections.abc import Mapping
from typing import Any

from comms.models import MessageBatch
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer


def of_contact(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "contactId" not in filters or filters["contactId"] == data.get("contactId")


def batch_exists(viewer: Viewer, batch_id: uuid.UUID) -> bool:
    return bool(MessageBatch.objects.filter(pk=batch_id).exists())


register(Topic("communications", permission="messages:read", owned=True, filters=("contactId",), matches=of_contact))
register(Topic("batch_progress", permission="messages:bulk", key="batchId", exists=batch_exists))
