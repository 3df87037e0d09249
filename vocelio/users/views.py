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
from vocelio.errors import Forbidden, Invalid
from vocelio.organizations.models import Membership
from vocelio.users.models import ApiToken, Session, User
from vocelio.users.serializers import (
    ApiTokenSerializer,
    CurrentUserSerializer,
    EntrySerializer,
    LoginSerializer,
    NewApiTokenSerializer,
    PasswordChangeSerializer,
    PasswordResetConfirmSerializer,
    PasswordResetSerializer,
    PasswordSerializer,
    PreferencesSerializer,
    RecoveryCodesSerializer,
    RefreshTokenSerializer,
    SessionSerializer,
    SwitchOrganizationSerializer,
    TokensSerializer,
    TotpChallengeSerializer,
    TotpCodeSerializer,
    TotpEnrolmentSerializer,
    TotpLoginSerializer,
    TotpProofSerializer,
    TotpStandingSerializer,
)
from vocelio.users.services import api_tokens, passwords, people, second_factor, sessions, sign_in
from vocelio.users.services.sessions import Tokens

UNCACHED = {"Cache-Control": "no-store"}


def answer_tokens(tokens: Tokens, **context: Any) -> Response:
    """Answer tokens so that no cache keeps them."""
    return Response({"data": TokensSerializer(tokens, context=context).data}, headers=UNCACHED)


class SignInViewSet(ApiViewSet):
    """Signing in and out. Takes no Authorization header, so that a stale one does no harm."""

    authentication_classes = ()
    permissions = {
        "login": PUBLIC,
        "login_totp": PUBLIC,
        "login_totp_enrol": PUBLIC,
        "refresh": PUBLIC,
        "logout": PUBLIC,
        "password_reset": PUBLIC,
        "password_reset_confirm": PUBLIC,
    }

    @extend_schema(request=LoginSerializer, responses=TokensSerializer)
    @action(detail=False, methods=["post"])
    def login(self, request: Request) -> Response:
        """Sign in; without organizationId to the organization used last.

        A person with two-step log-in gets 401 `TOTP_REQUIRED` with `details.challenge`, valid for five minutes, for
        `/auth/login/totp`. One who has to begin with it gets `TOTP_ENROLMENT_REQUIRED`, whose challenge goes to
        `/auth/login/totp/enrol` first.
        """
        return answer_tokens(sign_in.sign_in(**self.validated(LoginSerializer(data=request.data))))

    @extend_schema(request=TotpLoginSerializer, responses=EntrySerializer)
    @action(detail=False, methods=["post"], url_path="login/totp")
    def login_totp(self, request: Request) -> Response:
        """Finish a log-in by a code of the app or a recovery code; each works once."""
        entry = sign_in.sign_in_by_code(**self.validated(TotpLoginSerializer(data=request.data)))
        data = TokensSerializer(entry.tokens).data
        return Response({"data": {**data, "recoveryCodes": entry.recovery_codes}}, headers=UNCACHED)

    @extend_schema(request=TotpChallengeSerializer, responses=TotpEnrolmentSerializer)
    @action(detail=False, methods=["post"], url_path="login/totp/enrol")
    def login_totp_enrol(self, request: Request) -> Response:
        """Return a secret for the app of a person whose organization asks for two steps."""
        enrolment = sign_in.enrol_at_sign_in(**self.validated(TotpChallengeSerializer(data=request.data)))
        return Response({"data": TotpEnrolmentSerializer(enrolment).data}, headers=UNCACHED)

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

    permissions = {"me": SELF, "change_me": SELF, "password_change": SELF, "switch_organization": SELF}

    @extend_schema(responses=CurrentUserSerializer)
    @action(detail=False, methods=["get"])
    def me(self, request: Request) -> Response:
        """Return the caller, their role and permissions here, and all their organizations."""
        return self._me()

    def _me(self) -> Response:
        mine = Membership.objects.visible_to(self.principal).select_related("user", "organization")
        context = {"sso_organization_id": sessions.sso_organization_of(self.principal.session_id)}
        return self.respond(CurrentUserSerializer(mine.get(user_id=self.principal.user_id), context=context).data)

    @extend_schema(request=PreferencesSerializer, responses=CurrentUserSerializer)
    @me.mapping.patch
    def change_me(self, request: Request) -> Response:
        """Change the caller's own name, language or time zone."""
        data = self.validated(PreferencesSerializer(data=request.data))
        people.set_preferences(user=User.objects.get(pk=self.principal.user_id), **data)
        return self._me()

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


class TotpViewSet(ApiViewSet):
    """Two-step log-in of the caller: an authenticator app (TOTP, RFC 6238) and recovery codes."""

    permissions = dict.fromkeys(["retrieve", "enrol", "confirm", "recovery_codes", "disable"], SELF)

    @extend_schema(responses=TotpStandingSerializer)
    def retrieve(self, request: Request) -> Response:
        """Say whether two-step log-in is on, and whether an organization asks for it."""
        return self.respond(TotpStandingSerializer(second_factor.standing(self.principal.user_id)).data)

    @extend_schema(request=PasswordSerializer, responses=TotpEnrolmentSerializer)
    def enrol(self, request: Request) -> Response:
        """Return a secret for the caller's app; nothing changes until it is confirmed by a code."""
        data = self.validated(PasswordSerializer(data=request.data))
        user = self._user()
        second_factor.confirm_password(user, data["password"])
        enrolment = second_factor.begin_enrolment(user)
        return Response({"data": TotpEnrolmentSerializer(enrolment).data}, headers=UNCACHED)

    @extend_schema(request=TotpCodeSerializer, responses=RecoveryCodesSerializer)
    def confirm(self, request: Request) -> Response:
        """Switch two-step log-in on by the app's first code; sessions begun by password alone end, but this."""
        data = self.validated(TotpCodeSerializer(data=request.data))
        try:
            codes = second_factor.confirm_enrolment(self._user(), data["code"], keep_session=self.principal.session_id)
        except second_factor.InvalidCode as error:
            raise Invalid.field("code", error.message, constraint="incorrect") from None
        return Response({"data": {"recoveryCodes": codes}}, headers=UNCACHED)

    @extend_schema(request=TotpProofSerializer, responses=RecoveryCodesSerializer)
    def recovery_codes(self, request: Request) -> Response:
        """Return new recovery codes, which end those before."""
        data = self.validated(TotpProofSerializer(data=request.data))
        codes = second_factor.replace_recovery_codes(self._user(), **data)
        return Response({"data": {"recoveryCodes": codes}}, headers=UNCACHED)

    @extend_schema(request=TotpProofSerializer, responses=MessageSerializer)
    def disable(self, request: Request) -> Response:
        """Switch two-step log-in off, unless an organization of the caller asks for it."""
        second_factor.disable_second_factor(self._user(), **self.validated(TotpProofSerializer(data=request.data)))
        return self.message("Two-step log-in is off.")

    def _user(self) -> User:
        return User.objects.get(pk=self.principal.user_id)


class SessionViewSet(ListMixin, ApiViewSet):
    """Where the caller is signed in."""

    serializer_class = SessionSerializer
    sort_fields = {"createdAt": "created_at", "lastUsedAt": "last_used_at"}
    permissions = {"list": SELF, "destroy": SELF}

    def get_queryset(self) -> QuerySet[Session]:
        if getattr(self, "swagger_fake_view", False):
            return Session.objects.none()
        mine = sessions.sessions_of(self.principal.user_id, self.principal.session_id)
        return mine.select_related("organization")

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
