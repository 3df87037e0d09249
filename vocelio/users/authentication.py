"""Who calls: a bearer token, or a back-office session in the browsable API."""

import uuid

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, CSRFCheck, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from vocelio.access.principal import (
    Entrance,
    Principal,
    principal_of_api_token,
    principal_of_session,
    principal_of_staff,
)
from vocelio.users.tokens import API_TOKEN_PREFIX, InvalidToken, hash_secret, read_access_token

ORGANIZATION_HEADER = "X-Organization-ID"


def wanted_organization(request: Request) -> uuid.UUID | None:
    """Return the organization the caller picks by header, None when they leave it to the token."""
    header = request.headers.get(ORGANIZATION_HEADER)
    if not header:
        return None
    try:
        return uuid.UUID(header)
    except ValueError:
        raise PermissionDenied("You do not belong to this organization.") from None


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access or API token>`; whose it is and what they may do is read at each request."""

    def authenticate(self, request: Request) -> tuple[Principal, dict[str, object] | None] | None:
        header = get_authorization_header(request).split()
        if not header or header[0].lower() != b"bearer":
            return None
        if len(header) != 2:
            raise AuthenticationFailed("The Authorization header must be `Bearer <token>`.")
        token = header[1].decode("latin-1")
        if token.startswith(API_TOKEN_PREFIX):
            return self._program(request, token), None
        try:
            claims = read_access_token(token)
        except InvalidToken as error:
            raise AuthenticationFailed(str(error)) from None
        organization_id = wanted_organization(request)
        caller = principal_of_session(claims.session_id, claims.user_id, organization_id or claims.organization_id)
        if caller is None:
            if organization_id and principal_of_session(claims.session_id, claims.user_id, claims.organization_id):
                raise PermissionDenied("You do not belong to this organization.")
            raise AuthenticationFailed("The session has ended; sign in again.")
        return caller, claims.raw

    def _program(self, request: Request, token: str) -> Principal:
        caller = principal_of_api_token(hash_secret(token))
        if caller is None:
            raise AuthenticationFailed("The API token is not valid, was revoked or has expired.")
        if wanted_organization(request) not in (None, caller.organization_id):
            raise PermissionDenied("The API token is of another organization.")
        return caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="vocelio"'


class StaffSessionAuthentication(BaseAuthentication):
    """The back office's cookie, for staff who open the API in a browser; unsafe calls need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        user = getattr(request._request, "user", AnonymousUser())
        organization_id = wanted_organization(request) or request._request.session.get("organization_id")
        if user.pk is None or not user.is_active or organization_id is None:
            return None
        self._enforce_csrf(request)
        entrance = Entrance.of(request._request.session)
        caller = principal_of_staff(user.pk, uuid.UUID(str(organization_id)), entrance)
        return (caller, None) if caller else None

    def _enforce_csrf(self, request: Request) -> None:
        check = CSRFCheck(lambda request: None)  # type: ignore[arg-type]
        check.process_request(request._request)
        if reason := check.process_view(request._request, None, (), {}):  # type: ignore[arg-type]
            raise PermissionDenied(f"CSRF check failed: {reason}")
