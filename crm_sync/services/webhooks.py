"""Webhooks are hints: proven, stored raw, counted once, then the records they name are read like any others."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from crm_sync.models import CrmCredential, CrmIntegration, CrmSyncRun, CrmWebhook
from crm_sync.providers.failures import WebhookRefused
from crm_sync.providers.values import WebhookRequest
from crm_sync.services.connections import token_hash, webhook_url
from crm_sync.services.credentials import oauth_app
from crm_sync.services.hints import add_hint
from crm_sync.services.oauth import organization_of_token
from crm_sync.services.rules import kinds_of
from crm_sync.services.runs import active_run, start_sync
from vocelio.audit.services import record
from vocelio.errors import NotFound, TooLarge, Unauthorized
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope
from vocelio.plugins import PluginError

MAX_BODY = 2 * 1024 * 1024


def take_webhook(
    *, token: str, method: str, headers: Mapping[str, str], body: bytes, received_at: datetime, query: str = ""
) -> int:
    """Verify and keep a webhook, and note the records it names; return how many events it held.

    Raise NotFound for an address of nobody's, Unauthorized when the vendor has not sent this.
    """
    organization_id = organization_of_token(token)
    if len(body) > MAX_BODY:
        raise TooLarge
    if organization_id is None or not Organization.objects.filter(pk=organization_id, is_active=True).exists():
        raise NotFound
    with organization_scope(organization_id):
        row = CrmCredential.objects.filter(webhook_token_hash=token_hash(token)).select_related("integration").first()
        if row is None:
            raise NotFound
        integration: CrmIntegration = row.integration
        provider = integration.provider
        url = webhook_url(token) + (f"?{query}" if query else "")
        request = WebhookRequest(method, url, headers, body, received_at)
        try:
            app = oauth_app(integration, integration.crm_type)
            provider.verify_webhook(request, app=app, secret=row.webhook_secret.partition(":")[2])
            events = provider.parse_webhook(request)
        except WebhookRefused as error:
            record("crm_webhook.refused", "crmintegration", integration.pk)
            refusal = Unauthorized(str(error))
        except (PluginError, ValueError, KeyError, TypeError):
            refusal = Unauthorized("This webhook cannot be read.")
        else:
            if _keep(integration, body, [event.key for event in events]):
                kinds = kinds_of(integration)
                for event in events:
                    if event.kind not in kinds:
                        continue
                    for remote_id in filter(None, [event.remote_id, event.into]):
                        add_hint(integration, event.kind.value, remote_id)
                _start(integration)
            return len(events)
    raise refusal


def _keep(integration: CrmIntegration, body: bytes, keys: list[str]) -> bool:
    """Store the webhook as it came; False when its events were stored before."""
    text = "\n".join(keys) or body.decode("utf-8", "replace")
    key = hashlib.sha256(text.encode()).hexdigest()
    if CrmWebhook.objects.filter(integration=integration, key=key).exists():
        return False
    with transaction.atomic():
        CrmWebhook.objects.create(
            integration=integration, key=key, body=body.decode("utf-8", "replace").replace("\0", ""), events=len(keys)
        )
    return True


def _start(integration: CrmIntegration) -> None:
    """Read the hinted records at once; while a run goes on, they wait for the next."""
    is_ready = integration.status == CrmIntegration.Status.CONNECTED and not integration.needs_confirmation
    if is_ready and active_run(integration.pk) is None:
        start_sync(integration=integration, sync_type=CrmSyncRun.Type.WEBHOOK)
