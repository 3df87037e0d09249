"""How many contacts a connection holds, and how they are."""

from datetime import datetime

from django.db.models import Count, Q

from crm_sync.models import CrmIntegration, CrmLink
from crm_sync.providers.values import Kind


def refresh_totals(integration: CrmIntegration, *, synced_at: datetime | None = None) -> None:
    """Count the connection's contacts anew: those in step, and those that could not be stored on one side."""
    counts = CrmLink.objects.filter(integration=integration, kind=Kind.CONTACTS.value).aggregate(
        synced=Count("pk", filter=Q(state=CrmLink.State.LINKED)), failed=Count("pk", filter=Q(state__in=CrmLink.DEAD))
    )
    changes = {
        "total_contacts": counts["synced"] + counts["failed"],
        "synced_contacts": counts["synced"],
        "failed_contacts": counts["failed"],
    }
    if synced_at is not None:
        changes |= {"last_sync_at": synced_at, "needs_confirmation": False}
    CrmIntegration.objects.filter(pk=integration.pk).update(**changes)
