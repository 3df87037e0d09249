"""Webhooks as they came in, and the records they hint at."""

from django.db import models
from django.db.models.functions import Now

from crm_sync.models.integrations import CrmIntegration
from crm_sync.models.links import KINDS
from vocelio.crypto.fields import EncryptedTextField
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantRow


class CrmWebhook(TenantRow):
    """A verified webhook, kept raw and encrypted for a week; the same event is kept once."""

    received_at = models.DateTimeField(db_default=Now(), editable=False)
    integration = TenantForeignKey(CrmIntegration, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    body = EncryptedTextField(blank=True, default="")
    events = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "crm_webhook_inbox"
        constraints = [
            models.UniqueConstraint(fields=["organization", "integration", "key"], name="one_crm_webhook_per_key")
        ]
        indexes = [models.Index(fields=["organization", "received_at"], name="crm_webhooks_by_age")]

    def __str__(self) -> str:
        return self.key


class CrmHint(TenantRow):
    """A record that should be read from the CRM, whatever the cursor says."""

    integration = TenantForeignKey(CrmIntegration, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=KINDS)
    remote_id = models.CharField(max_length=255)
    # Rises with each further hint, so that one that comes while the record is being read is not lost.
    count = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "crm_hints"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "kind", "remote_id"], name="one_crm_hint_per_record"
            )
        ]

    def __str__(self) -> str:
        return self.remote_id
