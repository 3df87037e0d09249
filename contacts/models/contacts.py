"""People an organization may call, write to, sell to or recruit."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from vocelio.crypto.fields import EncryptedTextField
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet


class ContactStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"


class ContactQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep contacts that are not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def in_trash(self) -> Self:
        """Keep contacts in the trash, restorable for 30 days."""
        return self.filter(deleted_at__isnull=False, merged_into_id__isnull=True)


ContactManager = TenantManager.from_queryset(ContactQuerySet)


class Contact(TenantModel):
    """A person with a phone, an e-mail address, or both.

    `phone` is E.164 and unique among the organization's contacts outside the trash. `search` is kept by the
    database: lexemes of names, company, e-mail, phone digits and filterable values (migration 0002).
    """

    owner_field = "assigned_to"

    first_name = models.CharField(max_length=100, blank=True, default="")
    last_name = models.CharField(max_length=100, blank=True, default="")
    email = models.CharField(max_length=320, blank=True, default="")
    phone = models.CharField(max_length=20, null=True, blank=True)  # noqa: DJ001 - absent phones must not collide
    phone_extension = models.CharField(max_length=20, blank=True, default="")
    company = models.CharField(max_length=255, blank=True, default="")
    title = models.CharField(max_length=100, blank=True, default="")
    address = models.TextField(blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    state = models.CharField(max_length=50, blank=True, default="")
    zip = models.CharField(max_length=20, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    # Values of sensitive custom fields by key, each sealed with the organization's key (services/custom_fields.py).
    private_fields = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField()), blank=True, editable=False
    )
    status = models.CharField(max_length=20, choices=ContactStatus, default=ContactStatus.ACTIVE)
    source = models.CharField(max_length=100, blank=True, default="")
    notes = models.TextField(blank=True, default="")
    private_notes = EncryptedTextField(blank=True, default="")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    # No constraint in the database, which would be checked for each row of an import; people are never deleted there.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    external_id = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="What another system calls the contact."
    )
    last_contacted_at = models.DateTimeField(null=True, blank=True)
    contact_count = models.PositiveIntegerField(default=0, help_text="How often the person was contacted.")
    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    # Whom a merge made of it. Such a contact lies aside as if in the trash, which does not show it.
    merged_into_id = models.UUIDField(null=True, editable=False)
    # Which import made the row. Without index or constraint, which would cost every row of it: ids rise with time, so
    # the rows of an import lie in the primary key between its first and its last moment.
    import_id = models.UUIDField(null=True, editable=False)
    search = SearchVectorField(null=True, editable=False)

    objects: ClassVar[Any] = ContactManager()

    class Meta:
        db_table = "contacts"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "phone"],
                condition=models.Q(deleted_at__isnull=True),
                name="one_contact_per_phone",
            ),
            models.CheckConstraint(
                condition=models.Q(phone__isnull=False) | ~models.Q(email=""), name="contact_has_phone_or_email"
            ),
            models.CheckConstraint(
                condition=models.Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"), name="contact_phone_is_e164"
            ),
            models.CheckConstraint(condition=models.Q(status__in=ContactStatus.values), name="contact_status_known"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                name="contacts_newest",
                condition=models.Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["organization", "email"], name="contacts_email", condition=~models.Q(email="")),
            models.Index(
                fields=["organization", "external_id"], name="contacts_external_id", condition=~models.Q(external_id="")
            ),
            models.Index(
                fields=["organization", "-deleted_at"],
                name="contacts_trash",
                condition=models.Q(deleted_at__isnull=False),
            ),
            models.Index(
                fields=["organization", "-updated_at", "-id"],
                name="contacts_updated",
                condition=models.Q(deleted_at__isnull=True),
            ),
            GinIndex(fields=["search"], name="contacts_search"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.phone or str(self.id)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)
