"""Proofs that people were erased."""

from django.db import models
from django.db.models.functions import Now

from vocelio.organizations.models import TenantRow


class Erasure(TenantRow):
    """The certificate of one erasure. Holds nothing of the person: numbers and addresses as keyed hashes only.

    Who knows the number can prove that it was erased; who does not cannot learn it.
    """

    contact_id = models.UUIDField()
    erased_at = models.DateTimeField(db_default=Now())
    erased_by_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    removed = models.JSONField(help_text="How many rows of each table were removed or blanked.")
    identifiers = models.JSONField(help_text="HMAC-SHA-256 of each number and address, keyed by the organization.")
    suppressed = models.PositiveSmallIntegerField(help_text="How many numbers and addresses stay suppressed.")
    is_verified = models.BooleanField(help_text="Every table was searched afterwards and nothing was found.")

    class Meta:
        db_table = "erasures"
        indexes = [models.Index(fields=["organization", "-erased_at"], name="erasures_newest")]

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.erased_at:%F}"
