"""OAuth 2 with PKCE, as far as the vendors agree on it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from crm_sync.providers.failures import AuthExpired
from crm_sync.providers.provider import retry_after
from crm_sync.providers.values import Credential, OAuthApp
from vocelio.plugins import PluginError

# Errors of RFC 6749 and RFC 8628 that pass.
PASSING = {"temporarily_unavailable", "server_error", "slow_down"}


def consent_url(page: str, app: OAuthApp, *, redirect_uri: str, state: str, code_challenge: str, **more: str) -> str:
    """Return the address of a vendor's consent page; `more` is what the vendor wants beside."""
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
        **more,
    }
    return f"{page}?{urlencode(query)}"


def code_form(code: str, redirect_uri: str, code_verifier: str) -> dict[str, str]:
    """Return what a code is exchanged with."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
    }


def refresh_form(credential: Credential) -> dict[str, str]:
    """Return what a refresh token is used with."""
    return {"grant_type": "refresh_token", "refresh_token": credential.refresh_token}


def app_form(app: OAuthApp) -> dict[str, str]:
    """Return how an app names itself in the body: what stands in an address ends up in logs."""
    return {"client_id": app.client_id, "client_secret": app.client_secret}


def give_back(client: httpx.Client, url: str, **request: Any) -> None:
    """Call a revocation endpoint; a token that the vendor no longer knows (400) is given back already."""
    try:
        response = client.post(url, **request)
    except httpx.TransportError:
        raise PluginError("The CRM's log-in server did not answer.", permanent=False, code="NO_ANSWER") from None
    if not (response.is_success or response.status_code in (400, 404)):
        raise PluginError("The CRM did not take the access back.", permanent=False, code=f"HTTP_{response.status_code}")


def request_token(
    client: httpx.Client, url: str, form: Mapping[str, str], *, basic: httpx.BasicAuth | None = None
) -> dict[str, Any]:
    """Return the token endpoint's answer, which holds an access token.

    AuthExpired when the vendor refuses the code, the refresh token or the app; a temporary PluginError when it does
    not say.
    """
    sent = {name: value for name, value in form.items() if value}
    try:
        response = client.post(
            url, data=sent, auth=basic or httpx.USE_CLIENT_DEFAULT, headers={"Accept": "application/json"}
        )
    except httpx.TransportError:
        raise PluginError("The CRM's log-in server did not answer.", permanent=False, code="NO_ANSWER") from None
    try:
        body = response.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    if response.is_success and body.get("access_token"):
        return body
    error = str(body.get("error", ""))
    if response.status_code == 429 or "too many requests" in str(body.get("error_description", "")).lower():
        # Zoho says so with status 400, and gives ten access tokens in ten minutes.
        raise PluginError(
            "The CRM's log-in server asks to slow down.",
            permanent=False,
            code="RATE_LIMITED",
            retry_after=retry_after(response) or 600,
        )
    if response.status_code >= 500 or response.status_code == 408 or error in PASSING or response.is_redirect:
        raise PluginError(
            "The CRM's log-in server has a problem of its own.", permanent=False, code=f"HTTP_{response.status_code}"
        )
    if "client" in error:
        raise AuthExpired("The CRM does not know the app's client id or secret.")
    raise AuthExpired


def expiry(answer: Mapping[str, Any]) -> datetime | None:
    """Return when the access token of a token endpoint's answer ends, where it says so."""
    try:
        return datetime.now(UTC) + timedelta(seconds=float(answer["expires_in"]))
    except (KeyError, TypeError, ValueError):
        return None
