"""The body of a webhook: the event's ids, and the record as the API shows it to an admin, without what rests encrypted."""

import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import InterfaceError, OperationalError, transaction
from django.http import Http404, HttpRequest
from django.utils.module_loading import import_string
from prometheus_client import Counter
from rest_framework.request import Request

from vocelio.access.principal import Principal
from vocelio.access.roles import ADMIN, PRIVATE
from vocelio.api.renderers import OrjsonRenderer
from vocelio.api.viewsets import TenantViewSet
from vocelio.organizations.models import Organization, Role
from vocelio.organizations.scope import current_organization_id
from vocelio.webhooks.events import Data, EventType, Shown

logger = logging.getLogger(__name__)

UNSHOWN = Counter(
    "vocelio_webhook_events_unshown", "Webhook events whose record could not be shown, by each try.", ["type"]
)
SOMEBODY = uuid.UUID(int=0)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def body_of(event_type: EventType, *, event_id: uuid.UUID, sequence: int | None, happened_at: Any, data: Data) -> str:
    """Return the body that endpoints receive, of an event of the open organization."""
    shown = event_type.shape(data)
    if event_type.shows is not None:
        shown[event_type.shows.name] = show(event_type.shows, data)
    body = {
        "id": str(event_id),
        "type": event_type.name,
        "timestamp": happened_at,
        "organizationId": str(current_organization_id()),
        "sequence": sequence,
        "data": shown,
    }
    return OrjsonRenderer().render(body).decode()


def body_if_shown(event_type: EventType, **facts: Any) -> str:
    """Return the body, empty where its record cannot be shown now: one bad record holds up no other event.

    What the view's serializer raises may be anything. It is logged and counted, and sending tries again.
    """
    try:
        with transaction.atomic():
            return body_of(event_type, **facts)
    except (OperationalError, InterfaceError):
        # Nothing is wrong with the record: the database is away.
        raise
    except Exception:
        logger.exception("Record of a webhook event cannot be shown", extra={"event": event_type.name})
        UNSHOWN.labels(event_type.name).inc()
        return ""


def ids_in(body: str) -> list[uuid.UUID]:
    """Return every id a body holds: who is erased is found by it."""
    return sorted(map(uuid.UUID, set(UUID.findall(body))))


def show(shown: Shown, data: Data) -> Any:
    """Return the record an event tells of; null when it is gone, or in the trash."""
    record_id = data.get(shown.key)
    if not record_id:
        return None
    view = view_of(shown)
    view.kwargs = {"pk": uuid.UUID(str(record_id))}
    view.request = Request(HttpRequest())
    view.request.user = reader(current_organization_id())  # type: ignore[assignment]  # as at every sign-in
    try:
        return view.represent(view.get_object())
    except (Http404, ObjectDoesNotExist):
        return None


def view_of(shown: Shown) -> TenantViewSet:
    """Return the view that shows the record, as it stands when a request to GET one arrives."""
    view: TenantViewSet = import_string(shown.view)()
    view.action, view.detail, view.format_kwarg = "retrieve", True, None
    return view


def reader(organization_id: uuid.UUID) -> Principal:
    """Return whose eyes payloads are made for: an admin's, who asks for nothing that rests encrypted."""
    organization = Organization.objects.get(pk=organization_id)
    return Principal(
        user_id=SOMEBODY,
        email="",
        name="Webhooks",
        organization_id=organization.pk,
        tier=organization.subscription_tier,
        visibility=organization.visibility,
        role=Role.ADMIN,
        team="",
        session_id=None,
        default_region=organization.default_region,
        language=organization.language,
        time_zone=organization.time_zone,
        number_format=organization.number_format,
        scopes=ADMIN - PRIVATE,
    )


def example_of(event_type: EventType) -> dict[str, Any]:
    """Return an example of a type's body, made from the serializer of the view that shows the record."""
    data: dict[str, Any] = event_type.shape(dict(event_type.example or {}))
    if event_type.shows is not None:
        data.setdefault(event_type.shows.key, str(SOMEBODY))
        data[event_type.shows.name] = dict(_fields(view_of(event_type.shows).get_serializer_class()()))
    return {
        "id": str(SOMEBODY),
        "type": event_type.name,
        "timestamp": "2026-01-31T09:30:00Z",
        "organizationId": str(SOMEBODY),
        "sequence": 1042,
        "data": data,
    }


def _fields(serializer: Any) -> Iterator[tuple[str, Any]]:
    for name, field in serializer.fields.items():
        if not field.write_only and name not in HIDDEN:
            yield name, _example(field)


# Names of fields that show what rests encrypted.
HIDDEN = {"privateNotes", "salary", "desiredSalary", "currentSalary"}
EXAMPLES: Mapping[str, Any] = {
    "UUIDField": str(SOMEBODY),
    "DateTimeField": "2026-01-31T09:30:00Z",
    "DateField": "2026-01-31",
    "IntegerField": 1,
    "FloatField": 1.0,
    "DecimalField": "1.00",
    "BooleanField": True,
    "EmailField": "ada@example.com",
    "URLField": "https://example.com",
    "ListField": [],
    "ManyRelatedField": [],
    "PrimaryKeyRelatedField": str(SOMEBODY),
}


def _example(field: Any) -> Any:
    if hasattr(field, "child") and hasattr(field.child, "fields"):
        return [dict(_fields(field.child))]
    if hasattr(field, "fields"):
        return dict(_fields(field))
    if getattr(field, "choices", None):
        return next(iter(field.choices))
    for kind in type(field).__mro__:
        if kind.__name__ in EXAMPLES:
            return EXAMPLES[kind.__name__]
    return {} if "JSON" in type(field).__name__ or "Dict" in type(field).__name__ else "..."
