from django.urls import URLPattern, URLResolver, path

from recruitment.services.reports import REPORTS
from recruitment.views.applications import ApplicationBoardViewSet, ApplicationViewSet
from recruitment.views.careers import PublicJobViewSet
from recruitment.views.cvs import CvBatchViewSet, CvViewSet
from recruitment.views.hiring import (
    InterviewViewSet,
    NewInterviewViewSet,
    NewOfferViewSet,
    NewPlacementViewSet,
    NewSubmissionViewSet,
    OfferViewSet,
    PlacementViewSet,
    SubmissionViewSet,
)
from recruitment.views.jobs import (
    ClientJobsViewSet,
    HiringProcessViewSet,
    JobBoardViewSet,
    JobViewSet,
    RecruitmentSettingsViewSet,
    RejectionReasonViewSet,
)
from recruitment.views.pools import ClaimViewSet, ConsentViewSet, HotlistViewSet
from recruitment.views.profiles import (
    CandidateFilesViewSet,
    CandidateFileViewSet,
    CandidateProfileViewSet,
    NewCandidateProfileViewSet,
)
from recruitment.views.reports import RecruitmentReportViewSet
from vocelio.api.routers import Router

router = Router()
router.register("jobs", JobViewSet, basename="jobs")
router.register("applications", ApplicationViewSet, basename="applications")
router.register("interviews", InterviewViewSet, basename="interviews")
router.register("offers", OfferViewSet, basename="offers")
router.register("placements", PlacementViewSet, basename="placements")
router.register("submissions", SubmissionViewSet, basename="submissions")
router.register("hotlists", HotlistViewSet, basename="hotlists")
router.register("cvs", CvViewSet, basename="cvs")
router.register("cv-batches", CvBatchViewSet, basename="cv-batches")
router.register("hiring-processes", HiringProcessViewSet, basename="hiring-processes")
router.register("rejection-reasons", RejectionReasonViewSet, basename="rejection-reasons")
router.register("candidate-profiles", CandidateProfileViewSet, basename="candidate-profiles")
router.register("candidate-files", CandidateFileViewSet, basename="candidate-files")

urlpatterns: list[URLPattern | URLResolver] = [
    path("jobs/board", JobBoardViewSet.as_view({"get": "board"}), name="job-board"),
    path("jobs/board/<slug:column>", JobBoardViewSet.as_view({"get": "column"}), name="job-board-column"),
    path("clients/<uuid:pk>/jobs", ClientJobsViewSet.as_view({"get": "jobs"}), name="client-jobs"),
    path("applications/board", ApplicationBoardViewSet.as_view({"get": "board"}), name="application-board"),
    path(
        "applications/board/<uuid:pk>",
        ApplicationBoardViewSet.as_view({"get": "column"}),
        name="application-board-column",
    ),
    path(
        "recruitment-settings",
        RecruitmentSettingsViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="recruitment-settings",
    ),
    *(
        path(
            f"recruitment-analytics/{name}",
            RecruitmentReportViewSet.as_view({"get": "report"}, report_name=name),
            name=f"recruitment-analytics-{name}",
        )
        for name in REPORTS
    ),
    *(
        path(f"applications/<uuid:pk>/{noun}", view.as_view({"post": "create"}), name=f"application-{noun}")
        for noun, view in (
            ("interviews", NewInterviewViewSet),
            ("offers", NewOfferViewSet),
            ("placement", NewPlacementViewSet),
            ("submissions", NewSubmissionViewSet),
        )
    ),
    path(
        "hotlists/<uuid:pk>/candidates/<uuid:contact_id>",
        HotlistViewSet.as_view({"delete": "take_off"}),
        name="hotlist-candidate",
    ),
    path(
        "contacts/<uuid:pk>/candidate-owner",
        ClaimViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
        name="candidate-owner",
    ),
    path(
        "contacts/<uuid:pk>/candidate-consents",
        ConsentViewSet.as_view({"get": "list", "post": "create"}),
        name="candidate-consents",
    ),
    path("contacts/<uuid:pk>/anonymise", ConsentViewSet.as_view({"post": "anonymise"}), name="candidate-anonymise"),
    path("public/jobs/<slug:slug>", PublicJobViewSet.as_view({"get": "retrieve"}), name="public-job"),
    path("public/jobs/<slug:slug>/apply", PublicJobViewSet.as_view({"post": "apply"}), name="public-job-apply"),
    *router.urls,
    path(
        "contacts/<uuid:pk>/candidate-profile",
        NewCandidateProfileViewSet.as_view({"post": "create"}),
        name="contact-candidate-profile",
    ),
    path(
        "candidate-profiles/<uuid:pk>/files",
        CandidateFilesViewSet.as_view({"get": "list", "post": "create"}),
        name="candidate-profile-files",
    ),
]
