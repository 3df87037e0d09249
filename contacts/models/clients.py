"""Companies an organization sells to or recruits for, and the people who belong to them."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now

from contacts.models.contacts import Contact
from contacts.models.live import LiveQuerySet
from vocelio.access.principal import Principal
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet


class ClientStatus(models.TextChoices):
    PROSPECT = "prospect", "Prospect"
    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"


class Verification(models.TextChoices):
    """Whether somebody made sure that the company exists and is who it says it is."""

    UNVERIFIED = "unverified", "Unverified"
    VERIFIED = "verified", "Verified"
    REJECTED = "rejected", "Rejected"


class ClientSize(models.TextChoices):
    """Employees, in the bands LinkedIn shows."""

    SELF_EMPLOYED = "1", "1"
    TINY = "2-10", "2 to 10"
    SMALL = "11-50", "11 to 50"
    MEDIUM = "51-200", "51 to 200"
    UPPER_MEDIUM = "201-500", "201 to 500"
    LARGE = "501-1000", "501 to 1,000"
    VERY_LARGE = "1001-5000", "1,001 to 5,000"
    HUGE = "5001-10000", "5,001 to 10,000"
    ENTERPRISE = "10001+", "More than 10,000"


class RelationRole(models.TextChoices):
    """What a person is to a company."""

    EMPLOYEE = "employee", "Employee"
    DECISION_MAKER = "decision_maker", "Decision maker"
    BUYER = "buyer", "Buyer"
    INFLUENCER = "influencer", "Influencer"
    TECHNICAL = "technical", "Technical contact"
    BILLING = "billing", "Billing contact"
    HIRING_MANAGER = "hiring_manager", "Hiring manager"
    CONSULTANT = "consultant", "Consultant"
    OTHER = "other", "Other"


class ClientQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep clients that are not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def in_trash(self) -> Self:
        """Keep clients in the trash, restorable for 30 days; those that were merged lie aside until they are unmerged."""
        return self.filter(deleted_at__isnull=False, merged_into_id__isnull=True)


ClientManager = TenantManager.from_queryset(ClientQuerySet)


class Client(TenantModel):
    """A company. Its name and domain together are unique among the organization's clients outside the trash.

    `domain` is the bare host of the website (`example.com`); two companies of one name differ by it, and a group
    may share one domain. `sort_name`, the name in lower case and without accents, and
    `search` are kept by the database (migrations 0016 and 0014). `parent` never leads back to the client itself, which the database holds (migration 0013).
    """

    owner_field = "assigned_to"

    name = models.CharField(max_length=255)
    legal_name = models.CharField(max_length=255, blank=True, default="")
    domain = models.CharField(max_length=253, blank=True, default="")
    website = models.CharField(max_length=500, blank=True, default="")
    linkedin_url = models.CharField(max_length=500, blank=True, default="")
    industry = models.CharField(max_length=100, blank=True, default="")
    size = models.CharField(max_length=20, choices=ClientSize, blank=True, default="")
    annual_revenue = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", help_text="Of the revenue; ISO 4217.")
    tax_id = models.CharField(max_length=50, blank=True, default="", help_text="VAT number, EIN or the like.")
    email = models.CharField(max_length=320, blank=True, default="")
    phone = models.CharField(max_length=20, blank=True, default="", help_text="E.164.")
    address = models.TextField(blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    state = models.CharField(max_length=50, blank=True, default="")
    zip = models.CharField(max_length=20, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=20, choices=ClientStatus, default=ClientStatus.PROSPECT)
    source = models.CharField(max_length=100, blank=True, default="")
    notes = models.TextField(blank=True, default="")
    parent = TenantForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    verification = models.CharField(max_length=20, choices=Verification, default=Verification.UNVERIFIED)
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When it was verified or rejected.")
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    verification_note = models.CharField(max_length=500, blank=True, default="")
    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    # No foreign key, which would be checked for each row; ids are given in the order of time, so that what an import
    # made lies together in the primary key.
    import_id = models.UUIDField(null=True, editable=False)
    merged_into_id = models.UUIDField(null=True, editable=False)
    sort_name = models.TextField(default="", editable=False)
    search = SearchVectorField(null=True, editable=False)

    objects: ClassVar[Any] = ClientManager()

    class Meta:
        db_table = "clients"
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="client_has_name"),
            models.CheckConstraint(condition=models.Q(status__in=ClientStatus.values), name="client_status_known"),
            models.CheckConstraint(
                condition=models.Q(phone="") | models.Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="client_phone_is_e164",
            ),
            models.CheckConstraint(
                condition=models.Q(verification=Verification.UNVERIFIED, verified_at__isnull=True)
                | models.Q(verification__in=[Verification.VERIFIED, Verification.REJECTED], verified_at__isnull=False),
                name="client_verification_known_and_dated",
            ),
            models.CheckConstraint(
                condition=models.Q(annual_revenue__isnull=True) | ~models.Q(currency=""),
                name="client_revenue_has_currency",
            ),
            models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="client_is_not_its_own_parent"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                name="clients_newest",
                condition=models.Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "-updated_at", "-id"],
                name="clients_updated",
                condition=models.Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "-deleted_at"],
                name="clients_trash",
                condition=models.Q(deleted_at__isnull=False),
            ),
            models.Index(
                fields=["organization", "parent"], name="clients_of_parent", condition=models.Q(parent__isnull=False)
            ),
            models.Index(
                fields=["organization", "domain"],
                name="clients_by_domain",
                condition=models.Q(deleted_at__isnull=True) & ~models.Q(domain=""),
            ),
            GinIndex(fields=["search"], name="clients_search"),
        ]

    def __str__(self) -> str:
        return self.name


class LiveClientQuerySet(LiveQuerySet):
    def of_contact(self, contact_id: object) -> Self:
        """Keep the companies a person belongs to now."""
        relations = ClientContact.objects.current().filter(contact_id=contact_id, client_id=models.OuterRef("pk"))
        return self.filter(models.Exists(relations))


LiveClientManager = TenantManager.from_queryset(LiveClientQuerySet)


class LiveClient(TenantModel):
    """A client outside the trash, as the view `live_clients` shows it: what a list is found and sorted by."""

    owner_field = "assigned_to"

    name = models.CharField(max_length=255)
    sort_name = models.TextField()
    status = models.CharField(max_length=20)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, null=True, related_name="+")
    search = SearchVectorField()

    objects: ClassVar[Any] = LiveClientManager()

    class Meta:
        managed = False
        db_table = "live_clients"

    def __str__(self) -> str:
        return self.name


class ClientContactQuerySet(TenantQuerySet):
    def current(self) -> Self:
        """Keep relations that hold today, between a client and a contact outside the trash."""
        return self.alive().filter(models.Q(ended_on__isnull=True) | models.Q(ended_on__gt=Now()))

    def alive(self) -> Self:
        """Keep relations between a client and a contact outside the trash."""
        return self.filter(client__deleted_at__isnull=True, contact__deleted_at__isnull=True)

    def visible_to(self, principal: Principal) -> Self:
        """Keep relations whose client and contact the person may both see."""
        if not principal.sees_own_team_only:
            return self
        return self.filter(
            client__in=Client.objects.get_queryset().visible_to(principal),
            contact__in=Contact.objects.get_queryset().visible_to(principal),
        )


ClientContactManager = TenantManager.from_queryset(ClientContactQuerySet)


class ClientContact(TenantModel):
    """What one person is to one company, from when to when; without an end it holds now.

    A client has at most one primary contact at a time. A person holds one role at a company once at a time, and
    may hold several.
    """

    client = TenantForeignKey(Client, on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    role = models.CharField(max_length=20, choices=RelationRole, default=RelationRole.EMPLOYEE)
    title = models.CharField(max_length=100, blank=True, default="", help_text="Job title at this company.")
    is_primary = models.BooleanField(default=False, help_text="The client's first person to talk to.")
    started_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = ClientContactManager()

    class Meta:
        db_table = "client_contacts"
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=RelationRole.values), name="relation_role_known"),
            models.CheckConstraint(
                condition=models.Q(started_on__isnull=True)
                | models.Q(ended_on__isnull=True)
                | models.Q(ended_on__gte=models.F("started_on")),
                name="relation_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(is_primary=False) | models.Q(ended_on__isnull=True),
                name="primary_relation_holds_now",
            ),
            models.UniqueConstraint(
                fields=["organization", "client"],
                condition=models.Q(is_primary=True),
                name="one_primary_contact_per_client",
            ),
            models.UniqueConstraint(
                fields=["organization", "contact", "client", "role"],
                condition=models.Q(ended_on__isnull=True),
                name="one_current_relation_per_role",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "client", "contact"], name="contacts_of_client"),
            models.Index(fields=["organization", "contact"], name="clients_of_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} at {self.client}"
