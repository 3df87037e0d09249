"""/recruitment-analytics"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from contacts.reports.shapes import Report
from contacts.views.drawn_reports import DAYS_AND_FORMAT, REPORT_ANSWERS, DrawnReportViewSet
from recruitment.models import JobOpening
from recruitment.services.reports import REPORTS, Question, question


class RecruitmentReportViewSet(DrawnReportViewSet):
    """Figures of recruitment; each counts what the caller may see."""

    model = JobOpening
    permissions = {"report": "applications:read"}
    parameters = ("jobId", "clientId", "assignedTo")

    @extend_schema(
        parameters=[
            *DAYS_AND_FORMAT,
            OpenApiParameter("jobId", OpenApiTypes.UUID),
            OpenApiParameter("clientId", OpenApiTypes.UUID),
            OpenApiParameter("assignedTo", OpenApiTypes.UUID, description="Of one recruiter."),
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
            job_id=self.id("jobId"),
            client_id=self.id("clientId"),
            owner_id=self.id("assignedTo"),
        )

    def answer(self, asked: Question) -> Report:
        return REPORTS[self.report_name](asked)

    def currency(self) -> str:
        return ""
