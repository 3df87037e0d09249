"""Records to be read whatever the cursor says."""

from django.db.models import F

from crm_sync.models import CrmHint, CrmIntegration


def add_hint(integration: CrmIntegration, kind: str, remote_id: str) -> None:
    """Note that a record should be read, whatever the cursor says."""
    rows = CrmHint.objects.filter(integration=integration, kind=kind, remote_id=remote_id)
    if not rows.update(count=F("count") + 1):
        CrmHint.objects.get_or_create(integration=integration, kind=kind, remote_id=remote_id)
