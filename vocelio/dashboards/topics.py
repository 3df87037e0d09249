"""What sockets may follow of dashboards: a dashboard's tiles, by the events of what they count."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping

from vocelio.dashboards.models import Dashboard, DashboardTile
from vocelio.realtime.shapes import ID, IDS, TIME, shape
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer
from vocelio.reports.registry import metric_named


def dashboard_exists(viewer: Viewer, dashboard_id: uuid.UUID) -> bool:
    return bool(Dashboard.objects.get_queryset().visible_to(viewer.principal).filter(pk=dashboard_id).exists())


def sources(viewer: Viewer, dashboard_id: uuid.UUID) -> Mapping[str, Collection[str]]:
    """Return which topics' events make which tiles out of date, of those the viewer may see."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for tile in DashboardTile.objects.filter(dashboard_id=dashboard_id).select_related("report"):
        for name in tile.asks.get("metrics", []):
            metric = metric_named(name)
            if metric is not None and viewer.principal.may(metric.permission):
                for topic in metric.events:
                    found[topic].add(str(tile.pk))
    return dict(found)


register(
    Topic(
        "dashboard",
        "A dashboard: which of its tiles are out of date, and that it was changed.",
        permission="reports:read",
        key="dashboardId",
        exists=dashboard_exists,
        sources=sources,
        events={
            "dashboard_stale": shape(dashboardId=ID, stale=IDS, changedAt=TIME),
            "dashboard_changed": shape(dashboardId=ID),
        },
    )
)
