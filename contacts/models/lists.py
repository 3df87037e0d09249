"""Contact lists, who is on them, and how many contacts there are without counting them."""

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.functions import Coalesce, Now

from contacts.models.contacts import Contact, ContactStatus
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import Organization, TenantManager, TenantModel, TenantQuerySet, TenantRow
from vocelio.organizations.scope import current_organization_id


class CurrentCauseId(models.Func):
    """The id that `change_cause` names in this transaction, or null."""

    function = "current_cause_id"
    output_field: ClassVar[Any] = models.UUIDField()


class ContactTallyQuerySet(TenantQuerySet):
    def by_status(self) -> dict[str, int]:
        """Return the organization's number of contacts outside the trash by status."""
        with connection.cursor() as cursor:
            # Every page of contacts asks: the ORM would take a fifth of the page's time.
            cursor.execute(
                "SELECT status, sum(delta)::bigint FROM contact_tallies"
                " WHERE organization_id = %s AND list_id IS NULL GROUP BY status",
                [current_organization_id()],
            )
            return dict.fromkeys(ContactStatus.values, 0) | dict(cursor.fetchall())

    def of_list(self, list_id: object) -> int:
        """Return a list's number of contacts outside the trash."""
        return int(self.filter(list_id=list_id).aggregate(number=models.Sum("delta"))["number"] or 0)


ContactTallyManager = TenantManager.from_queryset(ContactTallyQuerySet)


class ContactListQuerySet(TenantQuerySet):
    def dynamic(self) -> Self:
        """Keep lists that are a saved filter."""
        return self.filter(filter__isnull=False)

    def with_counts(self) -> Self:
        """Add `contact_count`, the number of members outside the trash."""
        tallies = ContactTallyQuerySet(ContactTally).filter(
            organization_id=models.OuterRef("organization_id"), list_id=models.OuterRef("pk")
        )
        return self.annotate(
            contact_count=Coalesce(
                models.Subquery(tallies.order_by().values("list").values(number=models.Sum("delta"))),
                0,
                output_field=models.BigIntegerField(),
            )
        )


ContactListManager = TenantManager.from_queryset(ContactListQuerySet)


class ContactList(TenantModel):
    """A named set of contacts: put there one by one or, with a `filter`, whoever it finds at the time."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        ARCHIVED = "archived", "Archived"

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    filter = models.JSONField(null=True, blank=True, help_text="Parameters of GET /contacts; null for a static list.")
    created_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = ContactListManager()

    class Meta:
        db_table = "contact_lists"
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_list_per_name")]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="contact_lists_newest")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_dynamic(self) -> bool:
        return self.filter is not None


class ContactListMembership(TenantRow):
    """One contact on one list; kept while the contact is in the trash, so that restoring brings it back."""

    # Each constraint is checked for every row of an import. The organization is held by those of contact and list.
    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        default=current_organization_id,
        editable=False,
        db_index=False,
        db_constraint=False,
    )
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    list = TenantForeignKey(ContactList, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    added_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    added_at = models.DateTimeField(db_default=Now())
    # The job that put the contact there; the database takes it from `change_cause`.
    cause_id = models.UUIDField(null=True, editable=False, db_default=CurrentCauseId())

    class Meta:
        db_table = "contact_list_memberships"
        constraints = [models.UniqueConstraint(fields=["organization", "contact", "list"], name="once_on_a_list")]
        indexes = [models.Index(fields=["organization", "list", "contact"], name="memberships_of_list")]

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.list_id}"


class ContactTally(TenantRow):
    """A change of a number of contacts outside the trash; the sum of the rows is the number.

    Rows without a list count the organization's contacts by status, rows with a list its members. Triggers add
    them (migration 0003), one a statement, so that parallel writers never wait for each other as they would
    for one counter row; `compact_contact_tallies` sums them up again.
    """

    list = TenantForeignKey(ContactList, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    status = models.CharField(max_length=20, blank=True, default="")
    delta = models.BigIntegerField()

    objects: ClassVar[Any] = ContactTallyManager()

    class Meta:
        db_table = "contact_tallies"
        indexes = [models.Index(fields=["organization", "list"], name="contact_tallies_of_list")]

    def __str__(self) -> str:
        return f"{self.delta:+d}"

    @staticmethod
    def compact() -> None:
        """Sum up the rows of each number, of all organizations; numbers stay as they are."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT compact_contact_tallies()")
