"""The token endpoint of OAuth 2, as far as the vendors agree on it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from crm_sync.providers.failures import AuthExpired
from crm_sync.providers.provider import retry_after
from vocelio.plugins import PluginError

# Errors of RFC 6749 and RFC 8628 that pass.
PASSING = {"temporarily_unavailable", "server_error", "slow_down"}


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
