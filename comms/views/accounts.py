"""/communications/accounts, /communications/settings, /communications/bounces, /webhooks/comms"""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from comms.filters.communications import BounceFilter
from comms.models import BouncedAddress, ChannelAccount, CommsSettings
from comms.serializers.accounts import (
    BouncedAddressSerializer,
    ChannelAccountSerializer,
    ChannelProvidersSerializer,
    CommsSettingsSerializer,
    providers_answer,
)
from comms.serializers.templates import SyncedSerializer
from comms.services import accounts, bounces, schedule, templates
from comms.services.webhooks import answer_handshake, take_webhook
from vocelio.access.permissions import PUBLIC
from vocelio.api.serializers import MessageSerializer
from vocelio.api.viewsets import (
    ApiViewSet,
    CreateMixin,
    DestroyMixin,
    ListMixin,
    RetrieveMixin,
    TenantViewSet,
    UpdateMixin,
)
from vocelio.organizations.scope import organization_scope


class ChannelAccountViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Accounts at providers, by which messages go out."""

    model = ChannelAccount
    serializer_class = ChannelAccountSerializer
    sort_fields = {"createdAt": "created_at", "name": "name"}
    permissions = dict.fromkeys(
        ["list", "retrieve", "create", "update", "partial_update", "destroy"], "channels:manage"
    )

    def perform_create(self, data: dict[str, Any]) -> ChannelAccount:
        return accounts.create_account(**data)

    def perform_update(self, instance: ChannelAccount, data: dict[str, Any]) -> ChannelAccount:
        data.pop("provider", None)
        return accounts.update_account(account=instance, **data)

    def perform_destroy(self, instance: ChannelAccount) -> str:
        accounts.delete_account(instance)
        return "Account deleted successfully"


class ProvidersViewSet(TenantViewSet):
    """What can be connected."""

    model = ChannelAccount
    serializer_class = ChannelProvidersSerializer
    permissions = {"providers": "channels:manage"}

    @extend_schema(responses=ChannelProvidersSerializer)
    def providers(self, request: Request) -> Response:
        """Tell which providers there are and what each asks for."""
        return self.respond(providers_answer())


class SyncTemplatesViewSet(TenantViewSet):
    """Calls a provider outside any transaction; the service opens scopes of its own."""

    model = ChannelAccount
    serializer_class = SyncedSerializer
    permissions = {"sync": "messages:manage"}
    keeps_answers = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # What TenantViewSet does, without the scope around the action.
        ApiViewSet.initial(self, request, *args, **kwargs)

    @extend_schema(request=None, responses=SyncedSerializer)
    def sync(self, request: Request, pk: uuid.UUID) -> Response:
        """Fetch the provider's templates and whether it approves of them; 422 PROVIDER_REFUSED with its reason."""
        with organization_scope(self.principal.organization_id):
            account = self.get_object()
        return self.respond({"templates": templates.sync_templates(account)})


class CommsSettingsViewSet(TenantViewSet):
    """The organization's rules for messages."""

    model = CommsSettings
    serializer_class = CommsSettingsSerializer
    permissions = {"retrieve": "messages:read", "update": "messages:manage"}

    @extend_schema(responses=CommsSettingsSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show the rules: hours, caps, postal address."""
        return self.respond(self.represent(schedule.read_settings()))

    @extend_schema(request=CommsSettingsSerializer, responses=CommsSettingsSerializer)
    def update(self, request: Request) -> Response:
        """Change the given rules; they hold for what is sent from now on."""
        data = self.validated(self.get_serializer(data=request.data, partial=True))
        return self.respond(self.represent(schedule.update_settings(**data)))


class BounceViewSet(ListMixin, DestroyMixin, TenantViewSet):
    """Addresses that bounced."""

    model = BouncedAddress
    serializer_class = BouncedAddressSerializer
    filterset_class = BounceFilter
    sort_fields = {"createdAt": "created_at", "lastBounceAt": "last_bounce_at"}
    permissions = {"list": "messages:read", "destroy": "messages:manage"}

    def perform_destroy(self, instance: BouncedAddress) -> str:
        bounces.forget_bounce(instance)
        return "The address will be written to again"


class CommsWebhookViewSet(ApiViewSet):
    """Where providers call."""

    permissions = {"receive": PUBLIC, "handshake": PUBLIC}

    @extend_schema(
        request={
            "application/json": OpenApiTypes.OBJECT,
            "application/x-www-form-urlencoded": OpenApiTypes.OBJECT,
            "message/rfc822": OpenApiTypes.BINARY,
        },
        responses=MessageSerializer,
    )
    def receive(self, request: Request, token: str) -> Response:
        """Take a webhook in: reports on messages, answers of people, mail as it came. Proven over the raw bytes."""
        http: HttpRequest = request._request
        take_webhook(
            token=token[:200],
            headers={name.lower(): value for name, value in http.headers.items()},
            body=http.body,
            received_at=timezone.now(),
            query=http.META.get("QUERY_STRING", ""),
        )
        return self.message("Received")

    @extend_schema(
        responses={(200, "text/plain"): OpenApiTypes.STR},
        parameters=[OpenApiParameter(name, str) for name in ("hub.mode", "hub.challenge", "hub.verify_token")],
    )
    def handshake(self, request: Request, token: str) -> HttpResponse:
        """Answer a provider that asks whether this address is ours."""
        query = {name: str(value) for name, value in request.query_params.items()}
        return HttpResponse(answer_handshake(token=token[:200], query=query), content_type="text/plain")
