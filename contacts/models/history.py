"""What was changed of contacts and clients, when, by whom and why.

The database writes it (migrations 0006 and 0018); nobody else does.
"""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now

from contacts.models.lists import ContactList
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantQuerySet, TenantRow


class RecordedQuerySet(TenantQuerySet):
    def of_contact(self, contact_id: object) -> Self:
        """Keep what is told of one contact, the newest first."""
        return self.filter(contact_id=contact_id).order_by("-changed_at", "-id")

    def of_client(self, client_id: object) -> Self:
        """Keep what is told of one client, the newest first."""
        return self.filter(client_id=client_id).order_by("-changed_at", "-id")

    def caused_by(self, cause: str, cause_id: object) -> Self:
        """Keep what one run changed, in the order in which it did."""
        return self.filter(cause=cause, cause_id=cause_id).order_by("changed_at", "id")


RecordedManager = TenantManager.from_queryset(RecordedQuerySet)


class Recorded(TenantRow):
    """When, by whom and why: `cause` is what kind of work it was ("import", "bulk", else the door: "api", "admin"),
    `cause_id` its job."""

    changed_at = models.DateTimeField(db_default=Now())
    user_id = models.UUIDField(null=True)
    cause = models.CharField(max_length=30, blank=True, default="")
    cause_id = models.UUIDField(null=True)

    class Meta:
        abstract = True


class ContactChange(Recorded):
    """One UPDATE of one contact: the changed columns before and after, by their names in the table.

    Every column but `search` and `updated_at` is told of. Of `custom_fields` only the keys that changed are there;
    a key that is missing on one side did not exist then. `private_notes` is as it rests: encrypted.
    """

    # Not a foreign key, which would be checked for each of a million changes; a trigger takes the rows of
    # contacts that are removed for good.
    contact_id = models.UUIDField()
    before = models.JSONField()
    after = models.JSONField()

    objects: ClassVar[Any] = RecordedManager()

    class Meta:
        db_table = "contact_changes"
        indexes = [
            models.Index(fields=["organization", "contact_id", "changed_at", "id"], name="contact_changes_of_contact"),
            models.Index(
                fields=["organization", "cause_id", "changed_at", "id"],
                name="contact_changes_of_cause",
                condition=models.Q(cause_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(sorted(self.before.keys() | self.after.keys()))


class ClientChange(Recorded):
    """One UPDATE of one client, told of as a contact's is."""

    client_id = models.UUIDField()
    before = models.JSONField()
    after = models.JSONField()

    objects: ClassVar[Any] = RecordedManager()

    class Meta:
        db_table = "client_changes"
        indexes = [
            models.Index(fields=["organization", "client_id", "changed_at", "id"], name="client_changes_of_client"),
            models.Index(
                fields=["organization", "cause_id", "changed_at", "id"],
                name="client_changes_of_cause",
                condition=models.Q(cause_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(sorted(self.before.keys() | self.after.keys()))


class ListDeparture(Recorded):
    """A contact that left a list (`changed_at`) it had joined at `added_at`. Joining is told by the membership."""

    contact_id = models.UUIDField()
    list = TenantForeignKey(ContactList, on_delete=models.CASCADE, related_name="+", db_index=False)
    added_at = models.DateTimeField()
    added_by_id = models.UUIDField(null=True)

    objects: ClassVar[Any] = RecordedManager()

    class Meta:
        db_table = "contact_list_departures"
        indexes = [
            models.Index(fields=["organization", "contact_id", "changed_at"], name="departures_of_contact"),
            models.Index(fields=["organization", "list"], name="departures_from_list"),
            models.Index(
                fields=["organization", "cause_id", "changed_at", "id"],
                name="departures_of_cause",
                condition=models.Q(cause_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} left {self.list_id}"
