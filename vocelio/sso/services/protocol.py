"""OpenID Connect, authorization code flow with PKCE: what is sent to a provider, and what of its answers is believed.

Providers are named by organizations, so every call goes through vocelio/outbound.py: public https addresses only.
"""

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from vocelio.errors import VocelioError
from vocelio.outbound import OutboundRefused, OutboundTooLarge, check_address, outbound_client

# Signatures by the provider's public key alone: with HS256 the client secret would do, with none anybody.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
LEEWAY_SECONDS = 60
KEEP_SECONDS = 3600
# A token by an unknown key has the keys read anew, but not more often than this.
REREAD_SECONDS = 30
MOST_BYTES = 512 * 1024


class SsoFailed(VocelioError):
    """What the provider answered cannot be believed; the reason is for the log and the provider's admin."""

    code = "SSO_FAILED"
    status = 502
    message = "The identity provider's answer was not accepted."


@dataclass(frozen=True)
class Client:
    """Vocelio as the provider knows it."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouches for."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    name: str


@dataclass
class Provider:
    """A provider's own description and public keys, kept for an hour."""

    metadata: dict[str, Any]
    keys: KeySet
    read_at: float = field(default_factory=time.monotonic)


_known: dict[str, Provider] = {}


def read_provider(issuer: str, *, afresh: bool = False) -> Provider:
    """Return the provider's description and keys; raise SsoFailed, OutboundRefused."""
    known = _known.get(issuer)
    age = time.monotonic() - known.read_at if known else KEEP_SECONDS
    if known is not None and age < (REREAD_SECONDS if afresh else KEEP_SECONDS):
        return known
    metadata = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if metadata.get("issuer") != issuer:
        raise SsoFailed(f"The provider calls itself {str(metadata.get('issuer'))[:200]!r}, not {issuer!r}.")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        address = metadata.get(name)
        if not isinstance(address, str):
            raise SsoFailed(f"The provider's description lacks {name}.")
        check_address(address, [host_of(address)])
    try:
        keys = KeySet.import_key_set(_get(metadata["jwks_uri"]))  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise SsoFailed("The provider's keys cannot be read.") from error
    _known[issuer] = Provider(metadata, keys)
    return _known[issuer]


def forget_provider(issuer: str) -> None:
    """Read description and keys anew at the next use."""
    _known.pop(issuer, None)


def authorization_url(client: Client, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
    """Return where the browser goes to log in."""
    endpoint = read_provider(client.issuer).metadata["authorization_endpoint"]
    query = urlencode(
        {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge(verifier),
            "code_challenge_method": "S256",
        }
    )
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def redeem(client: Client, *, code: str, verifier: str, redirect_uri: str, nonce: str) -> Identity:
    """Trade the code for an ID token and return whom it vouches for; raise SsoFailed unless every claim holds.

    Call it outside a transaction: it waits for the provider.
    """
    metadata = read_provider(client.issuer).metadata
    tokens = _redeem(client, metadata, {"code": code, "code_verifier": verifier, "redirect_uri": redirect_uri})
    claims = _verified(client, tokens, nonce)
    profile: dict[str, Any] = dict(claims)
    if "email" not in claims and isinstance(metadata.get("userinfo_endpoint"), str):
        told = _get(metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {tokens.get('access_token')}"})
        if told.get("sub") != claims["sub"]:
            raise SsoFailed("The provider's userinfo is about somebody else.")
        profile = told
    return Identity(
        issuer=client.issuer,
        subject=str(claims["sub"])[:255],
        email=str(profile.get("email") or "").strip().lower(),
        # Some providers write it as a string.
        is_email_verified=profile.get("email_verified") in (True, "true"),
        name=" ".join(str(profile.get("name") or "").split())[:150],
    )


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def host_of(address: str) -> str:
    return urlsplit(address).hostname or ""


def _verified(client: Client, tokens: dict[str, Any], nonce: str) -> CodeIDToken:
    try:
        token = _decoded(client.issuer, tokens.get("id_token"))
        claims = CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "value": client.issuer},
                "aud": {"essential": True, "value": client.client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            {"nonce": nonce, "client_id": client.client_id, "access_token": tokens.get("access_token")},
        )
        claims.validate(now=int(time.time()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise SsoFailed(f"The ID token does not hold: {str(error)[:200]}") from error
    return claims


def _decoded(issuer: str, id_token: Any) -> jwt.Token:
    """Check the signature; a key that is not known yet may be one the provider has changed to."""
    if not isinstance(id_token, str):
        raise SsoFailed("The provider answered without an ID token.")
    try:
        return jwt.decode(id_token, read_provider(issuer).keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError):
        return jwt.decode(id_token, read_provider(issuer, afresh=True).keys, algorithms=ALGORITHMS)


def _redeem(client: Client, metadata: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    form = {"grant_type": "authorization_code", "client_id": client.client_id, **form}
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    auth = None
    if client.client_secret and "client_secret_basic" in methods:
        # RFC 6749 wants both form-encoded before they are joined.
        auth = httpx.BasicAuth(quote(client.client_id, safe=""), quote(client.client_secret, safe=""))
    elif client.client_secret:
        form["client_secret"] = client.client_secret
    with _calling(metadata["token_endpoint"]) as http:
        response = http.post(metadata["token_endpoint"], data=form, auth=auth or httpx.USE_CLIENT_DEFAULT)
    answer = _json(response)
    if response.status_code != 200:
        raise SsoFailed(f"The provider refused the code: {str(answer.get('error'))[:100]}")
    return answer


def _get(address: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    with _calling(address) as http:
        response = http.get(address, headers=headers)
    if response.status_code != 200:
        raise SsoFailed(f"{host_of(address)} answered {response.status_code}.")
    return _json(response)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError as error:
        raise SsoFailed(f"{response.url.host} did not answer JSON.") from error
    if not isinstance(answer, dict):
        raise SsoFailed(f"{response.url.host} did not answer an object.")
    return answer


@contextmanager
def _calling(address: str) -> Iterator[httpx.Client]:
    try:
        with outbound_client([host_of(address)], timeout=10, max_seconds=15, max_bytes=MOST_BYTES) as http:
            yield http
    except OutboundRefused:
        raise
    except (httpx.HTTPError, OutboundTooLarge) as error:
        raise SsoFailed(f"{host_of(address)} could not be asked.") from error
