from typing import Any

from django.urls import URLPattern, URLResolver, path

from vocelio.api.routers import Router
from vocelio.reports.views.questions import MetricViewSet, QuestionViewSet
from vocelio.reports.views.saved import DeliveryViewSet, SavedReportViewSet, SavedRunViewSet, ScheduleViewSet

router = Router()
router.register("reports", SavedReportViewSet, basename="reports")

MANY: dict[str, Any] = {"get": "list", "post": "create"}
ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/metrics", MetricViewSet.as_view({"get": "metrics"}), name="report-metrics"),
    path("reports/run", QuestionViewSet.as_view({"post": "run"}), name="report-question"),
    path("reports/<uuid:pk>/run", SavedRunViewSet.as_view({"get": "run"}), name="report-run"),
    path("reports/<uuid:report_id>/schedules", ScheduleViewSet.as_view(MANY), name="report-schedules"),
    path("reports/<uuid:report_id>/schedules/<uuid:pk>", ScheduleViewSet.as_view(ONE), name="report-schedule"),
    path(
        "reports/<uuid:report_id>/schedules/<uuid:pk>/send",
        ScheduleViewSet.as_view({"post": "send"}),
        name="report-schedule-send",
    ),
    path("reports/<uuid:report_id>/deliveries", DeliveryViewSet.as_view({"get": "list"}), name="report-deliveries"),
    *router.urls,
]
