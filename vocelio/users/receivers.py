"""Tells the socket hubs of all processes, through Redis, whose right to listen ended or changed."""

import logging
import uuid
from typing import Any

import orjson
import redis
from django.conf import settings
from django.dispatch import receiver

from vocelio.users.signals import access_changed, session_ended

logger = logging.getLogger(__name__)

CHANNEL = "vocelio:sessions:ended"
_redis = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


@receiver(session_ended)
def tell_sessions(session_ids: list[uuid.UUID], user_id: uuid.UUID, **kwargs: Any) -> None:
    _publish({"sessionIds": session_ids, "userId": user_id})


@receiver(access_changed)
def tell_access(user_id: uuid.UUID, organization_id: uuid.UUID, **kwargs: Any) -> None:
    _publish({"userId": user_id, "organizationId": organization_id})


def _publish(message: dict[str, Any]) -> None:
    try:
        _redis.publish(CHANNEL, orjson.dumps(message))
    except redis.RedisError as error:
        logger.warning("Sockets were not told of an ended sign-in", extra={"error": str(error)})
