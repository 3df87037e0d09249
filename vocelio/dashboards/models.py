"""Dashboards and their tiles."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from vocelio.access.principal import Principal
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import Role, TenantManager, TenantModel, TenantQuerySet
from vocelio.reports.models import SavedReport


class DashboardQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep the caller's own, shared ones, and the usual one of the role."""
        return self.filter(Q(owner_id=principal.user_id) | Q(is_shared=True) | Q(usual_for=principal.role))


DashboardManager = TenantManager.from_queryset(DashboardQuerySet)


class Dashboard(TenantModel):
    """Tiles of figures on one page. Without an owner it is the usual one of a role."""

    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True, default="")
    is_shared = models.BooleanField(default=False, help_text="Everybody in the organization sees it.")
    usual_for = models.CharField(max_length=20, choices=Role, blank=True, default="", editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, editable=False, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = DashboardManager()

    class Meta:
        db_table = "dashboards"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "owner", "name"], condition=Q(usual_for=""), name="one_dashboard_per_name"
            ),
            models.UniqueConstraint(
                fields=["organization", "usual_for"], condition=~Q(usual_for=""), name="one_usual_dashboard_per_role"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="dashboard_has_name"),
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | ~Q(usual_for=""), name="dashboard_has_owner_or_role"
            ),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="dashboards_newest")]

    def __str__(self) -> str:
        return self.name


class TileChart(models.TextChoices):
    """How a tile is drawn."""

    NUMBER = "number", "Number"
    LINE = "line", "Line"
    BAR = "bar", "Bars"
    STACKED = "stacked", "Stacked bars"
    FUNNEL = "funnel", "Funnel"
    TABLE = "table", "Table"
    DONUT = "donut", "Donut"


class DashboardTile(TenantModel):
    """One tile: a saved report, or a question of its own, drawn one way."""

    dashboard = TenantForeignKey(Dashboard, on_delete=models.CASCADE, related_name="tiles", db_index=False)
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=100, blank=True, default="")
    report = TenantForeignKey(SavedReport, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    definition = models.JSONField(null=True)
    chart = models.CharField(max_length=10, choices=TileChart)
    width = models.PositiveSmallIntegerField(default=1, help_text="Columns, 1 to 4.")
    height = models.PositiveSmallIntegerField(default=1, help_text="Rows, 1 to 4.")

    class Meta:
        db_table = "dashboard_tiles"
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(chart__in=TileChart.values), name="tile_chart_known"),
            models.CheckConstraint(
                condition=Q(report__isnull=True, definition__isnull=False)
                | Q(report__isnull=False, definition__isnull=True),
                name="tile_shows_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(width__gte=1, width__lte=4, height__gte=1, height__lte=4), name="tile_fits_the_grid"
            ),
        ]
        indexes = [models.Index(fields=["organization", "dashboard", "position"], name="tiles_of_dashboard")]

    def __str__(self) -> str:
        return self.title or f"Tile {self.position}"

    @property
    def asks(self) -> dict[str, Any]:
        """Return what the tile asks, its report's question where it shows one."""
        if self.report is not None:
            found: dict[str, Any] = self.report.definition
            return found
        return self.definition or {}
