"""/auth/oidc, /organization/identity-provider"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.access.permissions import PUBLIC
from vocelio.access.principal import Entrance
from vocelio.api.serializers import MessageSerializer
from vocelio.api.viewsets import ApiViewSet, TenantViewSet
from vocelio.audit.services import record
from vocelio.errors import NotFound, VocelioError
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope
from vocelio.sso.cookies import clear_flow, keep_flow, kept_flow
from vocelio.sso.models import IdentityProvider
from vocelio.sso.serializers import (
    IdentityProviderSerializer,
    ProviderCheckSerializer,
    SsoLinkSerializer,
    SsoStartSerializer,
    SsoTradeSerializer,
)
from vocelio.sso.services import log_in, providers
from vocelio.users.models import User
from vocelio.users.serializers import TokensSerializer
from vocelio.users.services.sessions import Tokens
from vocelio.users.views import answer_tokens

GOES_ON = {302: OpenApiResponse(description="Where the browser goes on.")}
BACKEND = "vocelio.users.backends.EmailBackend"
# Where the back office keeps who still has to prove a password.
LINK_KEY = "sso_link"


class SsoViewSet(ApiViewSet):
    """Logging in at an organization's identity provider. Takes no Authorization header."""

    authentication_classes = ()
    permissions = dict.fromkeys(["start", "callback", "token", "link"], PUBLIC)

    @extend_schema(parameters=[SsoStartSerializer], responses=GOES_ON)
    def start(self, request: Request, slug: str) -> HttpResponse:
        """Send the browser to the identity provider of the organization with this slug.

        It comes back to `returnTo#code=...`, for `/auth/oidc/token`; or to `#linkChallenge=...` for
        `/auth/oidc/link`, when an account with the address has to be connected first; or to `#error=...`.
        """
        data = self.validated(SsoStartSerializer(data=request.query_params.dict()))
        url, flow = log_in.begin(slug, return_to=data["return_to"], challenge=data["code_challenge"])
        return keep_flow(HttpResponseRedirect(url), flow)

    @extend_schema(
        parameters=[OpenApiParameter(name, str) for name in ("code", "state", "iss", "error")], responses=GOES_ON
    )
    def callback(self, request: Request, slug: str) -> HttpResponse:
        """Take the identity provider's answer; browsers come here from it."""
        flow = kept_flow(request, slug)
        is_frontend = bool(flow.return_to)
        try:
            user, organization = log_in.finish(flow, request.query_params.dict())
            answer = (
                {"code": log_in.hand_over(user, organization, flow.challenge)}
                if is_frontend
                else self._enter_back_office(request, user, organization)
            )
        except log_in.LinkRequired as refusal:
            answer = {"linkChallenge": refusal.details["challenge"]}
        except VocelioError as refusal:
            answer = {"error": refusal.code, "message": refusal.message}
        if is_frontend:
            return clear_flow(HttpResponseRedirect(f"{flow.return_to}#{urlencode(answer)}"))
        return clear_flow(HttpResponseRedirect(self._back_office_page(request, answer)))

    @extend_schema(request=SsoTradeSerializer, responses=TokensSerializer)
    def token(self, request: Request) -> Response:
        """Trade the code of a log-in for tokens, once, within a minute, with the verifier of its challenge."""
        return _answer_bound(log_in.trade(**self.validated(SsoTradeSerializer(data=request.data))))

    @extend_schema(request=SsoLinkSerializer, responses=TokensSerializer)
    def link(self, request: Request) -> Response:
        """Connect the identity provider's account with one here, by its password (and code), and sign in."""
        user, organization = log_in.link(**self.validated(SsoLinkSerializer(data=request.data)))
        return _answer_bound(log_in.enter_by_sso(user, organization.pk))

    def _enter_back_office(self, request: Request, user: User, organization: Organization) -> dict[str, str]:
        enter_back_office(request, user, organization)
        return {}

    def _back_office_page(self, request: Request, answer: dict[str, str]) -> str:
        if "linkChallenge" in answer:
            request._request.session[LINK_KEY] = answer["linkChallenge"]
            return reverse("admin:sso_link")
        if "error" in answer:
            messages.error(request._request, answer["message"])
            return reverse("admin:login")
        return reverse("admin:index")


def enter_back_office(request: Any, user: User, organization: Organization) -> None:
    """Open a session of the back office that opens this organization alone."""
    plain = getattr(request, "_request", request)
    login(plain, user, backend=BACKEND)
    Entrance(sso_organization_id=organization.pk).keep(plain.session)
    plain.session["organization_id"] = str(organization.pk)


def _answer_bound(tokens: Tokens) -> Response:
    return answer_tokens(tokens, sso_organization_id=tokens.membership.organization_id)


class IdentityProviderViewSet(TenantViewSet):
    """The organization's identity provider, for log-in by OpenID Connect."""

    model = IdentityProvider
    serializer_class = IdentityProviderSerializer
    permissions = dict.fromkeys(["retrieve", "update", "partial_update", "destroy"], "organization:manage")
    # A secret is in the body.
    keeps_answers = False

    @extend_schema(responses=IdentityProviderSerializer)
    def retrieve(self, request: Request) -> Response:
        """Return its settings, without the secret; 404 when there is none."""
        provider = providers.provider_of_organization()
        if provider is None:
            raise NotFound("There is no identity provider.")
        return self.respond(described(provider))

    @extend_schema(request=IdentityProviderSerializer, responses=IdentityProviderSerializer)
    def update(self, request: Request) -> Response:
        """Set it, or change what is given. Another issuer or client id needs the secret again."""
        data = self.validated(IdentityProviderSerializer(data=request.data, partial=True))
        return self.respond(described(providers.save_provider(**data)))

    @extend_schema(request=IdentityProviderSerializer, responses=IdentityProviderSerializer)
    def partial_update(self, request: Request) -> Response:
        """The same as PUT."""
        return self.update(request)

    @extend_schema(responses={200: MessageSerializer})
    def destroy(self, request: Request) -> Response:
        """Remove it: its sessions end, members log in by password again."""
        providers.delete_provider()
        return self.message("Identity provider removed")


class ProviderCheckViewSet(ApiViewSet):
    """Apart from the rest, since it waits for the provider and holds no transaction meanwhile."""

    permissions = {"check": "organization:manage"}

    @extend_schema(request=None, responses=ProviderCheckSerializer)
    def check(self, request: Request) -> Response:
        """Ask the identity provider for its description and keys; 502 or 422 says what is wrong."""
        return self.respond(ProviderCheckSerializer(tried(self.principal.organization_id)).data)


def tried(organization_id: Any) -> dict[str, Any]:
    """Check the organization's provider, on record."""
    with organization_scope(organization_id):
        provider = providers.provider_of_organization()
        if provider is None:
            raise NotFound("There is no identity provider.")
        record("identity_provider.tested", "identity_provider", provider.pk)
    return providers.check_provider(provider.issuer)


def described(provider: IdentityProvider) -> Any:
    """Return a provider as API data."""
    organization = Organization.objects.get(pk=provider.organization_id)
    provider.__dict__ |= {
        "has_client_secret": bool(provider.__dict__.get("client_secret")),
        "is_required": organization.requires_sso,
        "redirect_uri": log_in.redirect_uri(organization.slug),
    }
    return IdentityProviderSerializer(provider).data
