"""Contacts that seem to be one person, and the journal of contacts and of clients that were made one."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from contacts.models.clients import Client
from contacts.models.contacts import Contact
from vocelio.access.principal import Principal
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.organizations.models import TenantManager, TenantQuerySet, TenantRow


class ContactDuplicateQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep pairs of which the caller sees both contacts, neither of them in the trash."""
        seen = Contact.objects.alive().visible_to(principal)
        return self.filter(
            models.Exists(seen.filter(pk=models.OuterRef("first_id"))),
            models.Exists(seen.filter(pk=models.OuterRef("second_id"))),
        )


ContactDuplicateManager = TenantManager.from_queryset(ContactDuplicateQuerySet)


class ContactDuplicate(TenantRow):
    """A pair that may be one person: `first_id` is the older contact. No foreign keys, which a scan would check."""

    class Kind(models.TextChoices):
        EXACT = "exact", "The same e-mail address"
        FUZZY = "fuzzy", "Alike"

    class Status(models.TextChoices):
        OPEN = "open", "To be reviewed"
        DISMISSED = "dismissed", "Two people"

    first_id = models.UUIDField()
    second_id = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind)
    score = models.FloatField(help_text="How likely both are one person, 0 to 1.")
    reasons = ArrayField(models.CharField(max_length=20), default=list)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN, db_default=Status.OPEN)
    scan_id = models.UUIDField(null=True)
    found_at = models.DateTimeField(db_default=Now())
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by_id = models.UUIDField(null=True)

    objects: ClassVar[Any] = ContactDuplicateManager()

    class Meta:
        db_table = "contact_duplicates"
        constraints = [
            models.UniqueConstraint(fields=["organization", "first_id", "second_id"], name="one_duplicate_per_pair"),
            models.CheckConstraint(condition=models.Q(first_id__lt=models.F("second_id")), name="duplicate_in_order"),
        ]
        indexes = [models.Index(fields=["organization", "status", "-score", "-id"], name="contact_duplicates_queue")]

    def __str__(self) -> str:
        return f"{self.score:.2f} {', '.join(self.reasons)}"


class DuplicateScan(Job):
    """A search for duplicates over all of the organization's contacts."""

    task = "contacts.tasks.scan_duplicates"
    noun = "duplicate_scan"

    exact = models.PositiveIntegerField(default=0, help_text="Pairs with the same e-mail address.")
    fuzzy = models.PositiveIntegerField(default=0, help_text="Pairs that are alike.")
    compared = models.PositiveBigIntegerField(default=0, help_text="Pairs that were compared.")

    class Meta(Job.Meta):
        db_table = "duplicate_scans"

    def audit_counts(self) -> dict[str, int]:
        return {"contacts": self.processed, "exact": self.exact, "fuzzy": self.fuzzy, "compared": self.compared}


class ExactMark(TenantRow):
    """Up to which change of contacts exact duplicates were looked for."""

    looked_until = models.DateTimeField()

    class Meta:
        db_table = "exact_duplicate_marks"
        constraints = [models.UniqueConstraint(fields=["organization"], name="one_exact_mark")]

    def __str__(self) -> str:
        return f"{self.looked_until:%F %T}"


class Merge(TenantRow):
    """Two records made one: `absorbed` lies aside with `merged_into_id`, until somebody brings it back.

    Subclasses add `survivor` and `absorbed`, and have `moves`.
    """

    merged_at = models.DateTimeField(db_default=Now())
    merged_by_id = models.UUIDField(null=True)
    choices = models.JSONField(default=dict, help_text="Field by API name: the record whose value was kept.")
    moved = models.JSONField(default=dict, help_text="How many rows of each kind followed.")
    unmerged_at = models.DateTimeField(null=True)
    unmerged_by_id = models.UUIDField(null=True)

    if TYPE_CHECKING:
        survivor_id: uuid.UUID
        absorbed_id: uuid.UUID
        moves: Any

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.absorbed_id} into {self.survivor_id}"


class Move(TenantRow):
    """One row that a merge changed: it pointed to the absorbed record, or a rule of its model touched it.

    Without `before` only the pointer moved. `before` is the whole row, null when the merge made it; `after` is the
    whole row, null when the merge removed it.
    """

    model = models.CharField(max_length=100, help_text="app.model")
    column = models.CharField(max_length=63, blank=True)
    row_id = models.UUIDField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"


class ContactMerge(Merge):
    """Two contacts made one."""

    survivor = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="merges", db_index=False)
    absorbed = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="absorptions", db_index=False)
    choices = models.JSONField(default=dict, help_text="Field by API name: the contact whose value was kept.")

    class Meta:
        db_table = "contact_merges"
        indexes = [
            models.Index(fields=["organization", "survivor", "-merged_at"], name="merges_of_survivor"),
            models.Index(fields=["organization", "absorbed"], name="merges_of_absorbed"),
        ]


class MergeMove(Move):
    """A row that followed a contact."""

    merge = TenantForeignKey(ContactMerge, on_delete=models.CASCADE, related_name="moves", db_index=False)

    class Meta:
        db_table = "contact_merge_moves"
        indexes = [models.Index(fields=["organization", "merge"], name="moves_of_merge")]


class ClientMerge(Merge):
    """Two clients made one."""

    survivor = TenantForeignKey(Client, on_delete=models.CASCADE, related_name="merges", db_index=False)
    absorbed = TenantForeignKey(Client, on_delete=models.CASCADE, related_name="absorptions", db_index=False)

    class Meta:
        db_table = "client_merges"
        indexes = [
            models.Index(fields=["organization", "survivor", "-merged_at"], name="client_merges_of_survivor"),
            models.Index(fields=["organization", "absorbed"], name="client_merges_of_absorbed"),
        ]


class ClientMergeMove(Move):
    """A row that followed a client."""

    merge = TenantForeignKey(ClientMerge, on_delete=models.CASCADE, related_name="moves", db_index=False)

    class Meta:
        db_table = "client_merge_moves"
        indexes = [models.Index(fields=["organization", "merge"], name="moves_of_client_merge")]
