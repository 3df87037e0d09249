"""Dashboards in the back office: tiles drawn by the server, told by the socket when they are out of date."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from vocelio.access.principal import Principal
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.dashboards.models import Dashboard, DashboardTile, TileChart
from vocelio.dashboards.services import dashboards
from vocelio.dashboards.services.figures import tile_figures
from vocelio.errors import VocelioError
from vocelio.reports.charts import drawn_figures
from vocelio.reports.models import SavedReport

MOST_REPORTS = 200


@admin.register(Dashboard)
class DashboardAdmin(TenantAdmin):
    permissions = {
        "view": "reports:read",
        "add": "reports:write",
        "change": "reports:read",
        "delete": "reports:write",
        "share": "reports:share",
    }
    section = "Reports"
    icon = "dashboard"

    list_display = ("name", "tiles_there", "shared", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name",)
    fields = ("name", "description", "is_shared")

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        return [("At a glance", "speed", reverse("admin:dashboards_dashboard_usual"))]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tiles = DashboardTile.objects.filter(dashboard=OuterRef("pk")).order_by().values("dashboard")
        number = Coalesce(Subquery(tiles.annotate(number=Count("pk")).values("number")), 0)
        rows: QuerySet[Any] = super().get_queryset(request).annotate(number=number)
        return rows

    @admin.display(description="Tiles")
    def tiles_there(self, dashboard: Any) -> int:
        return int(dashboard.number)

    @display(description="Shared", boolean=True)  # type: ignore[untyped-decorator]
    def shared(self, dashboard: Dashboard) -> bool:
        return dashboard.is_shared or bool(dashboard.usual_for)

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Dashboard:
        return dashboards.create_dashboard(principal=self.principal(request), **data)

    def perform_delete(self, request: HttpRequest, obj: Dashboard) -> None:
        dashboards.delete_dashboard(obj, principal=self.principal(request))

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("usual/", site.admin_view(self.usual), name="dashboards_dashboard_usual"),
            path("<uuid:pk>/tiles/", site.admin_view(self.tiles), name="dashboards_dashboard_tiles"),
            path("<uuid:pk>/edit/", site.admin_view(self.edit), name="dashboards_dashboard_edit"),
            *super().get_urls(),
        ]

    def usual(self, request: HttpRequest) -> HttpResponse:
        """Go to the usual dashboard of one's role."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect("admin:dashboards_dashboard_change", dashboards.usual_dashboard(self.principal(request)).pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the tiles."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        dashboard = self.get_object(request, object_id)
        if dashboard is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        principal = self.principal(request)
        is_own = dashboard.owner_id == principal.user_id
        context = {
            **self.admin_site.each_context(request),
            "title": dashboard.name,
            "opts": self.opts,
            "dashboard": dashboard,
            "tiles": drawn_tiles(dashboard, principal),
            "may_edit": is_own or (self.may(request, "share") and (dashboard.is_shared or dashboard.owner_id is None)),
            "may_share": self.may(request, "share"),
            "charts": TileChart.choices,
            "reports": SavedReport.objects.get_queryset().visible_to(principal).order_by("name")[:MOST_REPORTS],
        }
        return TemplateResponse(request, "dashboards/dashboard.html", context)

    def tiles(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Return some tiles anew, for the page that was told they are out of date."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        dashboard: Any = get_object_or_404(self.get_queryset(request), pk=pk)
        wanted = set(request.GET.get("tiles", "").split(","))
        try:
            moment = datetime.fromisoformat(request.GET.get("newerThan", ""))
        except ValueError:
            moment = None
        drawn = drawn_tiles(dashboard, self.principal(request), wanted=wanted, newer_than=moment)
        return TemplateResponse(request, "dashboards/tiles.html", {"tiles": drawn})

    def edit(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Add, move, widen or take away a tile; rename, share or copy the dashboard."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        dashboard: Any = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            with transaction.atomic():
                shown = self._edit(request, dashboard, self.principal(request))
        except VocelioError as error:
            self.message_user(request, error.message, messages.ERROR)
            shown = dashboard
        return redirect("admin:dashboards_dashboard_change", shown.pk)

    def _edit(self, request: HttpRequest, dashboard: Dashboard, principal: Principal) -> Dashboard:
        action, _, tile_id = request.POST.get("do", "").partition(":")
        if action == "copy":
            name = f"{dashboard.name}, {principal.name or principal.email}"[:100]
            return dashboards.copy_dashboard(dashboard, principal=principal, name=name)
        if action == "save":
            name = request.POST.get("name", "").strip()[:100] or dashboard.name
            shares: dict[str, Any] = {"is_shared": "is_shared" in request.POST} if self.may(request, "share") else {}
            return dashboards.update_dashboard(dashboard, principal=principal, name=name, **shares)
        tiles = [as_given(tile) for tile in dashboard.tiles.all()]
        if action == "add":
            tiles.append(
                {
                    "report_id": uuid.UUID(request.POST["report"]) if request.POST.get("report") else None,
                    "chart": request.POST.get("chart", TileChart.NUMBER),
                    "width": 2 if request.POST.get("chart") not in (TileChart.NUMBER, TileChart.DONUT) else 1,
                }
            )
        place = next((index for index, tile in enumerate(tiles) if str(tile.get("id")) == tile_id), None)
        if place is not None:
            change_place(tiles, place, action)
        return dashboards.update_dashboard(dashboard, principal=principal, tiles=tiles)


def drawn_tiles(
    dashboard: Dashboard, principal: Principal, *, wanted: set[str] | None = None, newer_than: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the tiles as the template draws them."""
    rows: Any = DashboardTile.objects.filter(dashboard=dashboard).select_related("report")
    tiles = [tile for tile in rows if wanted is None or str(tile.pk) in wanted]
    shown = tile_figures(tiles, principal, newer_than=newer_than)
    return [
        each | {"drawn": drawn_figures(each["figures"], each["chart"]) if each["figures"] else None} for each in shown
    ]


def as_given(tile: DashboardTile) -> dict[str, Any]:
    """Return a tile as `update_dashboard` takes it."""
    names = ("title", "report_id", "definition", "chart", "width", "height")
    return {"id": tile.pk, **{name: getattr(tile, name) for name in names}}


def change_place(tiles: list[dict[str, Any]], place: int, action: str) -> None:
    """Move a tile, change its width or take it away."""
    if action == "remove":
        del tiles[place]
    elif action == "left" and place:
        tiles[place - 1], tiles[place] = tiles[place], tiles[place - 1]
    elif action == "right" and place < len(tiles) - 1:
        tiles[place + 1], tiles[place] = tiles[place], tiles[place + 1]
    elif action in ("wider", "narrower"):
        step = 1 if action == "wider" else -1
        tiles[place]["width"] = min(4, max(1, tiles[place]["width"] + step))
