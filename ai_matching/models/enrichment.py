"""What might be added to a contact; a person decides."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from contacts.models import Contact
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantModel


class ProposalStatus(models.TextChoices):
    PENDING = "pending", "To be looked at"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"


# The columns of a contact that may be proposed; never a phone, an address, consent, an owner.
PROPOSABLE = ("company", "title", "city", "state", "country")


class EnrichmentProposal(TenantModel):
    """A value for an empty or other column of a contact, where it comes from and how sure that is."""

    owner_field = "contact__assigned_to"

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    field = models.CharField(max_length=20)
    value = models.CharField(max_length=255)
    source = models.CharField(max_length=20, help_text="domain, phone, profile or openai.")
    explanation = models.CharField(max_length=300, blank=True, default="")
    confidence = models.DecimalField(max_digits=3, decimal_places=2)
    status = models.CharField(max_length=10, choices=ProposalStatus, default=ProposalStatus.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "enrichment_proposals"
        constraints = [
            models.CheckConstraint(condition=Q(field__in=PROPOSABLE), name="proposal_field_allowed"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="confidence_is_a_share"),
            models.CheckConstraint(condition=Q(status__in=ProposalStatus.values), name="proposal_status_known"),
            # A rejected value is never proposed again, from whatever source.
            models.UniqueConstraint(fields=["organization", "contact", "field", "value"], name="proposed_once"),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="proposals_newest"),
            models.Index(fields=["organization", "contact"], name="proposals_of_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.value}"
