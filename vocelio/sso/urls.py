from django.urls import path

from vocelio.sso.views import IdentityProviderViewSet, ProviderCheckViewSet, SsoViewSet

urlpatterns = [
    path("auth/oidc/token", SsoViewSet.as_view({"post": "token"}), name="sso-token"),
    path("auth/oidc/link", SsoViewSet.as_view({"post": "link"}), name="sso-link"),
    path("auth/oidc/<slug:slug>/start", SsoViewSet.as_view({"get": "start"}), name="sso-start"),
    path("auth/oidc/<slug:slug>/callback", SsoViewSet.as_view({"get": "callback"}), name="sso-callback"),
    path(
        "organization/identity-provider",
        IdentityProviderViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}
        ),
        name="identity-provider",
    ),
    path("organization/identity-provider/test", ProviderCheckViewSet.as_view({"post": "check"}), name="sso-check"),
]
