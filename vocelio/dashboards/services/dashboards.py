"""Make, change, copy and delete dashboards; make the usual ones of the roles from what apps offer."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from vocelio.access.principal import Principal
from vocelio.audit.services import record
from vocelio.dashboards.models import Dashboard, DashboardTile, TileChart
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.models import Role
from vocelio.realtime.publish import publish
from vocelio.reports.models import SavedReport
from vocelio.reports.registry import tiles_offered
from vocelio.reports.services.questions import read_question
from vocelio.reports.services.saved import check_may_change, check_may_share

MOST_TILES = 24
# What a copy takes along of a tile.
TILE = ("position", "title", "report_id", "definition", "chart", "width", "height")


class DashboardExists(Conflict):
    code = "DASHBOARD_EXISTS"
    message = "You already have a dashboard of this name."


def create_dashboard(*, principal: Principal, tiles: Sequence[dict[str, Any]] = (), **fields: Any) -> Dashboard:
    """Make a dashboard of the caller's with its tiles; raise DashboardExists when they have one of the name."""
    check_may_share(principal, is_shared=bool(fields.get("is_shared")))
    dashboard = Dashboard(owner_id=principal.user_id, **fields)
    _save(dashboard, force_insert=True)
    _put_tiles(dashboard, tiles, principal)
    record("dashboard.created", "dashboard", dashboard.pk, tiles=len(tiles))
    return dashboard


def update_dashboard(
    dashboard: Dashboard, *, principal: Principal, tiles: Sequence[dict[str, Any]] | None = None, **fields: Any
) -> Dashboard:
    """Change it; `tiles` replace those there are, and keep the ids they name."""
    check_may_change(dashboard, principal)
    check_may_share(principal, is_shared=bool(fields.get("is_shared")) and not dashboard.is_shared)
    for name, value in fields.items():
        setattr(dashboard, name, value)
    if fields:
        _save(dashboard, update_fields=list(fields))
    if tiles is not None:
        _put_tiles(dashboard, tiles, principal)
    changed = sorted([*fields, *(["tiles"] if tiles is not None else [])])
    record("dashboard.updated", "dashboard", dashboard.pk, fields=changed)
    _announce(dashboard)
    return dashboard


def copy_dashboard(dashboard: Dashboard, *, principal: Principal, name: str) -> Dashboard:
    """Make the caller a private dashboard of the same tiles."""
    copy = Dashboard(owner_id=principal.user_id, name=name, description=dashboard.description)
    _save(copy, force_insert=True)
    DashboardTile.objects.bulk_create(
        [
            DashboardTile(dashboard=copy, **{field: getattr(tile, field) for field in TILE})
            for tile in dashboard.tiles.all()
        ]
    )
    record("dashboard.copied", "dashboard", copy.pk, of=str(dashboard.pk))
    return copy


def delete_dashboard(dashboard: Dashboard, *, principal: Principal) -> None:
    """Delete it; the usual one of a role comes back as it was made at first."""
    check_may_change(dashboard, principal)
    _announce(dashboard)
    pk = dashboard.pk
    dashboard.delete()
    record("dashboard.deleted", "dashboard", pk)


def usual_dashboard(principal: Principal) -> Dashboard:
    """Return the usual dashboard of the caller's role, made from what apps offer where there is none yet."""
    found: Dashboard | None = Dashboard.objects.filter(usual_for=principal.role).first()
    if found is not None:
        return found
    dashboard = Dashboard(name=f"{Role(principal.role).label}s at a glance", usual_for=principal.role)
    try:
        with transaction.atomic():
            dashboard.save(force_insert=True)
    except IntegrityError:
        # Somebody else's first look came first.
        made: Dashboard = Dashboard.objects.get(usual_for=principal.role)
        return made
    DashboardTile.objects.bulk_create(
        [
            DashboardTile(
                dashboard=dashboard,
                position=position,
                title=offer.title,
                definition=dict(offer.definition),
                chart=offer.chart,
                width=offer.width,
            )
            for position, offer in enumerate(tiles_offered(principal.role))
        ]
    )
    record("dashboard.made", "dashboard", dashboard.pk, role=principal.role)
    return dashboard


def _put_tiles(dashboard: Dashboard, tiles: Sequence[dict[str, Any]], principal: Principal) -> None:
    if len(tiles) > MOST_TILES:
        raise Invalid.field("tiles", f"A dashboard has at most {MOST_TILES} tiles.", constraint="range")
    there = {tile.pk: tile for tile in DashboardTile.objects.filter(dashboard=dashboard)}
    made = []
    for index, given in enumerate(tiles):
        values = dict(given)
        before = there.get(values.pop("id", None))
        _check(values, f"tiles.{index}", principal, before)
        values["position"] = index
        tile = DashboardTile(dashboard=dashboard, **values)
        if before is not None:
            tile.pk = before.pk
        made.append(tile)
    if len({tile.pk for tile in made}) < len(made):
        raise Invalid.field("tiles", "Each tile is named once.", constraint="unique")
    DashboardTile.objects.filter(dashboard=dashboard).delete()
    DashboardTile.objects.bulk_create(made)


def _check(values: dict[str, Any], name: str, principal: Principal, before: DashboardTile | None) -> None:
    """Raise Invalid unless the tile shows one thing, drawn in a way that suits it."""
    report_id: uuid.UUID | None = values.get("report_id")
    definition = values.get("definition")
    if (report_id is None) == (definition is None):
        raise Invalid.field(name, "A tile shows a report or a definition, one of them.", constraint="exclusive")
    if report_id is not None:
        report = SavedReport.objects.get_queryset().visible_to(principal).filter(pk=report_id).first()
        if report is None:
            raise Invalid.field(f"{name}.reportId", "There is no such report.", constraint="exists")
        definition = report.definition
    # What stood there before may be beyond what the caller sees; their own tiles may not.
    if before is None or before.asks != definition:
        read_question(definition or {}, principal)
    divided = bool((definition or {}).get("dimensions")) or bool((definition or {}).get("granularity"))
    if values["chart"] in (TileChart.FUNNEL, TileChart.DONUT) and not divided:
        raise Invalid.field(f"{name}.chart", "This chart needs a dimension.", constraint="chart")


def _announce(dashboard: Dashboard) -> None:
    publish("dashboard", key=str(dashboard.pk), type="dashboard_changed", data={"dashboardId": str(dashboard.pk)})


def _save(dashboard: Dashboard, **options: Any) -> None:
    try:
        with transaction.atomic():
            dashboard.save(**options)
    except IntegrityError as error:
        if "one_dashboard_per_name" not in str(error):
            raise
        raise DashboardExists(field="name", value=dashboard.name, constraint="unique") from None
    dashboard.refresh_from_db()
