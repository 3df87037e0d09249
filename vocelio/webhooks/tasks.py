"""Celery's door to webhooks, on a queue of its own."""

import logging
import uuid

import redis
from celery import shared_task
from django.core.cache import cache

from vocelio.db.holds import outgoing
from vocelio.db.ticks import once_per
from vocelio.jobs.services import ring
from vocelio.jobs.tasks import JobTask
from vocelio.webhooks.receivers import FAN_OUT, rung_key
from vocelio.webhooks.services import deliveries, sending
from vocelio.webhooks.services import fan_out as fanning

logger = logging.getLogger(__name__)


@shared_task(base=JobTask)
def fan_out(*, organization_id: str, job_id: str) -> int:
    """Turn an organization's new events into deliveries; both ids are the organization's."""
    try:
        # What is committed from here on rings again.
        cache.delete(rung_key(uuid.UUID(organization_id)))
    except redis.RedisError as error:
        logger.warning("Webhooks wait for the schedule", extra={"error": str(error)})
    return fanning.fan_out(uuid.UUID(organization_id))


@shared_task(base=JobTask)
@outgoing
def send_deliveries(*, organization_id: str, job_id: str) -> int:
    """Send what an endpoint has due; the id is the endpoint's."""
    return sending.send_deliveries(uuid.UUID(organization_id), uuid.UUID(job_id))


@shared_task
@once_per(seconds=5)
def tell_events() -> int:
    """Have events told that nobody rang for."""
    behind = fanning.organizations_behind()
    for organization_id in behind:
        ring(organization_id, organization_id, FAN_OUT)
    return len(behind)


@shared_task
@once_per(seconds=3600)
def purge_deliveries() -> int:
    """Delete deliveries past their time."""
    return deliveries.purge_deliveries()
