"""The demo's dashboard: eight tiles of Acme, one of each way to draw them."""

from typing import Any

from vocelio.access.principal import principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.dashboards.models import Dashboard
from vocelio.dashboards.services.dashboards import create_dashboard
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope
from vocelio.reports.models import SavedReport

QUARTER = {"preset": "this_quarter"}
TILES: list[dict[str, Any]] = [
    {"title": "Open value", "chart": "number", "definition": {"metrics": ["deals.open_value"]}},
    {
        "title": "Won this quarter",
        "chart": "number",
        "definition": {"metrics": ["deals.won_value"], "range": QUARTER, "compare": True},
    },
    {
        "title": "Contacts added",
        "chart": "line",
        "width": 2,
        "definition": {
            "metrics": ["contacts.created"],
            "range": {"preset": "last_30_days"},
            "granularity": "day",
            "compare": True,
        },
    },
    {"chart": "stacked", "width": 2, "report": "Won by owner and month"},
    {
        "title": "Applications by stage",
        "chart": "funnel",
        "width": 2,
        "definition": {
            "metrics": ["applications.stage_entries"],
            "dimensions": ["stage"],
            "range": {"preset": "last_90_days"},
            "limit": 8,
        },
    },
    {
        "title": "Sources",
        "chart": "donut",
        "definition": {"metrics": ["contacts.total"], "dimensions": ["source"]},
    },
    {
        "title": "Activities by owner",
        "chart": "bar",
        "definition": {"metrics": ["activities.completed"], "dimensions": ["owner"], "range": QUARTER},
    },
    {"chart": "table", "width": 2, "report": "Where contacts come from"},
]


def load(organization: Organization) -> None:
    """Make the shared dashboard of Acme's manager, unless there is one."""
    manager = Membership.objects.filter(organization=organization, role=Role.MANAGER).first()
    if organization.slug != "acme" or manager is None:
        return
    principal = principal_of_member(manager.user_id, organization.pk)
    with acting(Actor(user_id=manager.user_id, door="demo")), organization_scope(organization.pk):
        if principal is None or Dashboard.objects.filter(usual_for="").exists():
            return
        reports = dict(SavedReport.objects.values_list("name", "pk"))
        tiles = [
            {**{key: value for key, value in tile.items() if key != "report"}, "report_id": reports.get(tile["report"])}
            if "report" in tile
            else tile
            for tile in TILES
        ]
        create_dashboard(
            principal=principal,
            name="Acme this quarter",
            description="Sales, recruiting and contacts on one page.",
            is_shared=True,
            tiles=tiles,
        )
