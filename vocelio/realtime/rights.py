"""rights_changed(): have sockets look again at what their people may see. The channel layer carries it."""

import logging
import uuid

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

logger = logging.getLogger(__name__)

# Every web process has one channel in this group.
GROUP = "rights"


def rights_changed(*, user_id: uuid.UUID | None = None, organization_id: uuid.UUID | None = None) -> None:
    """Once the open transaction commits, recheck the sockets of this person, organization, or person in it.

    Call it wherever a session ends, a person is disabled, or a role, team or membership changes. The message is
    a hint without content: each socket reads the tables, and does so every minute anyway.
    """
    message = {
        "type": "rights.changed",
        "userId": str(user_id) if user_id else None,
        "organizationId": str(organization_id) if organization_id else None,
    }
    transaction.on_commit(lambda: _send(message))


def _send(message: dict[str, str | None]) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(GROUP, message)
    except (redis.RedisError, OSError) as error:
        logger.warning("Sockets notice changed rights within a minute only", extra={"error": str(error)})
