"""Offers and placements: what was agreed, which stays when the person is forgotten."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from contacts.models import Client, Contact
from recruitment.models.applications import Application
from recruitment.models.jobs import JobOpening
from recruitment.models.profiles import Salary
from vocelio.crypto.fields import EncryptedTextField
from vocelio.db.fields import TenantForeignKey
from vocelio.languages.translate import translated
from vocelio.organizations.models import TenantModel


class OfferStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    PENDING = "pending", "Waits for approval"
    APPROVED = "approved", "Approved"
    SENT = "sent", "Sent"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


# What each status may become.
NEXT_OFFER_STATUSES: dict[str, tuple[str, ...]] = {
    OfferStatus.DRAFT: (OfferStatus.PENDING, OfferStatus.WITHDRAWN),
    OfferStatus.PENDING: (OfferStatus.APPROVED, OfferStatus.DRAFT, OfferStatus.WITHDRAWN),
    OfferStatus.APPROVED: (OfferStatus.SENT, OfferStatus.WITHDRAWN),
    OfferStatus.SENT: (OfferStatus.ACCEPTED, OfferStatus.DECLINED, OfferStatus.WITHDRAWN),
    OfferStatus.ACCEPTED: (),
    OfferStatus.DECLINED: (),
    OfferStatus.WITHDRAWN: (),
}
LIVE_OFFERS = ("draft", "pending", "approved", "sent")


class Offer(TenantModel):
    """What an applicant is offered. The salary rests encrypted. Without its application it is a figure of the past."""

    owner_field = "assigned_to"

    application = TenantForeignKey(Application, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    job = TenantForeignKey(JobOpening, on_delete=models.CASCADE, related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=OfferStatus, default=OfferStatus.DRAFT, editable=False)
    salary = EncryptedTextField(blank=True, default="")
    starts_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    terms = models.TextField(blank=True, default="")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    approved_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    note = models.CharField(max_length=500, blank=True, default="", help_text="Why sent back, declined or withdrawn.")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        db_table = "job_offers"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OfferStatus.values), name="offer_status_known"),
            models.UniqueConstraint(
                fields=["organization", "application"],
                condition=Q(status__in=LIVE_OFFERS),
                name="one_live_offer",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["accepted", "declined"]) | Q(sent_at__isnull=False, decided_at__isnull=False),
                name="offer_decided_after_it_was_sent",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "sent", "accepted", "declined"]) | Q(approved_at__isnull=False),
                name="offer_sent_after_approval",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="offers_newest"),
            models.Index(
                fields=["organization", "sent_at"], name="offers_by_sending", condition=Q(sent_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return translated(f"Offer for {self.job}")

    @property
    def amount(self) -> Salary | None:
        return Salary.from_text(self.salary)


class PlacementStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    STARTED = "started", "Started"
    ENDED = "ended", "Ended"
    FELL_THROUGH = "fell_through", "Fell through"


class Placement(TenantModel):
    """Somebody starts in a job, for a fee where it is at a client. What was earned stays without the person."""

    owner_field = "assigned_to"

    application = TenantForeignKey(Application, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    job = TenantForeignKey(JobOpening, on_delete=models.CASCADE, related_name="+", db_index=False)
    client = TenantForeignKey(
        Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    status = models.CharField(max_length=15, choices=PlacementStatus, default=PlacementStatus.PLANNED)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    guarantee_until = models.DateField(null=True, blank=True, help_text="The client may ask for another until then.")
    fee = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))
    currency = models.CharField(max_length=3, blank=True, default="")
    placed_at = models.DateTimeField(db_default=Now(), editable=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "placements"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PlacementStatus.values), name="placement_status_known"),
            models.CheckConstraint(condition=Q(fee__gte=0), name="placement_fee_not_negative"),
            models.CheckConstraint(condition=Q(fee=0) | ~Q(currency=""), name="placement_fee_has_currency"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="placement_ends_after_start"
            ),
            models.UniqueConstraint(
                fields=["organization", "application"],
                condition=~Q(status="fell_through"),
                name="one_placement_an_application",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="placements_newest"),
            models.Index(fields=["organization", "contact"], name="placements_of_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.job}, {self.starts_on}"
