"""What an organization knows of numbers besides lists: who bought, asked or agreed; what kind of line; what was tried."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from dnc.models.lists import Channel
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet, TenantRow


class PermissionKind(models.TextChoices):
    PURCHASE = "purchase", "Purchase, delivery or payment"
    INQUIRY = "inquiry", "Inquiry or application"
    CONSENT = "consent", "Written consent"


class PermissionQuerySet(TenantQuerySet):
    def standing(self) -> "PermissionQuerySet":
        """Keep those that were not revoked."""
        return self.filter(revoked_at__isnull=True)


PermissionManager = TenantManager.from_queryset(PermissionQuerySet)


class Permission(TenantModel):
    """Why a listed number may be called all the same: a business relationship, or a person's written consent.

    How long a relationship lasts is the rules' to say. A company entry ends every one of them.
    """

    number = models.BigIntegerField()
    kind = models.CharField(max_length=20, choices=PermissionKind)
    occurred_on = models.DateField(help_text="The last purchase, the inquiry, or the day of the consent.")
    expires_on = models.DateField(null=True, blank=True, help_text="Of a consent that was given for a time.")
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.ALL)
    purpose = models.CharField(max_length=255, blank=True, default="")
    person = models.CharField(max_length=255, blank=True, default="", help_text="Who agreed.")
    reference = models.CharField(max_length=500, blank=True, default="", help_text="Where the copy is kept.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = PermissionManager()

    class Meta:
        db_table = "dnc_permissions"
        constraints = [models.CheckConstraint(condition=Q(kind__in=PermissionKind.values), name="dnc_permission_known")]
        indexes = [
            models.Index(fields=["organization", "number"], name="dnc_permissions_number"),
            models.Index(fields=["organization", "-created_at", "-id"], name="dnc_permissions_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_on}"

    @property
    def phone_number(self) -> str:
        return f"+{self.number}"


class NumberFact(TenantModel):
    """What a provider said about a number: its kind of line, or whether it was given to somebody else."""

    class Kind(models.TextChoices):
        LINE_TYPE = "line_type", "Line type"
        REASSIGNED = "reassigned", "Reassigned"

    number = models.BigIntegerField()
    kind = models.CharField(max_length=20, choices=Kind)
    value = models.CharField(max_length=20, help_text="wireless, landline, voip; or yes, no, no data.")
    since = models.DateField(null=True, help_text="When it was ported; or the date the provider was asked about.")
    reported_on = models.DateField(help_text="When the provider answered.")

    class Meta:
        db_table = "dnc_number_facts"
        constraints = [models.UniqueConstraint(fields=["organization", "number", "kind"], name="one_fact_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class ContactAttempt(TenantRow):
    """A call or message to a number: what frequency caps count, and the record the law asks for five years."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    number = models.BigIntegerField(help_text="Who was called.")
    caller = models.CharField(max_length=20, blank=True, default="", help_text="The number called from.")
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.CALL)
    attempted_at = models.DateTimeField()
    duration = models.PositiveIntegerField(null=True, help_text="Seconds.")
    disposition = models.CharField(max_length=60, blank=True, default="")
    campaign = models.CharField(max_length=100, blank=True, default="")
    seller = models.CharField(max_length=255, blank=True, default="")
    goods = models.CharField(max_length=255, blank=True, default="")
    user = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        db_table = "dnc_contact_attempts"
        indexes = [
            models.Index(fields=["organization", "number", "-attempted_at"], name="dnc_attempts_number"),
            models.Index(fields=["organization", "-created_at", "-id"], name="dnc_attempts_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.attempted_at:%Y-%m-%d %H:%M}"

    @property
    def phone_number(self) -> str:
        return f"+{self.number}"
