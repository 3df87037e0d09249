"""Reports over HTTP: what the apps' analytics share."""

import datetime
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.schema import EnvelopeSchema
from vocelio.api.serializers import Serializer
from vocelio.api.viewsets import TenantViewSet
from vocelio.errors import Invalid
from vocelio.organizations.models import Organization
from vocelio.reports.files import report_csv, report_pdf
from vocelio.reports.shapes import Question, Report

FORMATS = ("json", "csv", "pdf")
DAYS_AND_FORMAT = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="The first day; 90 days before `to` unless given."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last day; today unless given."),
    OpenApiParameter("format", enum=FORMATS, default="json"),
]


class ReportColumnSerializer(Serializer):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the API's name
    kind = serializers.ChoiceField(choices=["text", "number", "money", "percent", "days", "date"])


class DatasetSerializer(Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # the API's name
    data = serializers.ListField()  # type: ignore[assignment]  # the API's name


class DrawingSerializer(Serializer):
    """A chart: a value of each dataset for each label."""

    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=["bar", "line", "doughnut"])
    labels = serializers.ListField(child=serializers.CharField())
    datasets = DatasetSerializer(many=True)


class ReportSerializer(Serializer):
    """A table, its totals and what to draw."""

    title = serializers.CharField()
    currency = serializers.CharField()
    first = serializers.DateField(help_text="The first day.")
    last = serializers.DateField(help_text="The last day.")
    generated_at = serializers.DateTimeField()
    columns = ReportColumnSerializer(many=True)
    rows = serializers.ListField(child=serializers.DictField())
    totals = serializers.DictField()
    charts = DrawingSerializer(many=True)


REPORT_ANSWERS: dict[Any, Any] = {
    (200, "application/json"): ReportSerializer,
    (200, "text/csv"): OpenApiTypes.BINARY,
    (200, "application/pdf"): OpenApiTypes.BINARY,
}


class ReportSchema(EnvelopeSchema):
    """Describes what a report can be narrowed by and the forms it comes in."""

    def get_override_parameters(self) -> list[Any]:
        return [*DAYS_AND_FORMAT, *self.view.narrowed_by.values()]

    def get_response_serializers(self) -> Any:
        return REPORT_ANSWERS


class DrawnReportViewSet(TenantViewSet):
    """Base of an app's reports, each a route of its own: `as_view({"get": "report"}, report_name="forecast")`."""

    schema = ReportSchema()
    serializer_class = ReportSerializer
    filter_backends = []
    pagination_class = None
    content_negotiation_class = DownloadNegotiation
    # Each report by its name, the question they are asked, and the ids it can be narrowed by beside the days.
    reports: ClassVar[Mapping[str, Callable[[Any], Report]]]
    question: ClassVar[type[Question]]
    narrowed_by: ClassVar[Mapping[str, OpenApiParameter]]
    report_name = ""

    def currency(self) -> str:
        """Return what amounts are in; reports without amounts leave it so."""
        return ""

    def report(self, request: Request) -> Any:
        """Answer the report, as JSON ready to draw, as CSV or as PDF."""
        known = {"from", "to", "format", *(each.name for each in self.narrowed_by.values())}
        for name in request.query_params:
            if name not in known:
                raise Invalid.field(name[:60], "There is no such parameter here.", constraint="unknown")
        kind = request.query_params.get("format", "json")
        if kind not in FORMATS:
            raise Invalid.field(
                "format", f"format is one of: {', '.join(FORMATS)}.", value=kind[:50], constraint="choice"
            )
        asked = self.question.of(
            self.principal,
            self.day("from"),
            self.day("to"),
            **{field: self.id(parameter.name) for field, parameter in self.narrowed_by.items()},
        )
        result = self.reports[self.report_name](asked)
        if kind == "json":
            return self.respond(self._shown(result, asked))
        if kind == "csv":
            return self._file(report_csv(result), "text/csv; charset=utf-8", "csv")
        organization = Organization.objects.values_list("name", flat=True).get(pk=self.principal.organization_id)
        content = report_pdf(result, asked, organization=organization, currency=self.currency())
        return self._file(content, "application/pdf", "pdf")

    def day(self, name: str) -> datetime.date | None:
        """Return a parameter that is a day; raise Invalid for anything else."""
        text = self.request.query_params.get(name)
        if not text:
            return None
        try:
            day = datetime.date.fromisoformat(text)
            if 2000 <= day.year <= 2100:
                return day
        except ValueError:
            pass
        raise Invalid.field(name, f"{name} is a day such as 2026-03-31.", value=text[:50], constraint="date")

    def id(self, name: str) -> uuid.UUID | None:
        """Return a parameter that is an id; raise Invalid for anything else."""
        text = self.request.query_params.get(name)
        try:
            return uuid.UUID(text) if text else None
        except ValueError:
            raise Invalid.field(name, f"{name} is an id.", value=(text or "")[:50], constraint="uuid") from None

    def _shown(self, result: Report, asked: Question) -> dict[str, Any]:
        return {
            "title": result.title,
            "currency": self.currency(),
            "first": asked.first,
            "last": asked.last,
            "generatedAt": timezone.now(),
            "columns": [asdict(column) for column in result.columns],
            "rows": result.rows,
            "totals": result.totals,
            "charts": [asdict(drawing) for drawing in result.charts],
        }

    def _file(self, content: str | bytes, content_type: str, ending: str) -> HttpResponse:
        name = f"{self.report_name}-{timezone.now():%Y-%m-%d}.{ending}"
        return HttpResponse(
            content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )
