"""Hotlists of candidates, and who may work with whom for a while."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from contacts.models import Contact
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantModel


class Hotlist(TenantModel):
    """Candidates kept at hand for something: a client, a kind of job, a season."""

    owner_field = "assigned_to"

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, default="")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        db_table = "hotlists"
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_hotlist_per_name")]

    def __str__(self) -> str:
        return self.name


class HotlistEntry(TenantModel):
    """A candidate on a hotlist, and why."""

    hotlist = TenantForeignKey(Hotlist, on_delete=models.CASCADE, related_name="entries", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    note = models.CharField(max_length=500, blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "hotlist_entries"
        verbose_name_plural = "hotlist entries"
        constraints = [models.UniqueConstraint(fields=["organization", "hotlist", "contact"], name="once_on_a_hotlist")]
        indexes = [models.Index(fields=["organization", "contact"], name="hotlists_of_contact")]

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.hotlist_id}"


class CandidateClaim(TenantModel):
    """The recruiter a candidate belongs to until a moment; afterwards anybody may claim them."""

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    until = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        db_table = "candidate_claims"
        constraints = [
            models.UniqueConstraint(fields=["organization", "contact"], name="one_claim_a_candidate"),
            models.CheckConstraint(condition=Q(until__isnull=False), name="claim_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} of {self.user_id}"
