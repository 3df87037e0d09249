from django.urls import URLPattern, URLResolver, path

from recruitment.views.profiles import (
    CandidateFilesViewSet,
    CandidateFileViewSet,
    CandidateProfileViewSet,
    NewCandidateProfileViewSet,
)
from vocelio.api.routers import Router

router = Router()
router.register("candidate-profiles", CandidateProfileViewSet, basename="candidate-profiles")
router.register("candidate-files", CandidateFileViewSet, basename="candidate-files")

urlpatterns: list[URLPattern | URLResolver] = [
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
