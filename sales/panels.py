"""What sales adds to a client: figures of its summary, tables on its page."""

import uuid
from decimal import Decimal

from django.db.models import Count, Max, Q, Sum
from django.urls import reverse

from contacts.client_panels import ClientFigures, ClientPanel, PanelTable, register_client_panel
from sales.models import Activity, Deal, Project, ProjectStatus, StageKind
from sales.services.money import own_currency
from vocelio.access.principal import Principal
from vocelio.languages.numbers import money

SHOWN = 20


def deal_figures(client_id: uuid.UUID, principal: Principal) -> ClientFigures:
    """Return open and won deals with their value, and when something was last done."""
    deals = Deal.objects.alive().visible_to(principal).filter(client_id=client_id)
    found = deals.order_by().aggregate(
        number=Count("pk", filter=Q(status=StageKind.OPEN)),
        amount=Sum("base_amount", filter=Q(status=StageKind.OPEN)),
        won=Count("pk", filter=Q(status=StageKind.WON)),
        won_amount=Sum("base_amount", filter=Q(status=StageKind.WON)),
        last=Max("stage_entered_at"),
    )
    done = Activity.objects.alive().visible_to(principal).filter(Q(client_id=client_id) | Q(deal__client_id=client_id))
    last = [moment for moment in (found["last"], done.aggregate(last=Max("completed_at"))["last"]) if moment]
    return ClientFigures(
        {
            "openDeals": found["number"],
            "openDealsAmount": str(found["amount"] or Decimal("0.00")),
            "wonDeals": found["won"],
            "wonDealsAmount": str(found["won_amount"] or Decimal("0.00")),
            "currency": own_currency(),
        },
        max(last, default=None),
    )


def deals_of_client(client_id: uuid.UUID, principal: Principal) -> PanelTable:
    deals = Deal.objects.alive().visible_to(principal).filter(client_id=client_id)
    rows = [
        (
            reverse("admin:sales_deal_change", args=[deal.pk]),
            [deal.name, deal.stage.name, money(deal.amount, deal.currency), str(deal.assigned_to or "")],
        )
        for deal in deals.select_related("stage", "assigned_to").order_by("status", "-stage_entered_at")[:SHOWN]
    ]
    more = ("Add a deal", f"{reverse('admin:sales_deal_add')}?client={client_id}")
    return PanelTable(["Deal", "Stage", "Amount", "Owner"], rows, more)


def project_figures(client_id: uuid.UUID, principal: Principal) -> ClientFigures:
    """Return how many projects are under way."""
    projects = Project.objects.alive().visible_to(principal).filter(client_id=client_id)
    running = projects.filter(status__in=[ProjectStatus.PLANNED, ProjectStatus.ACTIVE, ProjectStatus.ON_HOLD])
    last = projects.order_by().aggregate(last=Max("updated_at"))["last"]
    return ClientFigures({"runningProjects": running.count()}, last)


def projects_of_client(client_id: uuid.UUID, principal: Principal) -> PanelTable:
    projects = Project.objects.alive().visible_to(principal).filter(client_id=client_id)
    rows = [
        (
            reverse("admin:sales_project_change", args=[project.pk]),
            [project.name, project.get_status_display(), str(project.ends_on or ""), str(project.assigned_to or "")],
        )
        for project in projects.select_related("assigned_to").order_by("-created_at")[:SHOWN]
    ]
    return PanelTable(["Project", "Status", "Ends", "Responsible"], rows)


def register_panels() -> None:
    register_client_panel(ClientPanel("deals", "Deals", figures=deal_figures, table=deals_of_client))
    register_client_panel(ClientPanel("projects", "Projects", figures=project_figures, table=projects_of_client))
