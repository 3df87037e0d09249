"""How an organization recruits, and for how long it may keep whom."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from contacts.models import Contact
from vocelio.db.fields import TenantForeignKey
from vocelio.languages.translate import translated
from vocelio.organizations.models import TenantModel, TenantRow

CONSENT_TEXT = (
    "I agree that my application and CV are stored and used to consider me for this and similar jobs. "
    "I may withdraw this at any time."
)


class RecruitmentSettings(TenantModel):
    """One row an organization, made when first changed."""

    is_careers_page_on = models.BooleanField(default=False, help_text="Whether public jobs can be seen and applied to.")
    consent_text = models.TextField(default=CONSENT_TEXT)
    retention_months = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="After so long without consent or activity candidates are anonymised; never unless given.",
    )
    renewal_days = models.PositiveSmallIntegerField(
        default=30, help_text="So many days before that they are asked whether they may be kept."
    )
    ownership_days = models.PositiveSmallIntegerField(
        default=180, help_text="For how long a claimed candidate is one's own."
    )
    needs_second_approver = models.BooleanField(default=True, help_text="Nobody approves an offer of their own.")

    class Meta:
        db_table = "recruitment_settings"
        verbose_name_plural = "recruitment settings"
        constraints = [models.UniqueConstraint(fields=["organization"], name="one_recruitment_settings")]

    def __str__(self) -> str:
        return translated("Recruitment settings")


class ConsentKind(models.TextChoices):
    APPLICATION = "application", "Given with an application"
    RENEWAL = "renewal", "Given again when asked"
    RECORDED = "recorded", "Noted by a member"


class CandidateConsent(TenantRow):
    """The proof that a candidate agreed to be kept: to which words, when, from where."""

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=15, choices=ConsentKind)
    text = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    given_at = models.DateTimeField(db_default=Now(), editable=False)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        db_table = "candidate_consents"
        constraints = [models.CheckConstraint(condition=Q(kind__in=ConsentKind.values), name="consent_kind_known")]
        indexes = [models.Index(fields=["organization", "contact", "-given_at"], name="consents_of_candidate")]

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.given_at:%Y-%m-%d}"


class RenewalRequest(TenantModel):
    """A candidate was asked whether they may be kept; the secret of the link is kept as a hash."""

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    token_hash = models.BinaryField(max_length=32)
    due_at = models.DateTimeField(help_text="When they are anonymised without an answer.")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "consent_renewals"
        constraints = [models.UniqueConstraint(fields=["organization", "contact"], name="one_renewal_a_candidate")]

    def __str__(self) -> str:
        return f"{self.contact_id} by {self.due_at:%Y-%m-%d}"
