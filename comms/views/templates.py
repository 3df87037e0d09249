"""/communications/templates"""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from comms.filters.communications import TemplateFilter
from comms.models import CommunicationTemplate, TemplateVersion
from comms.serializers.templates import (
    NewTemplateSerializer,
    TemplateFiguresSerializer,
    TemplateSerializer,
    TemplateVersionSerializer,
    TemplateVersionsSerializer,
)
from comms.services import analytics, templates
from vocelio.api.viewsets import (
    CreateMixin,
    DestroyMixin,
    ListMixin,
    RetrieveMixin,
    TenantViewSet,
    UpdateMixin,
)


class TemplateViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Templates of messages."""

    model = CommunicationTemplate
    serializer_class = TemplateSerializer
    filterset_class = TemplateFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at", "name": "name"}
    permissions = {
        "list": "messages:read",
        "retrieve": "messages:read",
        "versions": "messages:read",
        "figures": "messages:read",
        "create": "messages:manage",
        "update": "messages:manage",
        "partial_update": "messages:manage",
        "destroy": "messages:manage",
    }

    def get_queryset(self) -> QuerySet[CommunicationTemplate]:
        rows: Any = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else rows.alive().select_related("created_by")  # type: ignore[no-any-return]

    @extend_schema(request=NewTemplateSerializer, responses={201: TemplateSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a template; 422 tells everything that is wrong with its text."""
        data = self.validated(NewTemplateSerializer(data=request.data, context=self.get_serializer_context()))
        return self.respond(self.represent(templates.create_template(**data)), status=201)

    def perform_update(self, instance: CommunicationTemplate, data: dict[str, Any]) -> CommunicationTemplate:
        return templates.update_template(template=instance, **data)

    def perform_destroy(self, instance: CommunicationTemplate) -> str:
        templates.delete_template(instance)
        return "Template deleted successfully"

    @extend_schema(responses=TemplateVersionsSerializer)
    @action(detail=True, pagination_class=None, filter_backends=[])
    def versions(self, request: Request, pk: uuid.UUID) -> Response:
        """Show every wording there was, the newest first."""
        rows = TemplateVersion.objects.filter(template=self.get_object()).select_related("created_by")
        shown = TemplateVersionSerializer(rows.order_by("-number")[:200], many=True).data
        return self.respond({"versions": shown})

    @extend_schema(responses=TemplateFiguresSerializer)
    @action(detail=True, url_path="analytics", pagination_class=None, filter_backends=[])
    def figures(self, request: Request, pk: uuid.UUID) -> Response:
        """Count what came of each version; two versions are compared with what may honestly be said."""
        return self.respond(TemplateFiguresSerializer(analytics.template_figures(self.get_object())).data)
