"""/sales-analytics"""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from sales.models import Deal
from sales.services.money import own_currency
from sales.services.reports import REPORTS, Question
from vocelio.reports.views import DrawnReportViewSet


class ReportViewSet(DrawnReportViewSet):
    """Figures of sales; each counts what the caller may see."""

    model = Deal
    permissions = {"report": "deals:read"}
    reports = REPORTS
    question = Question
    narrowed_by = {
        "pipeline_id": OpenApiParameter("pipelineId", OpenApiTypes.UUID),
        "owner_id": OpenApiParameter("assignedTo", OpenApiTypes.UUID, description="Of one owner."),
    }

    def currency(self) -> str:
        return own_currency()
