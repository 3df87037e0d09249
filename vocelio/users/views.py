"""/auth"""

from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.access.permissions import PUBLIC
from vocelio.access.roles import SELF
from vocelio.api.serializers import MessageSerializer
from vocelio.api.viewsets import ApiViewSet, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Forbidden
from vocelio.organizations.models import Membership
from vocelio.users.models import ApiToken, Session
from vocelio.users.serializers import (
    ApiTokenSerializer,
    CurrentUserSerializer,
    LoginSerializer,
    NewApiTokenSerializer,
    PasswordChangeSerializer,
    PasswordResetConfirmSerializer,
    PasswordResetSerializer,
    RefreshTokenSerializer,
    SessionSerializer,
    SwitchOrganizationSerializer,
    TokensSerializer,
)
from vocelio.users.services import api_tokens, passwords, sessions
from vocelio.users.services.sessions import Tokens


def answer_tokens(tokens: Tokens) -> Response:
    """Answer tokens so that no cache keeps them."""
    return Response({"data": TokensSerializer(tokens).data}, headers={"Cache-Control": "no-store"})


class SignInViewSet(ApiViewSet):
    """Signing in and out. Takes no Authorization header, so that a stale one does no harm."""

    authentication_classes = ()
    permissions = {
        "login": PUBLIC,
        "refresh": PUBLIC,
        "logout": PUBLIC,
        "password_reset": PUBLIC,
        "password_reset_confirm": PUBLIC,
    }

    @extend_schema(request=LoginSerializer, responses=TokensSerializer)
    @action(detail=False, methods=["post"])
    def login(self, request: Request) -> Response:
        """Sign in; without organizationId to the organization used last."""
        return answer_tokens(sessions.sign_in(**self.validated(LoginSerializer(data=request.data))))

    @extend_schema(request=RefreshTokenSerializer, responses=TokensSerializer)
    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        """Trade a refresh token for new tokens. It works once; using it again ends the session."""
        return answer_tokens(sessions.refresh_session(**self.validated(RefreshTokenSerializer(data=request.data))))

    @extend_schema(request=RefreshTokenSerializer, responses=MessageSerializer)
    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> Response:
        """End the session, with all its tokens."""
        sessions.sign_out(**self.validated(RefreshTokenSerializer(data=request.data)))
        return self.message("Signed out")

    @extend_schema(request=PasswordResetSerializer, responses=MessageSerializer)
    @action(detail=False, methods=["post"], url_path="password-reset")
    def password_reset(self, request: Request) -> Response:
        """Mail a link to set a new password. The answer does not tell whether the address is known."""
        passwords.request_reset(**self.validated(PasswordResetSerializer(data=request.data)))
        return self.message("If this address has an account, a mail with a link is on its way.")

    @extend_schema(request=PasswordResetConfirmSerializer, responses=MessageSerializer)
    @action(detail=False, methods=["post"], url_path="password-reset/confirm")
    def password_reset_confirm(self, request: Request) -> Response:
        """Set a new password by the token of the mail; ends all sessions."""
        passwords.confirm_reset(**self.validated(PasswordResetConfirmSerializer(data=request.data)))
        return self.message("The password is set; sign in with it.")


class AccountViewSet(ApiViewSet):
    """What a signed-in person does for themselves."""

    permissions = {"me": SELF, "password_change": SELF, "switch_organization": SELF}

    @extend_schema(responses=CurrentUserSerializer)
    @action(detail=False, methods=["get"])
    def me(self, request: Request) -> Response:
        """Return the caller, their role and permissions here, and all their organizations."""
        mine = Membership.objects.visible_to(self.principal).select_related("user", "organization")
        return self.respond(CurrentUserSerializer(mine.get(user_id=self.principal.user_id)).data)

    @extend_schema(request=PasswordChangeSerializer, responses=MessageSerializer)
    @action(detail=False, methods=["post"], url_path="password-change")
    def password_change(self, request: Request) -> Response:
        """Change the password; ends all other sessions."""
        data = self.validated(PasswordChangeSerializer(data=request.data))
        caller = self.principal
        passwords.change_password(
            user_id=caller.user_id,
            session_id=caller.session_id,
            current=data["current_password"],
            new=data["new_password"],
        )
        return self.message("The password is changed; other sessions have ended.")

    @extend_schema(request=SwitchOrganizationSerializer, responses=TokensSerializer)
    @action(detail=False, methods=["post"], url_path="switch-organization")
    def switch_organization(self, request: Request) -> Response:
        """Move this session to another organization; the answer's tokens replace the ones before."""
        data = self.validated(SwitchOrganizationSerializer(data=request.data))
        if self.principal.session_id is None:
            raise Forbidden("Back-office sessions choose their organization in the back office.")
        return answer_tokens(sessions.switch_organization(session_id=self.principal.session_id, **data))


class SessionViewSet(ListMixin, ApiViewSet):
    """Where the caller is signed in."""

    serializer_class = SessionSerializer
    sort_fields = {"createdAt": "created_at", "lastUsedAt": "last_used_at"}
    permissions = {"list": SELF, "destroy": SELF}

    def get_queryset(self) -> QuerySet[Session]:
        if getattr(self, "swagger_fake_view", False):
            return Session.objects.none()
        return Session.objects.live().filter(user_id=self.principal.user_id).select_related("organization")

    @extend_schema(responses={200: MessageSerializer})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End a session: that device is signed out at once."""
        session = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        sessions.end_sessions(Session.objects.filter(pk=session.pk), reason="ended_by_user")
        return self.message("The session has ended")


class ApiTokenViewSet(ListMixin, RetrieveMixin, DestroyMixin, TenantViewSet):
    """What programs sign in with: `Authorization: Bearer voc_...`."""

    model = ApiToken
    serializer_class = ApiTokenSerializer
    sort_fields = {
        "createdAt": "created_at", "name": "name", "expiresAt": "expires_at", "lastUsedAt": "last_used_at"
    }  # fmt: skip
    permissions = dict.fromkeys(["list", "retrieve", "create", "destroy"], "tokens:manage")
    # The secret is nowhere kept, so no answer can be replayed.
    keeps_answers = False

    def get_queryset(self) -> QuerySet[ApiToken]:
        is_live = Q(revoked_at=None, expires_at__gt=Now())
        rows: Any = super().get_queryset()
        return rows.select_related("user").annotate(is_live=is_live)  # type: ignore[no-any-return]

    @extend_schema(request=ApiTokenSerializer, responses={201: NewApiTokenSerializer})
    def create(self, request: Request) -> Response:
        """Make a token that acts as the caller, within the scopes given. It is shown this one time."""
        token, secret = api_tokens.create_api_token(principal=self.principal, **self.validated())
        data = ApiTokenSerializer(self.get_queryset().get(pk=token.pk)).data
        return Response({"data": {**data, "token": secret}}, status=201, headers={"Cache-Control": "no-store"})

    def perform_destroy(self, instance: ApiToken) -> str:
        api_tokens.revoke_api_token(instance)
        return "API token revoked"
