"""Forget what is no longer needed."""

from django.utils import timezone

from crm_sync.models import CrmOAuthAttempt, CrmSyncItem, CrmWebhook
from vocelio.organizations.models import Organization
from vocelio.organizations.retention import kept_since
from vocelio.organizations.scope import organization_scope

BATCH = 10_000


def purge() -> None:
    """Delete old webhooks, consent attempts and per-record histories of every organization; runs and their counts stay."""
    now = timezone.now()
    for organization_id in Organization.objects.values_list("pk", flat=True):
        with organization_scope(organization_id):
            CrmWebhook.objects.filter(received_at__lt=kept_since("crm_webhooks")).delete()
            CrmOAuthAttempt.objects.filter(expires_at__lt=now).delete()
            old = CrmSyncItem.objects.filter(created_at__lt=kept_since("crm_items")).values("pk")[:BATCH]
            CrmSyncItem.objects.filter(pk__in=old).delete()
