"""What happens by itself: due syncs, credentials and webhook subscriptions that are about to end."""

import uuid
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from crm_sync.models import CrmCredential, CrmHint, CrmIntegration, CrmSyncRun
from crm_sync.services.connections import ensure_subscription
from crm_sync.services.credentials import keep_alive
from crm_sync.services.runs import SyncRunning, start_sync
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

MOST_A_TICK = 500
# Vendors end grants that nobody has used for weeks (Pipedrive: 60 days); ours are never older than this.
RENEW_AFTER = timedelta(days=7)
RENEW_SUBSCRIPTIONS_BEFORE = timedelta(hours=6)


def start_due_syncs() -> int:
    """Start the automatic syncs whose time has come, and those that webhooks wait for; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, integration_id FROM due_crm_integrations(%s)", [MOST_A_TICK])
        due = cursor.fetchall()
    return sum(_start(organization_id, integration_id) for organization_id, integration_id in due)


def _start(organization_id: uuid.UUID, integration_id: uuid.UUID) -> bool:
    with organization_scope(organization_id):
        rows = CrmIntegration.objects.select_for_update(skip_locked=True).filter(
            pk=integration_id, status=CrmIntegration.Status.CONNECTED, needs_confirmation=False
        )
        integration = rows.first()
        if integration is None:
            return False
        is_due = CrmIntegration.objects.due().filter(pk=integration_id).exists()
        if is_due:
            # From now, not from when it was due: what was missed while everything stood still is not made up for.
            following = timezone.now() + timedelta(minutes=integration.sync_frequency)
            CrmIntegration.objects.filter(pk=integration_id).update(next_sync_at=following)
        elif not CrmHint.objects.filter(integration=integration).exists():
            return False
        try:
            start_sync(integration=integration, sync_type=CrmSyncRun.Type.AUTO if is_due else CrmSyncRun.Type.WEBHOOK)
        except SyncRunning:
            return False
        return True


def renew_credentials() -> int:
    """Renew grants before they end for lack of use, and webhook subscriptions; return how many grants."""
    now = timezone.now()
    stale: dict[uuid.UUID, uuid.UUID] = {}
    ending: list[CrmIntegration] = []
    for organization_id in Organization.objects.values_list("pk", flat=True):
        with organization_scope(organization_id):
            rows = CrmCredential.objects.filter(integration__status=CrmIntegration.Status.CONNECTED).select_related(
                "integration"
            )
            for row in rows.filter(Q(kind="oauth", renewed_at__lt=now - RENEW_AFTER)):
                stale[row.integration_id] = organization_id
            soon = now + RENEW_SUBSCRIPTIONS_BEFORE
            ending += [row.integration for row in rows.filter(subscription_expires_at__lt=soon)]
    for integration in ending:
        ensure_subscription(integration)
    return keep_alive(stale)
