"""Contact lists and who is on them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from contacts.models.contacts import Contact
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import Organization, TenantModel, TenantRow
from vocelio.organizations.scope import current_organization_id


class ContactList(TenantModel):
    """A named, static set of contacts. `contact_count` counts those outside the trash; the database keeps it."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        ARCHIVED = "archived", "Archived"

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "contact_lists"
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_list_per_name")]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="contact_lists_newest")]

    def __str__(self) -> str:
        return self.name


class ContactListMembership(TenantRow):
    """One contact on one list; kept while the contact is in the trash, so that restoring brings it back."""

from vocelio.organizations.models import Organization, TenantModel, TenantRow
from vocelio.organizations.scope import current_organization_id
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    list = TenantForeignKey(ContactList, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    added_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "contact_list_memberships"
        constraints = [models.UniqueConstraint(fields=["organization", "contact", "list"], name="once_on_a_list")]
        indexes = [models.Index(fields=["organization", "list", "contact"], name="memberships_of_list")]

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.list_id}"
