"""/webhook-endpoints, /webhook-deliveries"""

import uuid
from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.webhooks.events import all_types
from vocelio.webhooks.filters import WebhookDeliveryFilter, WebhookEndpointFilter
from vocelio.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from vocelio.webhooks.payloads import example_of
from vocelio.webhooks.serializers import (
    NewWebhookEndpointSerializer,
    ReplayedSerializer,
    ReplayFailedSerializer,
    WebhookDeliveryDetailSerializer,
    WebhookDeliverySerializer,
    WebhookEndpointSerializer,
    WebhookEventTypeSerializer,
)
from vocelio.webhooks.services import deliveries, endpoints

MANAGE = "webhooks:manage"


class WebhookEndpointViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Addresses of other systems that are told what happens here (Standard Webhooks)."""

    model = WebhookEndpoint
    serializer_class = WebhookEndpointSerializer
    filterset_class = WebhookEndpointFilter
    permissions = dict.fromkeys(
        [
            "list",
            "create",
            "retrieve",
            "update",
            "partial_update",
            "destroy",
            "events",
            "rotate_secret",
            "test",
            "replay",
        ],
        MANAGE,
    )
    # An answer with a secret is nowhere kept, so none can be replayed.
    keeps_answers = False

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("created_by")

    @extend_schema(request=WebhookEndpointSerializer, responses={201: NewWebhookEndpointSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make an endpoint. Its secret is shown this one time; what happens from now on is sent there."""
        return self._with_secret(endpoints.create_endpoint(**self.validated()), 201)

    def perform_update(self, instance: WebhookEndpoint, data: dict[str, Any]) -> WebhookEndpoint:
        return endpoints.update_endpoint(instance, **data)

    def perform_destroy(self, instance: WebhookEndpoint) -> str:
        endpoints.delete_endpoint(instance)
        return "Webhook endpoint deleted successfully"

    @extend_schema(responses=WebhookEventTypeSerializer(many=True), filters=False)
    @action(detail=False, pagination_class=None, filter_backends=[])
    def events(self, request: Request) -> Response:
        """List what endpoints can be told of, each with an example."""
        shown = [
            {"name": each.name, "summary": each.summary, "example": example_of(each)}
            for each in sorted(all_types(), key=lambda each: each.name)
        ]
        return self.respond(shown)

    @extend_schema(request=None, responses={200: NewWebhookEndpointSerializer})
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: uuid.UUID) -> Response:
        """Give the endpoint a new secret, shown this one time; for a day the old one signs beside it."""
        return self._with_secret(endpoints.rotate_secret(self.get_object()), 200)

    @extend_schema(request=None, responses={202: WebhookDeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: uuid.UUID) -> Response:
        """Send a `webhook.test` there; what became of it is at GET /webhook-deliveries/{id}."""
        delivery = endpoints.send_test(self.get_object())
        return self.respond(WebhookDeliverySerializer(delivery).data, status=202)

    @extend_schema(request=ReplayFailedSerializer, responses={202: ReplayedSerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: uuid.UUID) -> Response:
        """Send again whatever has failed since a time."""
        endpoint = self.get_object()
        data = self.validated(ReplayFailedSerializer(data=request.data))
        count = deliveries.replay_failed(endpoint, since=data["since"])
        return Response({"message": "What failed is sent again", "count": count}, status=202)

    def _with_secret(self, endpoint: WebhookEndpoint, status: int) -> Response:
        data = NewWebhookEndpointSerializer(endpoint).data
        return Response({"data": data}, status=status, headers={"Cache-Control": "no-store"})


class WebhookDeliveryViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """What endpoints were sent in the last thirty days, and what they answered."""

    model = WebhookDelivery
    serializer_class = WebhookDeliverySerializer
    filterset_class = WebhookDeliveryFilter
    permissions = dict.fromkeys(["list", "retrieve", "replay"], MANAGE)

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset().select_related("event")
        if self.action != "retrieve":
            return rows.defer("event__body")
        log = Prefetch("attempt_log", WebhookAttempt.objects.order_by("started_at", "id"))
        return rows.select_related("endpoint").prefetch_related(log)

    @extend_schema(responses=WebhookDeliveryDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a delivery with its request and every attempt."""
        return self.respond(WebhookDeliveryDetailSerializer(self.get_object()).data)

    @extend_schema(request=None, responses={202: WebhookDeliverySerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: uuid.UUID) -> Response:
        """Send it again, whatever became of it: the same body under the same webhook-id."""
        return self.respond(self.represent(deliveries.replay(self.get_object())), status=202)
