from django.urls import path

from contacts.views.bulk import BulkJobViewSet
from contacts.views.client_merges import ClientMergeViewSet
from contacts.views.clients import ClientPeopleViewSet, ClientViewSet, ContactRelationsViewSet
from contacts.views.contacts import ContactViewSet
from contacts.views.custom_fields import CustomFieldViewSet, SavedViewViewSet
from contacts.views.duplicates import ContactDuplicateViewSet, DuplicateScanViewSet, MergeViewSet
from contacts.views.exports import ContactExportViewSet, ExportFileViewSet
from contacts.views.history import ContactHistoryViewSet
from contacts.views.imports import (
    ClientDraftViewSet,
    ClientFileViewSet,
    ClientImportViewSet,
    ContactImportViewSet,
    DraftViewSet,
    ImportFileViewSet,
    ImportPresetViewSet,
)
from contacts.views.lists import ContactListViewSet
from contacts.views.profiles import (
    ContactInsightViewSet,
    InsightViewSet,
    ProfileHistoryViewSet,
    ProfileSummaryViewSet,
    ProfilesViewSet,
)
from contacts.views.reports import (
    ContactAnalyticsFileViewSet,
    ContactAnalyticsViewSet,
    EraseViewSet,
    ErasureViewSet,
)
from vocelio.api.routers import Router

router = Router()
router.register("contacts", ContactViewSet, basename="contacts")
router.register("clients", ClientViewSet, basename="clients")
router.register("contact-profiles", ProfileSummaryViewSet, basename="contact-profiles")
router.register("contact-insights", InsightViewSet, basename="contact-insights")
router.register("contact-lists", ContactListViewSet, basename="contact-lists")
router.register("contact-fields", CustomFieldViewSet, basename="contact-fields")
router.register("contact-views", SavedViewViewSet, basename="contact-views")

router.register("uploads/presets", ImportPresetViewSet, basename="import-presets")

urlpatterns = [
    path("contacts/export", ContactExportViewSet.as_view({"post": "create"}), name="contacts-export"),
    path("analytics/contacts", ContactAnalyticsViewSet.as_view({"get": "figures"}), name="contact-analytics"),
    path("analytics/contacts/export", ContactAnalyticsFileViewSet.as_view({"get": "export"}), name="contact-figures"),
    path("contacts/<uuid:pk>/erase", EraseViewSet.as_view({"post": "erase"}), name="contact-erase"),
    path("erasures", ErasureViewSet.as_view({"get": "list"}), name="erasures"),
    path("erasures/<uuid:pk>", ErasureViewSet.as_view({"get": "retrieve"}), name="erasure"),
    path("contacts/bulk-jobs", BulkJobViewSet.as_view({"get": "list"}), name="bulk-jobs"),
    path("contacts/bulk-jobs/preview", BulkJobViewSet.as_view({"post": "preview"}), name="bulk-preview"),
    path("contacts/bulk-jobs/<uuid:pk>", BulkJobViewSet.as_view({"get": "retrieve"}), name="bulk-job"),
    path("contacts/bulk-jobs/<uuid:pk>/cancel", BulkJobViewSet.as_view({"post": "cancel"}), name="bulk-job-cancel"),
    path("contacts/bulk-jobs/<uuid:pk>/undo", BulkJobViewSet.as_view({"post": "undo"}), name="bulk-job-undo"),
    path("contacts/duplicates", ContactDuplicateViewSet.as_view({"get": "list"}), name="contact-duplicates"),
    path(
        "contacts/duplicates/scans",
        DuplicateScanViewSet.as_view({"get": "list", "post": "create"}),
        name="duplicate-scans",
    ),
    path(
        "contacts/duplicates/scans/<uuid:pk>", DuplicateScanViewSet.as_view({"get": "retrieve"}), name="duplicate-scan"
    ),
    path(
        "contacts/duplicates/<uuid:pk>/dismiss",
        ContactDuplicateViewSet.as_view({"post": "dismiss"}),
        name="duplicate-dismiss",
    ),
    path(
        "contacts/duplicates/<uuid:pk>/reopen",
        ContactDuplicateViewSet.as_view({"post": "reopen"}),
        name="duplicate-reopen",
    ),
    path("contacts/merge", MergeViewSet.as_view({"post": "merge"}), name="contact-merge"),
    path("contacts/<uuid:pk>/merges", MergeViewSet.as_view({"get": "merges"}), name="contact-merges"),
    path("contacts/<uuid:pk>/unmerge", MergeViewSet.as_view({"post": "unmerge"}), name="contact-unmerge"),
    path("clients/merge", ClientMergeViewSet.as_view({"post": "merge"}), name="client-merge"),
    path("clients/<uuid:pk>/merges", ClientMergeViewSet.as_view({"get": "merges"}), name="client-merges"),
    path("clients/<uuid:pk>/unmerge", ClientMergeViewSet.as_view({"post": "unmerge"}), name="client-unmerge"),
    *router.urls,
    path("contacts/<uuid:pk>/history", ContactHistoryViewSet.as_view({"get": "history"}), name="contact-history"),
    path("contacts/<uuid:pk>/timeline", ContactHistoryViewSet.as_view({"get": "timeline"}), name="contact-timeline"),
    path(
        "contacts/<uuid:pk>/history/<uuid:change_pk>/revert",
        ContactHistoryViewSet.as_view({"post": "revert"}),
        name="contact-revert",
    ),
    path(
        "clients/<uuid:pk>/contacts",
        ClientPeopleViewSet.as_view({"get": "list", "post": "create"}),
        name="client-contacts",
    ),
    path(
        "contacts/<uuid:pk>/client-relationships",
        ContactRelationsViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="contact-client-relationships",
    ),
    path("contacts/<uuid:pk>/profiles", ProfilesViewSet.as_view({"get": "retrieve"}), name="contact-profiles-of"),
    path("contacts/<uuid:pk>/profile-summary", ProfilesViewSet.as_view({"get": "summary"}), name="contact-summary"),
    path(
        "contacts/<uuid:pk>/profile-audit-log",
        ProfileHistoryViewSet.as_view({"get": "list"}),
        name="contact-profile-history",
    ),
    path("contacts/<uuid:pk>/insights", ContactInsightViewSet.as_view({"get": "list"}), name="contact-insights-of"),
    path("uploads", ContactImportViewSet.as_view({"get": "list"}), name="uploads"),
    path("uploads/template", ImportFileViewSet.as_view({"get": "template"}), name="upload-template"),
    path("uploads/contacts", ContactImportViewSet.as_view({"post": "create"}), name="upload-contacts"),
    path("uploads/contacts/<uuid:pk>", ContactImportViewSet.as_view({"get": "retrieve"}), name="upload"),
    path("uploads/contacts/<uuid:pk>/cancel", ContactImportViewSet.as_view({"post": "cancel"}), name="upload-cancel"),
    path(
        "uploads/contacts/<uuid:pk>/preview",
        DraftViewSet.as_view({"get": "preview", "post": "run_preview"}),
        name="upload-preview",
    ),
    path("uploads/contacts/<uuid:pk>/start", DraftViewSet.as_view({"post": "start"}), name="upload-start"),
    path(
        "uploads/contacts/<uuid:pk>/undo",
        DraftViewSet.as_view({"get": "show_undo", "post": "undo"}),
        name="upload-undo",
    ),
    path("uploads/clients", ClientImportViewSet.as_view({"post": "create"}), name="upload-clients"),
    path("uploads/clients/template", ClientFileViewSet.as_view({"get": "template"}), name="client-template"),
    path("uploads/clients/<uuid:pk>", ClientImportViewSet.as_view({"get": "retrieve"}), name="client-upload"),
    path(
        "uploads/clients/<uuid:pk>/cancel",
        ClientImportViewSet.as_view({"post": "cancel"}),
        name="client-upload-cancel",
    ),
    path(
        "uploads/clients/<uuid:pk>/preview",
        ClientDraftViewSet.as_view({"get": "preview", "post": "run_preview"}),
        name="client-upload-preview",
    ),
    path("uploads/clients/<uuid:pk>/start", ClientDraftViewSet.as_view({"post": "start"}), name="client-upload-start"),
    path(
        "uploads/clients/<uuid:pk>/undo",
        ClientDraftViewSet.as_view({"get": "show_undo", "post": "undo"}),
        name="client-upload-undo",
    ),
    path(
        "uploads/clients/<uuid:pk>/rejected",
        ClientFileViewSet.as_view({"get": "rejected"}),
        name="client-upload-rejected",
    ),
    path("exports", ContactExportViewSet.as_view({"get": "list"}), name="exports"),
    path("exports/<uuid:pk>", ContactExportViewSet.as_view({"get": "retrieve"}), name="export"),
    path("exports/<uuid:pk>/cancel", ContactExportViewSet.as_view({"post": "cancel"}), name="export-cancel"),
    path("exports/<uuid:pk>/download", ExportFileViewSet.as_view({"get": "download"}), name="export-download"),
    path("uploads/contacts/<uuid:pk>/rejected", ImportFileViewSet.as_view({"get": "rejected"}), name="upload-rejected"),
]
