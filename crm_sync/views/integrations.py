"""/crm-integrations"""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm_sync.browsers import CONSENT_COOKIE, CONSENT_PATH, keep_browser
from crm_sync.filters import IntegrationFilter, RunFilter
from crm_sync.models import CrmIntegration, CrmSyncRun
from crm_sync.models.integrations import providers
from crm_sync.serializers.integrations import (
    ConsentAnswerSerializer,
    ConsentSerializer,
    ConsentStartedSerializer,
    FieldsOfSerializer,
    FieldsSerializer,
    IntegrationSerializer,
    ProvidersSerializer,
    QuotasSerializer,
)
from crm_sync.serializers.runs import RunSerializer, SyncSerializer, SyncStartedSerializer
from crm_sync.services import connections, oauth, runs
from crm_sync.services.kinds import record_kind
from crm_sync.services.rules import mapping_of
from crm_sync.services.webhooks import MAX_BODY, take_webhook
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
from vocelio.errors import Invalid, VocelioError
from vocelio.organizations.scope import organization_scope


class IntegrationViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Connections to CRMs."""

    model = CrmIntegration
    serializer_class = IntegrationSerializer
    filterset_class = IntegrationFilter
    sort_fields = {"createdAt": "created_at", "name": "name", "crmType": "crm_type"}
    permissions = dict.fromkeys(
        [
            "list",
            "retrieve",
            "create",
            "update",
            "partial_update",
            "destroy",
            "sync",
            "cancel",
            "sync_logs",
            "fields",
            "quotas",
            "providers",
            "consent",
        ],
        "crm:manage",
    )

    def perform_create(self, data: dict[str, Any]) -> CrmIntegration:
        return connections.create_connection(**data)

    def perform_update(self, instance: CrmIntegration, data: dict[str, Any]) -> CrmIntegration:
        if data.pop("crm_type", instance.crm_type) != instance.crm_type:
            raise Invalid.field("crmType", "A connection stays with its CRM; make another.", constraint="immutable")
        return connections.update_connection(integration=instance, **data)

    def perform_destroy(self, instance: CrmIntegration) -> str:
        connections.delete_connection(integration=instance)
        return "CRM connection deleted; contacts stay as they are on both sides"

    @extend_schema(request=SyncSerializer, responses={202: SyncStartedSerializer})
    @action(detail=True, methods=["post"], serializer_class=SyncSerializer)
    def sync(self, request: Request, pk: uuid.UUID) -> Response:
        """Start a sync in the background: incremental, full, of what changed since a date, or as a dry run."""
        integration = self.get_object()
        data = self.validated(SyncSerializer(data=request.data))
        run = runs.start_sync(integration=integration, sync_type=data["sync_type"], **data.get("options", {}))
        return self.respond(SyncStartedSerializer(run).data, status=202)

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: uuid.UUID) -> Response:
        """Stop the running sync after the step in hand; what it has done stays."""
        return self.respond(RunSerializer(runs.cancel_sync(integration=self.get_object())).data)

    @extend_schema(responses=RunSerializer(many=True))
    @action(
        detail=True,
        url_path="sync-logs",
        serializer_class=RunSerializer,
        filterset_class=RunFilter,
        sort_fields={"createdAt": "created_at"},
    )
    def sync_logs(self, request: Request, pk: uuid.UUID) -> Response:
        """List the connection's runs, newest first."""
        integration = self.get_object()
        rows = CrmSyncRun.objects.filter(integration=integration).select_related("created_by")
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(RunSerializer(page, many=True).data)

    @extend_schema(parameters=[FieldsOfSerializer], responses=FieldsSerializer)
    @action(detail=True, filterset_class=None)
    def fields(self, request: Request, pk: uuid.UUID) -> Response:
        """Show both sides of the mapping: the CRM's fields as last read, with samples; POST test reads them anew."""
        integration = self.get_object()
        kind = record_kind(self.validated(FieldsOfSerializer(data=request.query_params))["kind"])
        targets = {
            value["field"] if isinstance(value, dict) else value: name
            for name, value in mapping_of(integration, kind.kind).items()
        }
        rows = [
            {
                **row,
                "samples": [
                    sample[row["name"]] for sample in integration.samples.get(kind.kind, []) if row["name"] in sample
                ],
                "mappedTo": targets.get(row["name"]),
            }
            for row in integration.remote_fields.get(kind.kind, [])
        ]
        usual = integration.provider.types.get(kind.kind)
        suggested = dict(usual.mapping) if usual else {}
        shown = {"kind": kind.kind, "remote": rows, "local": kind.fields.plain, "suggested": suggested}
        return self.respond(shown)

    @extend_schema(responses=QuotasSerializer)
    @action(detail=True, filterset_class=None)
    def quotas(self, request: Request, pk: uuid.UUID) -> Response:
        """Show how much of the vendor's quota the account has spent."""
        rows = connections.quotas_of(self.get_object())
        return self.respond(QuotasSerializer({"quotas": rows}).data)

    @extend_schema(responses=ProvidersSerializer)
    @action(detail=False, filterset_class=None)
    def providers(self, request: Request) -> Response:
        """List the CRMs that can be connected, and what each asks for."""
        return self.respond(ProvidersSerializer({"providers": list(providers().values())}).data)

    @extend_schema(request=ConsentSerializer, responses=ConsentStartedSerializer)
    @action(detail=False, methods=["post"], url_path="oauth/start", serializer_class=ConsentSerializer)
    def consent(self, request: Request) -> Response:
        """Begin to connect by OAuth: answers where to send the browser, which comes back to oauth/callback."""
        data = self.validated(ConsentSerializer(data=request.data))
        integration = None
        if wanted := data.pop("integration_id", None):
            integration = self.get_queryset().filter(pk=wanted).first()
            if integration is None:
                raise Invalid.field("integrationId", "There is no such connection.", constraint="does_not_exist")
        departure = oauth.start_consent(integration=integration, **data)
        response = self.respond({"authorizationUrl": departure.url})
        keep_browser(response, departure.browser_secret)
        return response


class CallingViewSet(TenantViewSet):
    """Actions that call a CRM: the calls stand outside any transaction, services open scopes of their own."""

    model = CrmIntegration
    serializer_class = IntegrationSerializer
    permissions = dict.fromkeys(["test", "complete"], "crm:manage")
    keeps_answers = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # What TenantViewSet does, without the scope around the action.
        ApiViewSet.initial(self, request, *args, **kwargs)

    @extend_schema(request=None, responses=IntegrationSerializer)
    def test(self, request: Request, pk: uuid.UUID) -> Response:
        """Call the CRM now: proves the credential, reads the fields and samples anew; 422 with the reason otherwise."""
        with organization_scope(self.principal.organization_id):
            integration = self.get_object()
        checked = connections.check_connection(integration)
        with organization_scope(self.principal.organization_id):
            return self.respond(self.represent(checked))

    @extend_schema(request=ConsentAnswerSerializer, responses=IntegrationSerializer)
    def complete(self, request: Request) -> Response:
        """Finish connecting for a frontend on another address: pass on what the vendor sent back."""
        data = self.validated(ConsentAnswerSerializer(data=request.data))
        callback: dict[str, str] = {**data.pop("parameters", {}), **data}
        integration, _ = oauth.finish_consent(callback=callback, user_id=self.principal.user_id)
        with organization_scope(self.principal.organization_id):
            return self.respond(self.represent(integration))


class ConsentCallbackViewSet(ApiViewSet):
    """Where vendors send people back to."""

    permissions = {"callback": PUBLIC}

    @extend_schema(
        parameters=[OpenApiParameter(name, str) for name in ("state", "code", "error")],
        responses={302: None},
    )
    def callback(self, request: Request) -> HttpResponse:
        """Take the person back from the vendor; without the browser's cookie the frontend has to complete it."""
        given = {name: str(value)[:4000] for name, value in request.query_params.items()}
        browser = request.COOKIES.get(CONSENT_COOKIE, "")
        if not browser:
            return HttpResponseRedirect(f"{settings.FRONTEND_URL}/crm/callback?{urlencode(given)}")
        try:
            integration, back_to = oauth.finish_consent(callback=given, browser_secret=browser)
        except VocelioError as error:
            query = urlencode({"error": error.message})
            response = HttpResponseRedirect(f"{settings.FRONTEND_URL}/crm/callback?{query}")
        else:
            address = f"{settings.FRONTEND_URL}/crm/callback?integrationId={integration.pk}"
            if back_to == "admin":
                address = reverse("admin:crm_sync_crmintegration_change", args=[integration.pk])
            response = HttpResponseRedirect(address)
        response.delete_cookie(CONSENT_COOKIE, path=CONSENT_PATH)
        return response


class WebhookViewSet(ApiViewSet):
    """Where CRMs call."""

    permissions = {"receive": PUBLIC}

    @extend_schema(request={"application/json": OpenApiTypes.OBJECT}, responses=MessageSerializer)
    def receive(self, request: Request, token: str) -> Response:
        """Take a webhook in: proven as the vendor's way is, kept, and the records it names are read soon."""
        http: HttpRequest = request._request
        if int(http.headers.get("content-length") or 0) > MAX_BODY:
            raise Invalid("The webhook is too large.")
        take_webhook(
            token=token[:200],
            method=http.method or "POST",
            headers={name.lower(): value for name, value in http.headers.items()},
            body=http.body,
            received_at=timezone.now(),
            query=http.META.get("QUERY_STRING", ""),
        )
        return self.message("Received")
