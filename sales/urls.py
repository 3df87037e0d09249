from typing import Any

from django.urls import URLPattern, URLResolver, path

from sales.services.reports import REPORTS
from sales.views.activities import ActivityViewSet, CalendarFeedViewSet, CalendarViewSet
from sales.views.boards import BoardViewSet
from sales.views.deals import DealExportViewSet, DealViewSet
from sales.views.imports import DealDraftViewSet, DealFileViewSet, DealImportViewSet
from sales.views.leads import AssignmentRuleViewSet, LeadViewSet
from sales.views.pipelines import (
    ExchangeRateViewSet,
    LostReasonViewSet,
    PipelineViewSet,
    SalesSettingsViewSet,
    StageViewSet,
)
from sales.views.profiles import NewSalesProfileViewSet, SalesProfileViewSet
from sales.views.projects import ClientProjectsViewSet, MilestoneViewSet, ProjectMemberViewSet, ProjectViewSet
from sales.views.reports import ReportViewSet
from vocelio.api.routers import Router

router = Router()
router.register("sales-profiles", SalesProfileViewSet, basename="sales-profiles")
router.register("pipelines", PipelineViewSet, basename="pipelines")
router.register("pipeline-stages", StageViewSet, basename="pipeline-stages")
router.register("lost-reasons", LostReasonViewSet, basename="lost-reasons")
router.register("exchange-rates", ExchangeRateViewSet, basename="exchange-rates")
router.register("deals", DealViewSet, basename="deals")
router.register("projects", ProjectViewSet, basename="projects")
router.register("sales-activities", ActivityViewSet, basename="sales-activities")
router.register("assignment-rules", AssignmentRuleViewSet, basename="assignment-rules")

PART: dict[str, Any] = {"put": "update", "patch": "partial_update", "delete": "destroy"}

urlpatterns: list[URLPattern | URLResolver] = [
    path("sales-settings", SalesSettingsViewSet.as_view({"get": "retrieve", "put": "update"}), name="sales-settings"),
    path("deals/board", BoardViewSet.as_view({"get": "board"}), name="deal-board"),
    path("deals/board/<uuid:pk>", BoardViewSet.as_view({"get": "column"}), name="deal-board-column"),
    path("deals/export", DealExportViewSet.as_view({"get": "export"}), name="deal-export"),
    path("uploads/deals", DealImportViewSet.as_view({"post": "create"}), name="upload-deals"),
    path("uploads/deals/template", DealFileViewSet.as_view({"get": "template"}), name="deal-template"),
    path("uploads/deals/<uuid:pk>", DealImportViewSet.as_view({"get": "retrieve"}), name="deal-upload"),
    path("uploads/deals/<uuid:pk>/cancel", DealImportViewSet.as_view({"post": "cancel"}), name="deal-upload-cancel"),
    path(
        "uploads/deals/<uuid:pk>/preview",
        DealDraftViewSet.as_view({"get": "preview", "post": "run_preview"}),
        name="deal-upload-preview",
    ),
    path("uploads/deals/<uuid:pk>/start", DealDraftViewSet.as_view({"post": "start"}), name="deal-upload-start"),
    path(
        "uploads/deals/<uuid:pk>/undo",
        DealDraftViewSet.as_view({"get": "show_undo", "post": "undo"}),
        name="deal-upload-undo",
    ),
    path("uploads/deals/<uuid:pk>/rejected", DealFileViewSet.as_view({"get": "rejected"}), name="deal-upload-rejected"),
    path("leads/convert", LeadViewSet.as_view({"post": "convert"}), name="lead-convert"),
    path("projects/<uuid:project_id>/members/<uuid:pk>", ProjectMemberViewSet.as_view(PART), name="project-member"),
    path("projects/<uuid:project_id>/milestones/<uuid:pk>", MilestoneViewSet.as_view(PART), name="project-milestone"),
    path("clients/<uuid:pk>/projects", ClientProjectsViewSet.as_view({"get": "projects"}), name="client-projects"),
    path(
        "contacts/<uuid:pk>/sales-profile",
        NewSalesProfileViewSet.as_view({"post": "create"}),
        name="contact-sales-profile",
    ),
    path("calendar-feed", CalendarFeedViewSet.as_view({"post": "create", "delete": "destroy"}), name="calendar-feed"),
    path("calendar/<str:token>.ics", CalendarViewSet.as_view({"get": "read"}), name="calendar"),
    *(
        path(
            f"sales-analytics/{name}",
            ReportViewSet.as_view({"get": "report"}, report_name=name),
            name=f"sales-analytics-{name}",
        )
        for name in REPORTS
    ),
    *router.urls,
]
