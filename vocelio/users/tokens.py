"""Access tokens: short-lived JWTs through simplejwt, with the document's claims. Secrets: opaque, kept as a hash."""

import hashlib
import secrets
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

API_TOKEN_PREFIX = "voc_"  # noqa: S105 - how tokens begin
ISSUER, AUDIENCE = "vocelio", "vocelio-api"


@cache
def _backend(secret: str) -> TokenBackend:
    return TokenBackend("HS256", signing_key=secret, audience=AUDIENCE, issuer=ISSUER)


class InvalidToken(Exception):
    """The token is malformed, expired, or not ours."""


@dataclass(frozen=True)
class Claims:
    user_id: uuid.UUID
    organization_id: uuid.UUID
    session_id: uuid.UUID
    raw: dict[str, Any]


def make_access_token(
    *, user_id: uuid.UUID, organization_id: uuid.UUID, session_id: uuid.UUID, role: str, permissions: frozenset[str]
) -> str:
    """Return a signed token. Role and permissions inform the frontend; the server reads the membership."""
    now = timezone.now()
    token: str = _backend(settings.JWT_SECRET).encode(
        {
            "sub": str(user_id),
            "org": str(organization_id),
            "sid": str(session_id),
            "role": role,
            "permissions": sorted(permissions),
            "typ": "access",
            "iat": now,
            "exp": now + timedelta(seconds=settings.JWT_EXPIRES_IN),
        }
    )
    return token


def read_access_token(token: str) -> Claims:
    """Return the claims of a valid token; raise InvalidToken."""
    try:
        raw = _decode(token)
        if raw.get("typ") != "access":
            raise InvalidToken("This is not an access token.")
        return Claims(uuid.UUID(raw["sub"]), uuid.UUID(raw["org"]), uuid.UUID(raw["sid"]), raw)
    except (TokenBackendError, KeyError, ValueError, TypeError) as error:
        raise InvalidToken("The access token is not valid or has expired.") from error


def _decode(token: str) -> dict[str, Any]:
    """Return what a token says that any accepted secret signed."""
    for secret in settings.JWT_SECRET_FALLBACKS:
        with suppress(TokenBackendError):
            return dict(_backend(secret).decode(token))  # type: ignore[arg-type]
    return dict(_backend(settings.JWT_SECRET).decode(token))  # type: ignore[arg-type]


def make_api_token() -> tuple[str, bytes]:
    """Return a new API token, which scanners for leaked secrets know by its prefix, and its hash."""
    token = f"{API_TOKEN_PREFIX}{secrets.token_urlsafe(32)}"
    return token, hash_secret(token)


def make_secret() -> tuple[str, bytes]:
    """Return a new opaque token of 256 random bits, and its hash, which alone is stored."""
    secret = secrets.token_urlsafe(32)
    return secret, hash_secret(secret)


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 under which an opaque token is stored; random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
