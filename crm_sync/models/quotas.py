"""How much of a vendor's quota has been spent, counted over all workers and connections of one account."""

from django.db import models

from vocelio.organizations.models import TenantModel


class CrmQuota(TenantModel):
    """One window of one account's quota. `slots` counts units by twentieths of the window."""

    crm_type = models.CharField(max_length=50)
    account_id = models.CharField(max_length=255)
    window = models.CharField(max_length=50)
    amount = models.PositiveIntegerField()
    seconds = models.FloatField()
    unit = models.CharField(max_length=30, default="requests")
    slots = models.JSONField(default=dict)
    # What the vendor itself last said.
    vendor_limit = models.PositiveIntegerField(null=True)
    vendor_remaining = models.PositiveIntegerField(null=True)
    told_at = models.DateTimeField(null=True)
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "crm_quotas"
        verbose_name = "CRM quota"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "crm_type", "account_id", "window"], name="one_crm_quota_per_window"
            )
        ]

    def __str__(self) -> str:
        return f"{self.crm_type} {self.window}"
