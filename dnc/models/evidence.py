"""Proof that numbers were checked: certificates in a chain, and who looked into a registry."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from vocelio.languages.translate import translated
from vocelio.organizations.models import TenantRow


class Certificate(TenantRow):
    """What was checked, when, by whom, against which versions under which rules, and how it came out. Append-only.

    `hash` covers the content and the hash before it, so that none can be changed, added or left out unseen.
    """

    class Kind(models.TextChoices):
        CHECK = "check", "Check"
        SCRUB = "scrub", "Scrub"

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    number = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=20, choices=Kind)
    subject_id = models.UUIDField(null=True, help_text="The scrub.")
    user_id = models.UUIDField(null=True)
    content: "models.JSONField[Any, Any]" = models.JSONField()
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "dnc_certificates"
        constraints = [models.UniqueConstraint(fields=["organization", "number"], name="one_certificate_per_number")]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="dnc_certificates_newest")]

    def __str__(self) -> str:
        return translated(f"Certificate {self.number}")


class RegistryAccess(TenantRow):
    """One look into registries: who, when, under which subscription, how many numbers of which area codes."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    user_id = models.UUIDField(null=True)
    purpose = models.CharField(max_length=20)
    certificate_id = models.UUIDField(null=True)
    registries = ArrayField(models.CharField(max_length=40), default=list)
    sans = ArrayField(models.CharField(max_length=50), default=list)
    areas = ArrayField(models.CharField(max_length=4), default=list)
    numbers = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "dnc_registry_accesses"
        verbose_name_plural = "registry accesses"
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="dnc_accesses_newest")]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.numbers}"
