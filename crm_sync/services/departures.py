"""Give back, when a connection is deleted, what it held at the vendor's: its webhook and its grant."""

import uuid
from dataclasses import dataclass

from crm_sync.models import CrmCredential, CrmIntegration
from crm_sync.providers.failures import AuthExpired, TokenExpired
from crm_sync.providers.provider import Provider
from crm_sync.providers.remote import Remote
from crm_sync.providers.values import Credential, OAuthApp, Subscription
from crm_sync.services.credentials import oauth_app, read_credential
from vocelio.audit.services import record
from vocelio.organizations.scope import organization_scope
from vocelio.outbound import outbound_client
from vocelio.plugins import PluginError


@dataclass(frozen=True)
class Departure:
    """What a deleted connection leaves at the vendor's. Lives in memory alone, between the commit and the calls."""

    organization_id: uuid.UUID
    integration_id: uuid.UUID
    provider: Provider
    remote_options: dict[str, str]
    credential: Credential
    app: OAuthApp
    subscription: Subscription | None

    def give_back(self) -> None:
        """Remove the webhook, then the grant; the audit log tells how each went. After the commit, once, best effort."""
        results: dict[str, str] = {}
        with outbound_client(self.provider.hosts) as client:
            remote = Remote(self.provider, client, self.credential, self.remote_options)
            if self.subscription is not None:
                try:
                    self._unsubscribe(remote, self.subscription)
                    results["webhook"] = "removed"
                except PluginError as error:
                    results["webhook"] = error.code or "FAILED"
            if self.credential.kind == "oauth":
                try:
                    self.provider.revoke(client, self.app, remote.credential)
                    results["grant"] = "revoked"
                except PluginError as error:
                    results["grant"] = error.code or "FAILED"
        if results:
            with organization_scope(self.organization_id):
                record("crm_integration.departed", "crmintegration", self.integration_id, **results)

    def _unsubscribe(self, remote: Remote, subscription: Subscription) -> None:
        try:
            self.provider.unsubscribe(remote, subscription)
        except TokenExpired:
            remote.credential = self.provider.refresh(remote.client, self.app, remote.credential)
            self.provider.unsubscribe(remote, subscription)


def departure_of(integration: CrmIntegration) -> Departure | None:
    """Return what to give back once the connection is gone; None where it never had access."""
    row = CrmCredential.objects.filter(integration=integration).first()
    if row is None or not row.blob:
        return None
    try:
        credential = read_credential(row)
    except AuthExpired:
        return None
    subscription = Subscription(row.subscription_id, row.subscription_expires_at) if row.subscription_id else None
    return Departure(
        organization_id=integration.organization_id,
        integration_id=integration.pk,
        provider=integration.provider,
        remote_options=dict(integration.options),
        credential=credential,
        app=oauth_app(integration, integration.crm_type) or OAuthApp(""),
        subscription=subscription,
    )
