"""What a contact is as somebody who may buy."""

from django.db import models

from contacts.models import Client, Profile
from contacts.models.profiles import one_primary
from vocelio.db.fields import TenantForeignKey


class LeadStatus(models.TextChoices):
    NEW = "new", "New"
    CONTACTED = "contacted", "Contacted"
    QUALIFIED = "qualified", "Qualified"
    NURTURING = "nurturing", "Nurturing"
    CUSTOMER = "customer", "Customer"
    UNQUALIFIED = "unqualified", "Unqualified"
    LOST = "lost", "Lost"


# There is nothing to sell to these now.
CLOSED = (LeadStatus.UNQUALIFIED, LeadStatus.LOST)


class BuyingRole(models.TextChoices):
    DECISION_MAKER = "decision_maker", "Decision maker"
    ECONOMIC_BUYER = "economic_buyer", "Economic buyer"
    CHAMPION = "champion", "Champion"
    INFLUENCER = "influencer", "Influencer"
    USER = "user", "User"
    GATEKEEPER = "gatekeeper", "Gatekeeper"
    BLOCKER = "blocker", "Blocker"


class SalesProfile(Profile):
    """A contact who may buy: role in buying, budget, territory, where the lead stands and what it is worth.

    Budget and lifetime value are in `currency`.
    """

    client = TenantForeignKey(
        Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    buying_role = models.CharField(max_length=20, choices=BuyingRole, blank=True, default="")
    lead_status = models.CharField(max_length=20, choices=LeadStatus, default=LeadStatus.NEW)
    lead_source = models.CharField(max_length=100, blank=True, default="")
    score = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 to 100.")
    budget = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    lifetime_value = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", help_text="ISO 4217.")
    territory = models.CharField(max_length=100, blank=True, default="")
    interests = models.TextField(blank=True, default="", help_text="What they may buy, in their own words.")
    notes = models.TextField(blank=True, default="")

    class Meta:
        db_table = "sales_profiles"
        constraints = [
            one_primary("one_primary_sales_profile"),
            models.CheckConstraint(
                condition=models.Q(lead_status__in=LeadStatus.values), name="sales_profile_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__lte=100), name="sales_profile_score_in_percent"
            ),
            models.CheckConstraint(
                condition=models.Q(budget__isnull=True, lifetime_value__isnull=True) | ~models.Q(currency=""),
                name="sales_profile_amounts_have_currency",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "contact"], name="sales_profiles_of_contact"),
            models.Index(fields=["organization", "-created_at", "-id"], name="sales_profiles_newest"),
            models.Index(fields=["organization", "lead_status", "-created_at"], name="sales_profiles_by_status"),
        ]
