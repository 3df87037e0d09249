"""/sales-analytics"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from contacts.reports.shapes import Report
from contacts.views.drawn_reports import DAYS_AND_FORMAT, REPORT_ANSWERS, DrawnReportViewSet
from sales.models import Deal
from sales.services.money import own_currency
from sales.services.reports import REPORTS, Question, question


class ReportViewSet(DrawnReportViewSet):
    """Figures of sales; each counts what the caller may see."""

    model = Deal
    permissions = {"report": "deals:read"}
    parameters = ("pipelineId", "assignedTo")

    @extend_schema(
        parameters=[
            *DAYS_AND_FORMAT,
            OpenApiParameter("pipelineId", OpenApiTypes.UUID),
            OpenApiParameter("assignedTo", OpenApiTypes.UUID, description="Of one owner."),
        ],
        responses=REPORT_ANSWERS,
    )
    def report(self, request: Request) -> Any:
        """Answer the report, as JSON ready to draw, as CSV or as PDF."""
        return super().report(request)

    def question(self) -> Question:
        return question(
            principal=self.principal,
            first=self.day("from"),
            last=self.day("to"),
            pipeline_id=self.id("pipelineId"),
            owner_id=self.id("assignedTo"),
        )

    def answer(self, asked: Question) -> Report:
        return REPORTS[self.report_name](asked)

    def currency(self) -> str:
        return own_currency()
