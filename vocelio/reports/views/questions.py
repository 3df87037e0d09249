"""/reports/metrics, /reports/run"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.schema import EnvelopeSchema
from vocelio.api.viewsets import TenantViewSet
from vocelio.audit.services import record
from vocelio.reports.files import report_file
from vocelio.reports.models import SavedReport
from vocelio.reports.registry import metrics_for
from vocelio.reports.serializers import (
    DefinitionSerializer,
    FiguresSerializer,
    MetricSerializer,
)
from vocelio.reports.services.answers import answer_in_time, as_report
from vocelio.reports.services.questions import read_question
from vocelio.reports.services.shown import shown_answer
from vocelio.reports.views.drawn import FORMAT, answers, file_response, format_asked


def answered(view: Any, definition: dict[str, Any], *, name: str = "report", title: str = "", chart: str = "") -> Any:
    """Answer what a definition asks as the request's `format` wishes."""
    kind = format_asked(view.request)
    question = read_question(definition, view.principal)
    found = answer_in_time(question)
    if kind == "json":
        return view.respond(shown_answer(found, title))
    report = as_report(found, title=title, chart=chart)
    return file_response(report_file(kind, report, question, currency=found.currency), name, kind)


class MetricViewSet(TenantViewSet):
    """What can be counted, of what the caller may see."""

    model = SavedReport
    serializer_class = MetricSerializer
    filter_backends = []
    pagination_class = None
    permissions = {"metrics": "reports:read"}

    @extend_schema(responses=MetricSerializer(many=True))
    def metrics(self, request: Request) -> Response:
        """List the metrics with their dimensions."""
        return self.respond(MetricSerializer(metrics_for(self.principal), many=True).data)


class QuestionSchema(EnvelopeSchema):
    """Describes the forms an answer comes in."""

    def get_override_parameters(self) -> list[Any]:
        return [FORMAT]

    def get_response_serializers(self) -> Any:
        return answers(FiguresSerializer)


class QuestionViewSet(TenantViewSet):
    """Questions that nobody saved."""

    schema = QuestionSchema()
    model = SavedReport
    serializer_class = DefinitionSerializer
    filter_backends = []
    pagination_class = None
    content_negotiation_class = DownloadNegotiation
    # A question changes nothing: there is nothing to do twice.
    keeps_answers = False
    permissions = {"run": "reports:read"}

    def run(self, request: Request) -> Any:
        """Ask metrics: as JSON ready to draw, or as a CSV, XLSX or PDF file."""
        definition = self.validated()
        record("report.asked", "savedreport", metrics=definition["metrics"])
        return answered(self, definition)
