"""Deals: as a list, as a board, in figures."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from sales.admin.values import CurrencyForm
from sales.models import Activity, Deal, Pipeline, Project, StageKind
from sales.services import deals
from sales.services.money import own_currency
from sales.services.pipelines import usual_pipeline
from sales.services.projects import project_of_deal
from sales.services.reports import REPORTS, Question
from vocelio.backoffice.forms import by_id
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.numbers import money
from vocelio.reports.charts import days_chosen, drawn_reports, period_chosen

DASHBOARD = ["pipeline", "forecast", "trend", "conversion", "win-loss", "owners", "activities", "velocity"]


@admin.register(Deal)
class DealAdmin(TenantAdmin):
    permissions = {
        "view": "deals:read",
        "add": "deals:write",
        "change": "deals:write",
        "delete": "deals:delete",
        "make_project": "projects:write",
    }
    section = "Sales"
    icon = "handshake"
    form = CurrencyForm
    change_form_template = "backoffice/with_action.html"

    list_display = ("name", "shown_client", "worth", "stage", "state", "assigned_to", "expected_close_on", "created_at")
    list_select_related = ("client", "stage", "assigned_to", "pipeline")
    list_filter = ("status",)
    search_fields = ("name", "client__name")
    autocomplete_fields = ("client",)
    readonly_fields = ("status", "base_amount", "stage_entered_at", "closed_at", "created_by", "created_at", "version")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    ("stage", "status"),
                    ("amount", "currency", "base_amount"),
                    ("client", "assigned_to"),
                    ("expected_close_on", "source"),
                    "tags",
                    "description",
                )
            },
        ),
        ("Lost", {"fields": (("lost_reason", "lost_note"),)}),
        ("History", {"fields": (("stage_entered_at", "closed_at"), ("created_by", "created_at", "version"))}),
    )

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show the board and the figures beside the list."""
        return [
            ("Board", "view_kanban", reverse("admin:sales_deal_board")),
            ("Sales figures", "monitoring", reverse("admin:sales_deal_figures")),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.alive().defer("client__search")  # type: ignore[no-any-return]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"currency": own_currency(), **super().get_changeform_initial_data(request)}

    @admin.display(description="Client")
    def shown_client(self, deal: Deal) -> str:
        return str(deal.client or "")

    @admin.display(description="Amount")
    def worth(self, deal: Deal) -> str:
        return money(deal.amount, deal.currency)

    @display(description="Status", label={"Open": "info", "Won": "success", "Lost": "danger"})  # type: ignore[untyped-decorator]
    def state(self, deal: Deal) -> str:
        return deal.get_status_display()

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Deal:
        values = by_id(data, "client", "assigned_to", "lost_reason")
        return deals.create_deal(principal=self.principal(request), stage=values.pop("stage"), **values)

    def perform_update(self, request: HttpRequest, obj: Deal, changes: dict[str, Any]) -> None:
        values = by_id(changes, "client", "assigned_to", "lost_reason")
        stage = values.pop("stage", None)
        deals.update_deal(deal=obj, principal=self.principal(request), stage=stage, **values)

    def perform_delete(self, request: HttpRequest, obj: Deal) -> None:
        deals.delete_deal(deal=obj)

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("board/", site.admin_view(self.board), name="sales_deal_board"),
            path("figures/", site.admin_view(self.figures), name="sales_deal_figures"),
            path("<uuid:pk>/project/", site.admin_view(self.make_project), name="sales_deal_project"),
            *super().get_urls(),
        ]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer to make the project of a won deal, or the way to it."""
        offered = None
        deal = self.get_object(request, object_id) if object_id else None
        if deal is not None and deal.status == StageKind.WON:
            visible: Any = Project.objects.get_queryset().visible_to(self.principal(request))
            if project := visible.alive().filter(deal=deal).first():
                page = reverse("admin:sales_project_change", args=[project.pk])
                offered = {"page": page, "label": "Open its project"}
            elif self.may(request, "make_project"):
                address = reverse("admin:sales_deal_project", args=[deal.pk])
                offered = {"address": address, "label": "Make its project"}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "offered": offered})

    def make_project(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Make the project of a won deal, and go there."""
        if request.method != "POST" or not self.may(request, "make_project"):
            raise PermissionDenied
        deal = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            with transaction.atomic():
                project = project_of_deal(deal=deal, principal=self.principal(request))
        except VocelioError as error:
            self.message_user(request, error.message, messages.ERROR)
            return redirect("admin:sales_deal_change", pk)
        self.message_user(request, f"{project} is planned.", messages.SUCCESS)
        return redirect("admin:sales_project_change", project.pk)

    def board(self, request: HttpRequest) -> HttpResponse:
        """Show the board; static/sales/board.js fills it by the API and follows what others do."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        usual_pipeline()
        pipelines = list(Pipeline.objects.alive().order_by("-is_default", "created_at"))
        chosen = next((each for each in pipelines if str(each.pk) == request.GET.get("pipeline")), pipelines[0])
        context = {
            **self.admin_site.each_context(request),
            "title": "Deals board",
            "pipelines": pipelines,
            "chosen": chosen,
            "may_move": self.has_change_permission(request),
            "opts": self.opts,
        }
        return TemplateResponse(request, "backoffice/deal_board.html", context)

    def figures(self, request: HttpRequest) -> HttpResponse:
        """Show the reports as charts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        principal = self.principal(request)
        asked = Question.of(principal, *days_chosen(request))
        reports = {name: REPORTS[name](asked) for name in DASHBOARD}
        pipeline, won = reports["pipeline"].totals, reports["win-loss"].totals
        visible = Activity.objects.get_queryset().visible_to(principal)
        context = {
            **self.admin_site.each_context(request),
            "title": "Sales figures",
            "opts": self.opts,
            "currency": own_currency(),
            "channel": "deals",
            "events": "deal",
            **period_chosen(request),
            "figures": [
                ("Open deals", pipeline["count"], f"{pipeline['rotting']} rotting", "handshake"),
                ("Open value", pipeline["amount"], "in all stages", "payments"),
                ("Weighted value", pipeline["weighted"], "by probability of the stage", "balance"),
                ("By history", reports["forecast"].totals["byHistory"], "by what became of such deals", "history"),
                ("Won", won["wonAmount"], f"{won['won']} deals, win rate {won['winRate'] or 0} %", "trophy"),
                ("Lost", won["lostAmount"], f"{won['lost']} deals", "sentiment_dissatisfied"),
                ("Overdue activities", visible.overdue().count(), "to be done", "alarm"),
            ],
            "reports": drawn_reports(reports, asked, "sales-analytics"),
        }
        return TemplateResponse(request, "backoffice/figures.html", context)
