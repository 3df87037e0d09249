"""/sales-analytics"""

import datetime
import uuid
from dataclasses import asdict
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sales.models import Deal
from sales.services.money import own_currency
from sales.services.report_files import report_csv, report_pdf
from sales.services.reports import REPORTS, Question, Report, question
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.serializers import Serializer
from vocelio.api.viewsets import TenantViewSet
from vocelio.errors import Invalid
from vocelio.organizations.models import Organization

FORMATS = ("json", "csv", "pdf")
PARAMETERS = ("from", "to", "pipelineId", "assignedTo", "format")


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


class ReportViewSet(TenantViewSet):
    """Figures of sales; each counts what the caller may see."""

    model = Deal
    serializer_class = ReportSerializer
    filter_backends = []
    pagination_class = None
    content_negotiation_class = DownloadNegotiation
    permissions = {"report": "deals:read"}
    report_name = ""

    @extend_schema(
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATE, description="The first day; 90 days before `to` unless given."),
            OpenApiParameter("to", OpenApiTypes.DATE, description="The last day; today unless given."),
            OpenApiParameter("pipelineId", OpenApiTypes.UUID),
            OpenApiParameter("assignedTo", OpenApiTypes.UUID, description="Of one owner."),
            OpenApiParameter("format", enum=FORMATS, default="json"),
        ],
        responses={
            (200, "application/json"): ReportSerializer,
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, "application/pdf"): OpenApiTypes.BINARY,
        },
    )
    def report(self, request: Request) -> Response | HttpResponse:
        """Answer the report, as JSON ready to draw, as CSV or as PDF."""
        kind = request.query_params.get("format", "json")
        if kind not in FORMATS:
            raise Invalid.field(
                "format", f"format is one of: {', '.join(FORMATS)}.", value=kind[:50], constraint="choice"
            )
        asked = self._question()
        result = REPORTS[self.report_name](asked)
        if kind == "json":
            return self.respond(self._shown(result, asked))
        if kind == "csv":
            return self._file(report_csv(result), "text/csv; charset=utf-8", "csv")
        organization = Organization.objects.values_list("name", flat=True).get(pk=self.principal.organization_id)
        content = report_pdf(result, asked, organization=organization, currency=own_currency())
        return self._file(content, "application/pdf", "pdf")

    def _question(self) -> Question:
        for name in self.request.query_params:
            if name not in PARAMETERS:
                raise Invalid.field(name[:60], "There is no such parameter here.", constraint="unknown")
        return question(
            principal=self.principal,
            first=self._day("from"),
            last=self._day("to"),
            pipeline_id=self._id("pipelineId"),
            owner_id=self._id("assignedTo"),
        )

    def _shown(self, result: Report, asked: Question) -> dict[str, Any]:
        return {
            "title": result.title,
            "currency": own_currency(),
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

    def _day(self, name: str) -> datetime.date | None:
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

    def _id(self, name: str) -> uuid.UUID | None:
        text = self.request.query_params.get(name)
        try:
            return uuid.UUID(text) if text else None
        except ValueError:
            raise Invalid.field(name, f"{name} is an id.", value=(text or "")[:50], constraint="uuid") from None
