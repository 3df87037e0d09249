"""The address space: /v1/ and /api/ are one tree; /admin/, /health, /metrics; pages that links in mails lead to."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from vocelio.realtime.asyncapi import show_asyncapi

API: list[URLPattern | URLResolver] = [
    path("", include("vocelio.users.urls")),
    path("", include("vocelio.api.urls")),
    path("", include("vocelio.members.urls")),
    path("", include("vocelio.sso.urls")),
    path("", include("vocelio.realtime.urls")),
    path("", include("vocelio.notifications.urls")),
    path("", include("vocelio.webhooks.urls")),
    path("", include("vocelio.health.urls")),
    path("", include("vocelio.storage.urls")),
    path("", include("contacts.urls")),
    path("", include("recruitment.urls")),
    path("", include("sales.urls")),
    path("", include("crm_sync.urls")),
    path("", include("dnc.urls")),
    path("", include("comms.urls")),
    path("", include("ai_matching.urls")),
    path("", include("vocelio.reports.urls")),
    path("", include("vocelio.dashboards.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include((API, "v1"))),
    path("api/", include((API, "api"))),
    path("v1/schema", SpectacularAPIView.as_view(), name="schema"),
    path("v1/asyncapi", show_asyncapi, name="asyncapi"),
    path("v1/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("", include("vocelio.health.urls")),
    path("", include("vocelio.users.pages")),
    path("", include("recruitment.pages")),
    path("", include("comms.pages")),
    path("admin/", admin.site.urls),
]

handler400 = "vocelio.api.errors.bad_request"
handler403 = "vocelio.api.errors.forbidden"
handler404 = "vocelio.api.errors.not_found"
handler500 = "vocelio.api.errors.server_error"
