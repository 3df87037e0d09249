from django.urls import path

from dnc.views.checks import (
    AttemptViewSet,
    CheckViewSet,
    EmailOptOutViewSet,
    HistoryViewSet,
    OptOutViewSet,
    PermissionViewSet,
    RuleViewSet,
)
from dnc.views.lists import DncEntryViewSet, DncListViewSet, EntitlementViewSet, ListUploadViewSet, RegistryViewSet
from dnc.views.scrubs import (
    AnalyticsViewSet,
    CertificateFileViewSet,
    CertificateViewSet,
    RegistryAccessViewSet,
    ScrubFileViewSet,
    ScrubResultViewSet,
    ScrubViewSet,
)
from dnc.views.sources import SourceViewSet
from vocelio.api.routers import Router

router = Router()
router.register("dnc-lists", DncListViewSet, basename="dnc-lists")
router.register("dnc-entries", DncEntryViewSet, basename="dnc-entries")
router.register("dnc/entitlements", EntitlementViewSet, basename="dnc-entitlements")
router.register("dnc/sources", SourceViewSet, basename="dnc-sources")
router.register("dnc/uploads", ListUploadViewSet, basename="dnc-uploads")
router.register("dnc/permissions", PermissionViewSet, basename="dnc-permissions")
router.register("dnc/email-opt-outs", EmailOptOutViewSet, basename="dnc-email-opt-outs")
router.register("dnc/attempts", AttemptViewSet, basename="dnc-attempts")
router.register("dnc/registry-accesses", RegistryAccessViewSet, basename="dnc-registry-accesses")

urlpatterns = [
    *router.urls,
    path("dnc/registries", RegistryViewSet.as_view({"get": "retrieve"}), name="dnc-registries"),
    path("dnc/rules", RuleViewSet.as_view({"get": "retrieve"}), name="dnc-rules"),
    path("dnc/check", CheckViewSet.as_view({"post": "create"}), name="dnc-check"),
    path("dnc/opt-outs", OptOutViewSet.as_view({"post": "create"}), name="dnc-opt-outs"),
    path("dnc/history", HistoryViewSet.as_view({"get": "retrieve"}), name="dnc-history"),
    path("dnc/analytics", AnalyticsViewSet.as_view({"get": "retrieve"}), name="dnc-analytics"),
    path("dnc/scrub-campaign", ScrubViewSet.as_view({"post": "create"}), name="dnc-scrub-campaign"),
    path("dnc/scrub-results", ScrubViewSet.as_view({"get": "list"}), name="dnc-scrubs"),
    path("dnc/scrub-results/<uuid:pk>", ScrubViewSet.as_view({"get": "retrieve"}), name="dnc-scrub"),
    path("dnc/scrub-results/<uuid:pk>/cancel", ScrubViewSet.as_view({"post": "cancel"}), name="dnc-scrub-cancel"),
    path("dnc/scrub-results/<uuid:pk>/unwatch", ScrubViewSet.as_view({"post": "unwatch"}), name="dnc-scrub-unwatch"),
    path("dnc/scrub-results/<uuid:pk>/numbers", ScrubResultViewSet.as_view({"get": "list"}), name="dnc-scrub-numbers"),
    path("dnc/scrub-results/<uuid:pk>/export", ScrubFileViewSet.as_view({"get": "export"}), name="dnc-scrub-export"),
    path("dnc/certificates", CertificateViewSet.as_view({"get": "list"}), name="dnc-certificates"),
    path("dnc/certificates/verify", CertificateViewSet.as_view({"get": "verify"}), name="dnc-certificates-verify"),
    path("dnc/certificates/<uuid:pk>", CertificateViewSet.as_view({"get": "retrieve"}), name="dnc-certificate"),
    path("dnc/certificates/<uuid:pk>/pdf", CertificateFileViewSet.as_view({"get": "pdf"}), name="dnc-certificate-pdf"),
]
