"""/recruitment-analytics"""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from recruitment.models import JobOpening
from recruitment.services.reports import REPORTS, Question
from vocelio.reports.views import DrawnReportViewSet


class RecruitmentReportViewSet(DrawnReportViewSet):
    """Figures of recruitment; each counts what the caller may see."""

    model = JobOpening
    permissions = {"report": "applications:read"}
    reports = REPORTS
    question = Question
    narrowed_by = {
        "job_id": OpenApiParameter("jobId", OpenApiTypes.UUID),
        "client_id": OpenApiParameter("clientId", OpenApiTypes.UUID),
        "owner_id": OpenApiParameter("assignedTo", OpenApiTypes.UUID, description="Of one recruiter."),
    }
