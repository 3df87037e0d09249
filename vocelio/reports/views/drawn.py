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
from vocelio.reports.files import CONTENT_TYPES, report_file
from vocelio.reports.shapes import Question, Report

FORMATS = ("json", *CONTENT_TYPES)
FORMAT = OpenApiParameter("format", enum=FORMATS, default="json")
DAYS_AND_FORMAT = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="The first day; 90 days before `to` unless given."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last day; today unless given."),
    FORMAT,
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


def answers(serializer: Any) -> dict[Any, Any]:
    """Return the forms an answer comes in, for the schema: the serializer's, and files."""
    files = {(200, content_type.partition(";")[0]): OpenApiTypes.BINARY for content_type in CONTENT_TYPES.values()}
    return {(200, "application/json"): serializer, **files}


def format_asked(request: Request) -> str:
    """Return what the answer is to be; raise Invalid for what there is not."""
    kind = request.query_params.get("format", "json")
    if kind not in FORMATS:
        raise Invalid.field("format", f"format is one of: {', '.join(FORMATS)}.", value=kind[:50], constraint="choice")
    return kind


def file_response(content: bytes, name: str, kind: str) -> HttpResponse:
    """Answer a file of today."""
    disposition = f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.{kind}"'
    return HttpResponse(content, content_type=CONTENT_TYPES[kind], headers={"Content-Disposition": disposition})


class ReportSchema(EnvelopeSchema):
    """Describes what a report can be narrowed by and the forms it comes in."""

    def get_override_parameters(self) -> list[Any]:
        return [*DAYS_AND_FORMAT, *self.view.narrowed_by.values()]

    def get_response_serializers(self) -> Any:
        return answers(ReportSerializer)


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
        """Answer the report, as JSON ready to draw, as CSV, as XLSX or as PDF."""
        known = {"from", "to", "format", *(each.name for each in self.narrowed_by.values())}
        for name in request.query_params:
            if name not in known:
                raise Invalid.field(name[:60], "There is no such parameter here.", constraint="unknown")
        kind = format_asked(request)
        asked = self.question.of(
            self.principal,
            self.day("from"),
            self.day("to"),
            **{field: self.id(parameter.name) for field, parameter in self.narrowed_by.items()},
        )
        result = self.reports[self.report_name](asked)
        if kind == "json":
            return self.respond(self._shown(result, asked))
        content = report_file(kind, result, asked, currency=self.currency())
        return file_response(content, self.report_name, kind)

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
