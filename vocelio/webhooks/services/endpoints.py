"""Make, change and test the endpoints of other systems."""

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import redis
from django.core.cache import cache
from django.db.models.functions import Now
from django.utils import timezone

from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import Conflict, Invalid
from vocelio.jobs.services import forget_task
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.models import Membership, Role
from vocelio.organizations.scope import current_organization_id
from vocelio.outbound import OutboundRefused, check_address
from vocelio.realtime.models import EventHead
from vocelio.webhooks.events import TEST, EventType, is_wish
from vocelio.webhooks.models import WebhookCursor, WebhookDelivery, WebhookEndpoint, WebhookEvent
from vocelio.webhooks.payloads import body_of
from vocelio.webhooks.services.doorbells import promise_deliveries
from vocelio.webhooks.signatures import make_secret

logger = logging.getLogger(__name__)

MOST = 25
# How long the secret before still signs.
BOTH_SIGN = timedelta(days=1)


class TooManyEndpoints(Conflict):
    code = "TOO_MANY_ENDPOINTS"
    message = f"An organization has at most {MOST} webhook endpoints; delete one first."


class EndpointDisabled(Conflict):
    code = "ENDPOINT_DISABLED"
    message = "The endpoint is disabled; enable it first."


def create_endpoint(
    *, url: str, events: Sequence[str], description: str = "", is_enabled: bool = True
) -> WebhookEndpoint:
    """Return a new endpoint, with its secret; what happens from now on is told to it.

    Raise Invalid for an address that is not public https, and for events there are not.
    """
    if WebhookEndpoint.objects.count() >= MOST:
        raise TooManyEndpoints
    endpoint = WebhookEndpoint(
        id=uuid7(),
        url=checked(url),
        events=_wishes(events),
        description=description,
        is_enabled=is_enabled,
        secret=make_secret(),
        since=_head(),
        created_by_id=current_actor().user_id,
    )
    endpoint.save(force_insert=True)
    endpoint.refresh_from_db()
    record("webhook_endpoint.created", "webhookendpoint", endpoint.pk, events=endpoint.events)
    note_listeners()
    return endpoint


def update_endpoint(endpoint: WebhookEndpoint, **changes: Any) -> WebhookEndpoint:
    """Change url, events, description or is_enabled. Enabling goes on with what waited; what happened since is not told."""
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    if "url" in changes:
        changes["url"] = checked(changes["url"])
    if "events" in changes:
        changes["events"] = _wishes(changes["events"])
    if changes.get("is_enabled") and not endpoint.is_enabled:
        changes |= {
            "since": _head(), "failing_since": None, "resting_until": None, "disabled_at": None, "disabled_reason": ""
        }  # fmt: skip
    for name, value in changes.items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=list(changes))
    endpoint.refresh_from_db()
    record("webhook_endpoint.updated", "webhookendpoint", endpoint.pk, fields=sorted(changes))
    note_listeners()
    if changes.get("is_enabled"):
        promise_deliveries(endpoint.pk)
    return endpoint


def delete_endpoint(endpoint: WebhookEndpoint) -> None:
    """Delete the endpoint with its deliveries."""
    endpoint_id = endpoint.pk
    # First, as who notes what became of a delivery: else the two would wait for each other.
    WebhookEndpoint.objects.select_for_update().get(pk=endpoint_id)
    endpoint.delete()
    forget_task(endpoint_id)
    record("webhook_endpoint.deleted", "webhookendpoint", endpoint_id)
    note_listeners()


def rotate_secret(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Give the endpoint a new secret; for a day both sign."""
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, timezone.now() + BOTH_SIGN
    endpoint.secret = make_secret()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    endpoint.refresh_from_db()
    record("webhook_endpoint.secret_rotated", "webhookendpoint", endpoint.pk)
    return endpoint


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send the endpoint a `webhook.test`, whatever events it wants; raise EndpointDisabled while it is."""
    if not endpoint.is_enabled:
        raise EndpointDisabled
    test = EventType(TEST, "A test.", topic="", on="")
    event_id = uuid7()
    data = {"endpointId": str(endpoint.pk), "message": "A test of this endpoint."}
    body = body_of(test, event_id=event_id, sequence=None, happened_at=timezone.now(), data=data)
    event = WebhookEvent.objects.create(id=event_id, type=TEST, body=body, record_ids=[endpoint.pk])
    delivery: WebhookDelivery = WebhookDelivery.objects.create(event=event, endpoint=endpoint)
    record("webhook_endpoint.tested", "webhookendpoint", endpoint.pk, deliveryId=str(delivery.pk))
    promise_deliveries(endpoint.pk)
    delivery.refresh_from_db()
    return delivery


def disable_endpoint(endpoint: WebhookEndpoint, reason: str) -> None:
    """Send the endpoint nothing more, and tell the admins."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_enabled=False, disabled_at=Now(), disabled_reason=reason)
    record("webhook_endpoint.disabled", "webhookendpoint", endpoint.pk, reason=reason)
    admins = Membership.objects.active().filter(organization_id=current_organization_id(), role=Role.ADMIN)
    notify(
        kind="webhook.disabled",
        user_ids=admins.values_list("user_id", flat=True),
        title=f"Webhooks to {urlsplit(endpoint.url).netloc} are switched off",
        body=f"{reason} Look into its deliveries, mend the receiver, enable the endpoint and replay what failed.",
        key=f"webhook.disabled {endpoint.pk} {timezone.now():%Y-%m-%d}",
        resource="webhookendpoint",
        resource_id=endpoint.pk,
    )
    note_listeners()


def checked(url: str) -> str:
    """Return an address that may be called; raise Invalid otherwise. Where its name leads is judged at each call."""
    host = urlsplit(url).hostname or ""
    try:
        check_address(url, [host])
    except OutboundRefused:
        raise Invalid.field(
            "url", "Give a public https address, without a port or a password.", value=url[:100], constraint="public"
        ) from None
    return url


def listening_key(organization_id: uuid.UUID) -> str:
    return f"webhooks:listening:{organization_id}"


def note_listeners() -> None:
    """Keep the cursor, and the hint in Redis that somebody listens, as the table of endpoints says."""
    organization_id = current_organization_id()
    listens = WebhookEndpoint.objects.filter(is_enabled=True).exists()
    if listens:
        WebhookCursor.objects.get_or_create(organization_id=organization_id, defaults={"sequence": _head()})
    else:
        WebhookCursor.objects.filter(organization_id=organization_id).delete()
    hint(organization_id, listens=listens)


def hint(organization_id: uuid.UUID, *, listens: bool) -> None:
    """Note in Redis that events are to be told at once; without it the schedule finds them within seconds."""
    try:
        if listens:
            cache.set(listening_key(organization_id), 1, timeout=None)
        else:
            cache.delete(listening_key(organization_id))
    except redis.RedisError as error:
        logger.warning("Webhooks wait for the schedule", extra={"error": str(error)})


def _head() -> int:
    head = EventHead.objects.filter(organization_id=current_organization_id()).values_list("sequence", flat=True)
    return head.first() or 0


def _wishes(events: Sequence[str]) -> list[str]:
    wishes = sorted(set(events))
    if unknown := [wish for wish in wishes if not is_wish(wish)]:
        raise Invalid.field(
            "events", f"There are no such events: {', '.join(unknown)[:200]}.", value=unknown[:10], constraint="choice"
        )
    if not wishes:
        raise Invalid.field("events", "Name the events, or * for all.", value=[], constraint="required")
    return wishes
