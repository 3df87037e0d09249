"""/dashboards"""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.dashboards.models import Dashboard
from vocelio.dashboards.serializers import CopySerializer, DashboardFiguresSerializer, DashboardSerializer
from vocelio.dashboards.services import dashboards
from vocelio.dashboards.services.figures import tile_figures
from vocelio.errors import Invalid


class DashboardViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Dashboards: one's own, those that colleagues share, and the usual one of one's role."""

    model = Dashboard
    serializer_class = DashboardSerializer
    sort_fields = {"name": "name", "createdAt": "created_at", "updatedAt": "updated_at"}
    permissions = {
        "list": "reports:read",
        "retrieve": "reports:read",
        "figures": "reports:read",
        "create": "reports:write",
        "update": "reports:write",
        "partial_update": "reports:write",
        "destroy": "reports:write",
        "copy": "reports:write",
    }

    def get_queryset(self) -> QuerySet[Any]:
        return with_tiles(super().get_queryset())

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List dashboards; the usual one of the caller's role is made at the first look."""
        dashboards.usual_dashboard(self.principal)
        return super().list(request, *args, **kwargs)

    def represent(self, instance: Dashboard) -> Any:
        # Read anew: a service replaced the tiles.
        return DashboardSerializer(with_tiles(Dashboard.objects.filter(pk=instance.pk)).get()).data

    def perform_create(self, data: dict[str, Any]) -> Dashboard:
        return dashboards.create_dashboard(principal=self.principal, **data)

    def perform_update(self, instance: Dashboard, data: dict[str, Any]) -> Dashboard:
        return dashboards.update_dashboard(instance, principal=self.principal, **data)

    def perform_destroy(self, instance: Dashboard) -> str:
        dashboards.delete_dashboard(instance, principal=self.principal)
        return "Dashboard deleted"

    @extend_schema(request=CopySerializer, responses={201: DashboardSerializer})
    @action(detail=True, methods=["post"], serializer_class=CopySerializer)
    def copy(self, request: Request, pk: uuid.UUID) -> Response:
        """Make oneself a dashboard of the same tiles."""
        copy = dashboards.copy_dashboard(self.get_object(), principal=self.principal, name=self.validated()["name"])
        return self.respond(self.represent(copy), status=201)

    @extend_schema(
        responses=DashboardFiguresSerializer,
        filters=False,
        parameters=[
            OpenApiParameter("tiles", OpenApiTypes.STR, description="Ids of some tiles, separated by commas."),
            OpenApiParameter(
                "newerThan",
                OpenApiTypes.DATETIME,
                description="Compute anew what is older: `changedAt` of a `dashboard_stale` event.",
            ),
        ],
    )
    @action(detail=True, url_path="data", pagination_class=None, filter_backends=[])
    def figures(self, request: Request, pk: uuid.UUID) -> Response:
        """Answer all tiles at once, each with its figures or its own error; figures are up to 30 seconds old."""
        for name in request.query_params:
            if name not in ("tiles", "newerThan", "format"):
                raise Invalid.field(name[:60], "There is no such parameter here.", constraint="unknown")
        dashboard = self.get_object()
        tiles: Any = dashboard.tiles.all()
        if wanted := self._wanted():
            tiles = [tile for tile in tiles if tile.pk in wanted]
        shown = tile_figures(tiles, self.principal, newer_than=self._moment())
        return self.respond({"id": str(dashboard.pk), "name": dashboard.name, "tiles": shown})

    def _wanted(self) -> set[uuid.UUID]:
        text = self.request.query_params.get("tiles")
        try:
            return {uuid.UUID(part) for part in text.split(",")} if text else set()
        except ValueError:
            message = "tiles are ids, separated by commas."
            raise Invalid.field("tiles", message, value=(text or "")[:50], constraint="uuid") from None

    def _moment(self) -> datetime | None:
        text = self.request.query_params.get("newerThan")
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise Invalid.field(
                "newerThan", "newerThan is a time such as 2026-03-31T08:00:00Z.", value=text[:50], constraint="datetime"
            )
        return moment


def with_tiles(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Bring owners, tiles and their reports along."""
    return rows.select_related("owner").prefetch_related("tiles__report")
