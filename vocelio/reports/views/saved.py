"""/reports, their runs, schedules and mailings"""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.reports.models import ReportDelivery, ReportSchedule, SavedReport
from vocelio.reports.serializers import DeliverySerializer, SavedReportSerializer, ScheduleSerializer
from vocelio.reports.services import saved, schedules
from vocelio.reports.views.questions import QuestionSchema, answered


class SavedReportViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Reports that people keep: their own, and those that colleagues share."""

    model = SavedReport
    serializer_class = SavedReportSerializer
    sort_fields = {"name": "name", "createdAt": "created_at", "updatedAt": "updated_at"}
    permissions = {
        "list": "reports:read",
        "retrieve": "reports:read",
        "create": "reports:write",
        "update": "reports:write",
        "partial_update": "reports:write",
        "destroy": "reports:write",
    }

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("owner")

    def perform_create(self, data: dict[str, Any]) -> SavedReport:
        return saved.create_report(principal=self.principal, **data)

    def perform_update(self, instance: SavedReport, data: dict[str, Any]) -> SavedReport:
        return saved.update_report(instance, principal=self.principal, **data)

    def perform_destroy(self, instance: SavedReport) -> str:
        saved.delete_report(instance, principal=self.principal)
        return "Report deleted"


class SavedRunViewSet(TenantViewSet):
    """The answer of a saved report, as of now and of what the caller may see."""

    schema = QuestionSchema()
    model = SavedReport
    serializer_class = SavedReportSerializer
    filter_backends = []
    pagination_class = None
    content_negotiation_class = DownloadNegotiation
    permissions = {"run": "reports:read"}

    def run(self, request: Request, pk: Any) -> Any:
        """Run a saved report: as JSON ready to draw, or as a CSV, XLSX or PDF file."""
        report = self.get_object()
        return answered(self, report.definition, title=report.name, chart=report.chart)


class OfReport(TenantViewSet):
    """Base of what belongs to the report in the address."""

    def report(self) -> SavedReport:
        visible = SavedReport.objects.get_queryset().visible_to(self.principal)
        report: SavedReport = get_object_or_404(visible, pk=self.kwargs["report_id"])
        return report

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        return rows.filter(report=self.report())


class ScheduleViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, OfReport):
    """When a report is mailed, and to whom. It is computed as the schedule's owner."""

    model = ReportSchedule
    serializer_class = ScheduleSerializer
    permissions = dict.fromkeys(
        ["list", "retrieve", "create", "update", "partial_update", "destroy", "send"], "reports:schedule"
    )

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("owner", "report")

    def perform_create(self, data: dict[str, Any]) -> ReportSchedule:
        return schedules.create_schedule(report=self.report(), principal=self.principal, **data)

    def perform_update(self, instance: ReportSchedule, data: dict[str, Any]) -> ReportSchedule:
        return schedules.update_schedule(instance, principal=self.principal, **data)

    def perform_destroy(self, instance: ReportSchedule) -> str:
        schedules.delete_schedule(instance)
        return "Schedule deleted"

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def send(self, request: Request, **kwargs: Any) -> Response:
        """Mail it now; 202 with the mailing, whose progress a socket tells."""
        return self.respond(DeliverySerializer(schedules.send_now(self.get_object())).data, status=202)


class DeliveryViewSet(ListMixin, OfReport):
    """What became of the mailings of a report, newest first."""

    model = ReportDelivery
    serializer_class = DeliverySerializer
    permissions = {"list": "reports:schedule"}
