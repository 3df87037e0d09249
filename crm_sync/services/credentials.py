"""Keep, read and renew the secrets of a connection. What leaves this module is a Credential, never a stored text."""

import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from crm_sync.models import CrmCredential, CrmIntegration
from crm_sync.providers.failures import AuthExpired
from crm_sync.providers.provider import Provider
from crm_sync.providers.values import Credential, OAuthApp
from vocelio.audit.services import record
from vocelio.organizations.scope import organization_scope
from vocelio.outbound import outbound_client
from vocelio.plugins import PluginError
from vocelio.realtime.publish import publish

BLOB_VERSION = 1
# An access token that ends within this time is renewed before it is used.
RENEW_BEFORE = timedelta(minutes=5)
LEASE = timedelta(seconds=60)
SECONDS_BETWEEN_LOOKS = 0.2


def store_credential(integration: CrmIntegration, credential: Credential, *, app: OAuthApp | None = None) -> None:
    """Keep the credential in place of what was there."""
    row = CrmCredential.objects.filter(integration=integration).first() or CrmCredential(integration=integration)
    _fill(row, credential)
    row.version += 0 if row._state.adding else 1
    if app is not None:
        row.app = orjson.dumps({"clientId": app.client_id, "clientSecret": app.client_secret}).decode()
    row.lease_until = None
    row.save()


def oauth_app(integration: CrmIntegration | None, crm_type: str) -> OAuthApp | None:
    """Return the connection's own app at the vendor's, else the installation's; None when there is neither."""
    if integration is not None:
        row = CrmCredential.objects.filter(integration=integration).first()
        if row is not None and row.app:
            return read_app(row.app)
    client_id, client_secret = settings.CRM_APPS.get(crm_type, ("", ""))
    return OAuthApp(client_id, client_secret) if client_id else None


def read_app(text: str) -> OAuthApp | None:
    """Return the app of its stored text."""
    if not text:
        return None
    stored = orjson.loads(text)
    return OAuthApp(stored["clientId"], stored["clientSecret"])


class Keeper:
    """Hands one run the credential of its connection, renewed in good time and by one worker alone."""

    def __init__(self, organization_id: uuid.UUID, integration_id: uuid.UUID, provider: Provider) -> None:
        self.organization_id = organization_id
        self.integration_id = integration_id
        self.provider = provider
        self.version = 0
        self.credential = self._read()

    def fresh(self) -> Credential:
        """Return the credential, renewed when its token is about to end."""
        credential = self.credential
        ends = credential.expires_at
        if credential.refresh_token and ends is not None and ends < timezone.now() + RENEW_BEFORE:
            self.renew()
        return self.credential

    def renew(self) -> None:
        """Get a newer credential than the one in hand: by refreshing, or from the worker who is at it already.

        Raise AuthExpired when there is nothing to refresh with or the vendor refuses; the connection then waits for
        a person.
        """
        if not self.credential.refresh_token:
            self._expired(AuthExpired())
        deadline = time.monotonic() + LEASE.total_seconds() * 2
        while time.monotonic() < deadline:
            in_hand = self.version
            if self._lease(in_hand):
                self._refresh()
                return
            self.credential = self._read()
            if self.version != in_hand:
                return
            time.sleep(SECONDS_BETWEEN_LOOKS)
        raise PluginError("The access token could not be renewed in time.", permanent=False, code="RENEWAL_STUCK")

    def _refresh(self) -> None:
        with organization_scope(self.organization_id):
            integration = CrmIntegration.objects.get(pk=self.integration_id)
            app = oauth_app(integration, integration.crm_type) or OAuthApp("")
        try:
            with outbound_client(self.provider.hosts) as client:
                renewed = self.provider.refresh(client, app, self.credential)
        except AuthExpired as error:
            self._expired(error)
        except PluginError:
            self._rows_update(lease_until=None)
            raise
        with organization_scope(self.organization_id):
            row = CrmCredential.objects.select_for_update().get(integration_id=self.integration_id)
            if row.version == self.version:
                _fill(row, renewed)
                row.version += 1
                row.lease_until = None
                row.save()
                record("crm_credential.renewed", "crmintegration", self.integration_id)
        self.credential = self._read()

    def _lease(self, version: int) -> bool:
        with organization_scope(self.organization_id):
            free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
            rows = CrmCredential.objects.filter(free, integration_id=self.integration_id, version=version)
            return bool(rows.update(lease_until=Now() + LEASE))

    def _rows_update(self, **values: Any) -> None:
        with organization_scope(self.organization_id):
            CrmCredential.objects.filter(integration_id=self.integration_id).update(**values)

    def _read(self) -> Credential:
        with organization_scope(self.organization_id):
            row = CrmCredential.objects.filter(integration_id=self.integration_id).first()
            if row is None or not row.blob:
                raise AuthExpired
            self.version = row.version
            return read_credential(row)

    def _expired(self, error: AuthExpired) -> None:
        self._rows_update(lease_until=None)
        mark_expired(self.organization_id, self.integration_id, str(error))
        raise error


def mark_expired(organization_id: uuid.UUID, integration_id: uuid.UUID, message: str) -> None:
    """Say that the connection waits for a person to connect it again."""
    with organization_scope(organization_id):
        rows = CrmIntegration.objects.filter(pk=integration_id).exclude(status=CrmIntegration.Status.EXPIRED)
        if rows.update(status=CrmIntegration.Status.EXPIRED, status_message=message[:500]):
            record("crm_integration.expired", "crmintegration", integration_id)
            publish(
                "crm_sync_update",
                key=str(integration_id),
                type="crm_sync_update",
                data={"integrationId": str(integration_id), "status": "expired", "progress": 0, "contactsProcessed": 0},
            )


def keep_alive(integration_ids: Mapping[uuid.UUID, uuid.UUID]) -> int:
    """Renew grants that have lain unused so long that a vendor might end them; return how many were renewed."""
    renewed = 0
    for integration_id, organization_id in integration_ids.items():
        with organization_scope(organization_id):
            integration = CrmIntegration.objects.filter(pk=integration_id).first()
        if integration is None:
            continue
        try:
            Keeper(organization_id, integration_id, integration.provider).renew()
            renewed += 1
        except PluginError:
            # Marked, or tried again at the next tick.
            continue
    return renewed


def _fill(row: CrmCredential, credential: Credential) -> None:
    row.blob = orjson.dumps(
        {
            "v": BLOB_VERSION,
            "accessToken": credential.access_token,
            "refreshToken": credential.refresh_token,
            "apiUrl": credential.api_url,
            "kind": credential.kind,
            "expiresAt": credential.expires_at,
            "scopes": list(credential.scopes),
            "extra": dict(credential.extra),
        }
    ).decode()
    row.kind = credential.kind
    shown = credential.refresh_token if credential.kind == "oauth" else credential.access_token
    row.last_four = shown[-4:] if len(shown) >= 12 else ""
    row.expires_at = credential.expires_at
    row.renewed_at = timezone.now()


def read_credential(row: CrmCredential) -> Credential:
    stored = orjson.loads(row.blob)
    if stored["v"] != BLOB_VERSION:
        raise AuthExpired("This credential was stored by a newer version. Connect again.")
    return Credential(
        access_token=stored["accessToken"],
        refresh_token=stored["refreshToken"],
        api_url=stored["apiUrl"],
        kind=stored["kind"],
        expires_at=datetime.fromisoformat(stored["expiresAt"]) if stored["expiresAt"] else None,
        scopes=tuple(stored["scopes"]),
        extra=stored["extra"],
    )
