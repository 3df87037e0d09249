"""OAuth 2 with PKCE: send a person to the vendor's consent page and take the grant they come back with.

The way back is tied to the browser that left: a cookie set at the start, or, where the frontend lives elsewhere, the
same signed-in person. Otherwise a stranger could have someone's CRM connected to an organization of their own.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone

from crm_sync.models import CrmIntegration, CrmOAuthAttempt
from crm_sync.models.integrations import providers
from crm_sync.providers.values import OAuthApp
from crm_sync.services.connections import (
    clean_endpoint,
    clean_options,
    connect,
    create_connection,
)
from crm_sync.services.credentials import oauth_app, read_app
from vocelio.audit.context import current_actor
from vocelio.errors import Invalid, NotFound, VocelioError
from vocelio.organizations.scope import organization_scope
from vocelio.outbound import outbound_client
from vocelio.plugins import PluginError

LIFETIME = timedelta(minutes=10)


class ConsentFailed(VocelioError):
    """The consent did not lead to a connection."""

    code = "CRM_CONSENT_FAILED"
    status = 422
    message = "This consent is unknown, was used already or is older than ten minutes. Begin again."


@dataclass(frozen=True)
class Departure:
    """Where the browser goes, and what it must bring back."""

    url: str
    browser_secret: str


def start_consent(
    *,
    crm_type: str = "",
    name: str = "",
    integration: CrmIntegration | None = None,
    options: Mapping[str, Any] | None = None,
    endpoint_url: str = "",
    client_id: str = "",
    client_secret: str = "",
    back_to: str = "frontend",
) -> Departure:
    """Begin to connect, a new connection or an existing one anew, through the vendor's consent page."""
    crm_type = integration.crm_type if integration is not None else crm_type
    provider = providers().get(crm_type)
    if provider is None or "oauth" not in provider.credential_kinds:
        names = [slug for slug, each in providers().items() if "oauth" in each.credential_kinds]
        raise Invalid.field("crmType", f"One of: {', '.join(names)}.", value=crm_type[:50], constraint="choice")
    if integration is not None:
        chosen, endpoint = integration.options, integration.endpoint_url
    else:
        chosen, endpoint = clean_options(provider, options or {}), clean_endpoint(provider, endpoint_url)
        if not name:
            raise Invalid.field("name", "Give the connection a name.", constraint="required")
    own = OAuthApp(client_id, client_secret) if client_id else None
    app = own or oauth_app(integration, crm_type)
    if app is None:
        raise Invalid.field(
            "clientId",
            f"Give client id and secret of your {provider.label} app: this installation has none of its own.",
            constraint="required",
        )
    user_id = current_actor().user_id
    assert user_id is not None  # noqa: S101 - only signed-in people get here
    organization_id = CrmOAuthAttempt().organization_id
    state = base64.urlsafe_b64encode(organization_id.bytes + secrets.token_bytes(24)).decode().rstrip("=")
    browser_secret, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    CrmOAuthAttempt.objects.create(
        state_hash=_hash(state),
        browser_hash=_hash(browser_secret),
        code_verifier=verifier,
        app=orjson.dumps({"clientId": own.client_id, "clientSecret": own.client_secret}).decode() if own else "",
        integration=integration,
        wanted={"crmType": crm_type, "name": name, "options": dict(chosen), "endpointUrl": endpoint},
        back_to=back_to,
        started_by=user_id,
        expires_at=timezone.now() + LIFETIME,
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    url = provider.authorization_url(
        app,
        redirect_uri=redirect_uri(),
        state=state,
        code_challenge=challenge,
        options=chosen,
        endpoint_url=endpoint,
    )
    return Departure(url, browser_secret)


def finish_consent(
    *, callback: Mapping[str, str], browser_secret: str = "", user_id: uuid.UUID | None = None
) -> tuple[CrmIntegration, str]:
    """Take the vendor's answer and store the connection; return it and where the person came from.

    Opens its own scopes: the exchange with the vendor stands between two transactions.
    """
    state, code = callback.get("state", ""), callback.get("code", "")
    organization_id = organization_of_token(state)
    if organization_id is None:
        raise ConsentFailed
    with organization_scope(organization_id):
        attempt = CrmOAuthAttempt.objects.select_for_update().filter(state_hash=_hash(state)).first()
        if attempt is None:
            raise ConsentFailed
        is_same_browser = browser_secret and hmac.compare_digest(_hash(browser_secret), attempt.browser_hash)
        if not is_same_browser and attempt.started_by != user_id:
            raise ConsentFailed
        app = read_app(attempt.app) or oauth_app(attempt.integration, attempt.wanted["crmType"])
        verifier = attempt.code_verifier
        # Once, whatever comes of it.
        CrmOAuthAttempt.objects.filter(pk=attempt.pk).delete()
        is_late = attempt.expires_at < timezone.now()
    if is_late or app is None:
        raise ConsentFailed
    if not code:
        raise ConsentFailed("The consent was not given.", reason=callback.get("error", "")[:100])
    wanted = attempt.wanted
    provider = providers()[wanted["crmType"]]
    try:
        with outbound_client(provider.hosts) as client:
            credential = provider.exchange(
                client,
                app,
                code=code,
                redirect_uri=redirect_uri(),
                code_verifier=verifier,
                callback=callback,
                options=wanted["options"],
                endpoint_url=wanted["endpointUrl"],
            )
    except PluginError as error:
        raise ConsentFailed(str(error), reason=error.code) from None
    with organization_scope(organization_id):
        integration = attempt.integration_id and CrmIntegration.objects.filter(pk=attempt.integration_id).first()
        if attempt.integration_id and not integration:
            raise NotFound
        integration = integration or create_connection(
            crm_type=wanted["crmType"],
            name=wanted["name"],
            options=wanted["options"],
            endpoint_url=wanted["endpointUrl"],
        )
        connect(integration, credential, app=read_app(attempt.app))
    return integration, attempt.back_to


def redirect_uri() -> str:
    """Return the address to be registered with the vendor's app."""
    return f"{settings.PUBLIC_URL}/v1/crm-integrations/oauth/callback"


def organization_of_token(token: str) -> uuid.UUID | None:
    """Return the organization a token of ours begins with; None for anything else."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    return uuid.UUID(bytes=raw[:16]) if len(raw) >= 36 else None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
