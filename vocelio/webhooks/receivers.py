"""Hears that events were committed, and that a restored installation may reach others again."""

import logging
import uuid
from typing import Any

import redis
from django.core.cache import cache
from django.dispatch import receiver

from vocelio.jobs.services import ring
from vocelio.operations.signals import leaving_in_doubt
from vocelio.realtime.signals import events_committed
from vocelio.webhooks.models import WebhookDelivery
from vocelio.webhooks.services.doorbells import promise_deliveries
from vocelio.webhooks.services.endpoints import listening_key

logger = logging.getLogger(__name__)

FAN_OUT = "vocelio.webhooks.tasks.fan_out"
RUNG_FOR = 30


def rung_key(organization_id: uuid.UUID) -> str:
    return f"webhooks:rung:{organization_id}"


@receiver(events_committed)
def tell_at_once(organization_id: uuid.UUID, **kwargs: Any) -> None:
    """Have the events told where somebody listens, without a second message while one is on its way."""
    try:
        listens = cache.get(listening_key(organization_id)) and cache.add(rung_key(organization_id), 1, RUNG_FOR)
    except redis.RedisError as error:
        logger.warning("Webhooks wait for the schedule", extra={"error": str(error)})
        return
    if listens:
        ring(organization_id, organization_id, FAN_OUT)


@receiver(leaving_in_doubt)
def send_what_waits(sender: Any, **kwargs: Any) -> dict[str, int]:
    """Go on with the deliveries: one that went out before goes out under its webhook-id again, and is known by it."""
    waiting = WebhookDelivery.objects.get_queryset().waiting()
    for endpoint_id in set(waiting.values_list("endpoint_id", flat=True)):
        promise_deliveries(endpoint_id)
    return {}
