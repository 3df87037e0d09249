"""Runs that hold contact lists against Do-Not-Call lists, and what they found for each number."""

import uuid
from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from contacts.models import ContactList
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.languages.translate import translated
from vocelio.organizations.models import Organization, TenantManager, TenantQuerySet, TenantRow
from vocelio.organizations.scope import current_organization_id


class Scrub(Job):
    """One run. total = clean + matched + blocked; contacts without a phone are counted apart."""

    task = "dnc.tasks.run_scrub"
    noun = "scrub"

    campaign_id = models.UUIDField(null=True)
    contact_list_ids = ArrayField(models.UUIDField())
    dnc_list_ids = ArrayField(models.UUIDField(), default=list)
    mode = models.CharField(max_length=20, default="manual")
    # The list of those who may be contacted; followed by later runs while `is_watched`.
    clean_list = TenantForeignKey(ContactList, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    clean_list_name = models.CharField(max_length=255, blank=True, default="")
    is_watched = models.BooleanField(default=False, help_text="Whether it is run again when a DNC list changes.")
    follows = models.UUIDField(null=True, help_text="The run this one repeats.")
    followed_by = models.UUIDField(null=True)
    total_contacts = models.PositiveIntegerField(default=0)
    clean_contacts = models.PositiveIntegerField(default=0)
    matched_dnc = models.PositiveIntegerField(default=0)
    blocked_contacts = models.PositiveIntegerField(default=0)
    without_phone = models.PositiveIntegerField(default=0)
    newly_blocked = models.PositiveIntegerField(default=0)
    newly_clean = models.PositiveIntegerField(default=0)
    lists_checked = ArrayField(models.CharField(max_length=60), default=list)
    judged_at = models.DateTimeField(null=True, help_text="The moment the rules were applied for.")
    certificate_id = models.UUIDField(null=True)

    class Meta(Job.Meta):
        db_table = "dnc_scrubs"
        verbose_name = "scrub"
        indexes = [
            *Job.Meta.indexes,
            models.Index(
                fields=["organization", "completed_at"],
                name="dnc_scrubs_watched",
                condition=models.Q(is_watched=True, followed_by__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.clean_list_name or translated(f"Scrub of {self.created_at:%Y-%m-%d %H:%M}")

    @property
    def compliance_rate(self) -> float | None:
        """Return the percentage of contacts that may be called, to one decimal."""
        return round(self.clean_contacts * 100 / self.total_contacts, 1) if self.total_contacts else None

    @property
    def results(self) -> dict[str, Any]:
        """Return the document's counts, in its words."""
        return {
            "totalContacts": self.total_contacts,
            "matchedDNC": self.matched_dnc,
            "blockedContacts": self.blocked_contacts,
            "cleanContacts": self.clean_contacts,
            "complianceRate": self.compliance_rate,
        }

    def audit_counts(self) -> dict[str, int]:
        return {
            "total": self.total_contacts,
            "clean": self.clean_contacts,
            "matched": self.matched_dnc,
            "blocked": self.blocked_contacts,
        }

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"scrubJobId": str(self.id), "results": self.results}


class ScrubOutcome(TenantRow):
    """One verdict of a run, shared by all numbers that got the same one: its code, reasons and modes."""

    scrub = TenantForeignKey(Scrub, on_delete=models.CASCADE, related_name="outcomes", db_index=False)
    number = models.IntegerField()
    code = models.CharField(max_length=1)
    is_clean = models.BooleanField()
    verdict = models.JSONField()

    class Meta:
        db_table = "dnc_scrub_outcomes"
        constraints = [
            models.UniqueConstraint(fields=["organization", "scrub", "number"], name="one_outcome_per_number")
        ]

    def __str__(self) -> str:
        return self.code


class ScrubResultQuerySet(TenantQuerySet):
    def of(self, scrub: Scrub) -> Self:
        """Keep one run's, which lie together in the primary key."""
        first = result_id(scrub.pk, 0)
        return self.filter(id__range=(first, uuid.UUID(int=first.int | (1 << 60) - 1)))


ScrubResultManager = TenantManager.from_queryset(ScrubResultQuerySet)


class ScrubResult(TenantRow):
    """What one run found for one number.

    The id is made of the run's and the number's: sixteen hexadecimal digits of the run, an 8, fifteen of the number.
    So a run's results lie together in the primary key, and a number's are found in any run without another index.
    """

    # Checked once for the run rather than for each of a million rows.
    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        related_name="+",
        default=current_organization_id,
        editable=False,
        db_index=False,
        db_constraint=False,
    )
    contact_id = models.UUIDField()
    number = models.BigIntegerField()
    outcome = models.IntegerField()
    code = models.CharField(max_length=1)
    is_clean = models.BooleanField()

    objects: ClassVar[Any] = ScrubResultManager()

    class Meta:
        db_table = "dnc_scrub_results"

    def __str__(self) -> str:
        return f"+{self.number} {self.code}"


def result_id(scrub_id: uuid.UUID, number: int) -> uuid.UUID:
    """Return the id of a number's result in a run."""
    return uuid.UUID(f"{scrub_id.hex[:16]}8{number:015x}")
