"""Send deliveries again, and forget old ones."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models.functions import Now

from vocelio.audit.services import record
from vocelio.errors import Conflict
from vocelio.organizations.models import Organization
from vocelio.organizations.retention import kept_since
from vocelio.organizations.scope import organization_scope
from vocelio.webhooks.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint, WebhookEvent
from vocelio.webhooks.services.doorbells import promise_deliveries
from vocelio.webhooks.services.endpoints import EndpointDisabled

PURGE_BATCH = 5000
AGAIN = {"status": DeliveryStatus.PENDING, "attempts": 0, "next_attempt_at": Now(), "delivered_at": None}


class UnderWay(Conflict):
    code = "DELIVERY_UNDER_WAY"
    message = "The delivery is being sent; see what becomes of it."


def replay(delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a delivery again, whatever became of it, under the same webhook-id and with the same body."""
    _refuse_disabled(delivery.endpoint_id)
    settled = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(status=DeliveryStatus.SENDING)
    if not settled.update(**AGAIN):
        raise UnderWay
    record("webhook_delivery.replayed", "webhookdelivery", delivery.pk)
    promise_deliveries(delivery.endpoint_id)
    delivery.refresh_from_db()
    return delivery


def replay_failed(endpoint: WebhookEndpoint, *, since: datetime) -> int:
    """Send again what has failed of the events since a time; return how many."""
    _refuse_disabled(endpoint.pk)
    failed = WebhookDelivery.objects.filter(endpoint=endpoint, status=DeliveryStatus.FAILED, created_at__gte=since)
    count: int = failed.update(**AGAIN)
    record("webhook_endpoint.replayed", "webhookendpoint", endpoint.pk, count=count)
    if count:
        promise_deliveries(endpoint.pk)
    return count


def forget_records(record_ids: Iterable[uuid.UUID]) -> int:
    """Delete every event that tells of one of these records, with its deliveries; return how many events."""
    found = WebhookEvent.objects.filter(record_ids__overlap=list(record_ids))
    count: int = found.count()
    found.delete()
    return count


def purge_deliveries() -> int:
    """Delete events, and with them deliveries, past their time; return how many events."""
    purged = 0
    for organization_id in Organization.objects.values_list("id", flat=True):
        number = PURGE_BATCH
        while number == PURGE_BATCH:
            with organization_scope(organization_id):
                old = WebhookEvent.objects.filter(created_at__lt=kept_since("webhook_deliveries")).order_by(
                    "created_at"
                )
                ids = list(old.values_list("pk", flat=True)[:PURGE_BATCH])
                WebhookEvent.objects.filter(pk__in=ids).delete()
            number = len(ids)
            purged += number
    return purged


def _refuse_disabled(endpoint_id: uuid.UUID) -> None:
    if not WebhookEndpoint.objects.filter(pk=endpoint_id, is_enabled=True).exists():
        raise EndpointDisabled
