"""Which record of a CRM is which of ours, and what both looked like when they last agreed."""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from contacts.models import Client, Contact
from crm_sync.models.integrations import CrmIntegration
from crm_sync.providers.values import Kind
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet, TenantRow

KINDS = [(kind.value, kind.value) for kind in Kind]
# Where a record of a kind is pointed to: one column each, so that merges and erasures find it.
POINTERS = {Kind.CONTACTS.value: "contact_id", Kind.COMPANIES.value: "client_id"}


class OfRecord:
    """Points to a record of ours of either kind."""

    contact_id: uuid.UUID | None
    client_id: uuid.UUID | None

    @property
    def record_id(self) -> uuid.UUID | None:
        return self.contact_id or self.client_id


def one_record(name: str) -> models.CheckConstraint:
    """Return the constraint that a row points to one record at most."""
    return models.CheckConstraint(
        condition=models.Q(contact__isnull=True) | models.Q(client__isnull=True), name=f"{name}_points_to_one_record"
    )


class CrmLinkQuerySet(TenantQuerySet):
    def linked(self) -> Self:
        """Keep records that exist on both sides."""
        return self.filter(state=CrmLink.State.LINKED)

    def dead_letters(self) -> Self:
        """Keep records that could not be stored here or there."""
        return self.filter(state__in=CrmLink.DEAD)

    def due(self) -> Self:
        """Keep records that have to be compared with the CRM."""
        return self.filter(is_due=True)


class CrmLink(OfRecord, TenantModel):
    """One record on both sides, unique in each direction.

    `local_base` and `remote_base` are the mapped values, in our spelling, at the last agreement; a side has changed
    when it differs from its own base. `local_version` is the `updated_at` of our record at that time.
    """

    class State(models.TextChoices):
        # Ours alone so far.
        NEW = "new", "New"
        # Sent to the CRM, answer not yet stored: may exist there.
        CREATING = "creating", "Being created"
        LINKED = "linked", "Linked"
        # The CRM's record cannot be stored here.
        QUARANTINED = "quarantined", "Quarantined"
        # The CRM refuses our record.
        REJECTED = "rejected", "Rejected"
        # Gone on one side: not brought back from the other.
        TOMBSTONED = "tombstoned", "Gone"

    DEAD = (State.QUARANTINED, State.REJECTED)

    integration = TenantForeignKey(CrmIntegration, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=KINDS, default=Kind.CONTACTS.value)
    # A purged record leaves its tombstone; triggers empty what was known of it (migrations 0001 and 0002).
    contact = TenantForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    client = TenantForeignKey(Client, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    remote_id = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.NEW)
    local_base = models.JSONField(default=dict)
    remote_base = models.JSONField(default=dict)
    local_version = models.DateTimeField(null=True)
    remote_version = models.CharField(max_length=255, blank=True)
    remote_changed_at = models.DateTimeField(null=True)
    is_due = models.BooleanField(default=False)
    has_conflict = models.BooleanField(default=False)
    attempted_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    code = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    field = models.CharField(max_length=100, blank=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(CrmLinkQuerySet)()

    class Meta:
        db_table = "crm_record_links"
        verbose_name = "CRM record"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "kind", "remote_id"],
                name="one_link_per_crm_record",
                condition=~models.Q(remote_id=""),
            ),
            models.UniqueConstraint(
                fields=["organization", "contact", "integration"],
                name="one_link_per_contact",
                condition=models.Q(contact__isnull=False) & ~models.Q(state="tombstoned"),
            ),
            models.UniqueConstraint(
                fields=["organization", "client", "integration"],
                name="one_link_per_client",
                condition=models.Q(client__isnull=False) & ~models.Q(state="tombstoned"),
            ),
            one_record("crm_link"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "integration", "kind", "id"],
                name="crm_links_due",
                condition=models.Q(is_due=True),
            ),
            models.Index(fields=["organization", "contact"], name="crm_links_of_contact"),
            models.Index(
                fields=["organization", "client"],
                name="crm_links_of_client",
                condition=models.Q(client__isnull=False),
            ),
            models.Index(
                fields=["organization", "-updated_at", "-id"],
                name="crm_dead_letters",
                condition=models.Q(state__in=["quarantined", "rejected"]),
            ),
        ]

    def __str__(self) -> str:
        return self.remote_id or f"record {self.id}"

    def point_to(self, record_id: uuid.UUID | None) -> None:
        """Link the record of ours that this id means."""
        setattr(self, POINTERS[self.kind], record_id)


class CrmConflictQuerySet(TenantQuerySet):
    def open(self) -> Self:
        """Keep conflicts that wait for a person."""
        return self.filter(status=CrmConflict.Status.OPEN)


class CrmConflict(OfRecord, TenantModel):
    """A field that both sides changed, and whose rule leaves the choice to a person."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        RESOLVED = "resolved", "Resolved"

    integration = TenantForeignKey(CrmIntegration, on_delete=models.CASCADE, related_name="+", db_index=False)
    link = TenantForeignKey(CrmLink, on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    client = TenantForeignKey(Client, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    field = models.CharField(max_length=100)
    local_value = models.JSONField(null=True)
    remote_value = models.JSONField(null=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.OPEN)
    resolution = models.CharField(max_length=20, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    resolved_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = TenantManager.from_queryset(CrmConflictQuerySet)()

    class Meta:
        db_table = "crm_conflicts"
        verbose_name = "CRM conflict"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "link", "field"],
                name="one_open_conflict_per_field",
                condition=models.Q(status="open"),
            ),
            one_record("crm_conflict"),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="crm_conflicts_newest"),
            models.Index(fields=["organization", "contact"], name="crm_conflicts_of_contact"),
            models.Index(
                fields=["organization", "client"],
                name="crm_conflicts_of_client",
                condition=models.Q(client__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.field


class CrmCursor(TenantRow):
    """How far a stream has been read: committed with the end of the run that read it, never before."""

    integration = TenantForeignKey(CrmIntegration, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=KINDS)
    # "changes" and "gone" on the vendor's clock, "local" on the database's, "ids" when ids were last compared.
    stream = models.CharField(max_length=20)
    since = models.DateTimeField()

    class Meta:
        db_table = "crm_cursors"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "integration", "kind", "stream"], name="one_crm_cursor_per_stream"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.stream} {self.since}"


class CrmOptOut(TenantRow):
    """A phone number or e-mail address whose owner said no, as told by `opted_out`: pushed to every CRM."""

    channel = models.CharField(max_length=10, choices=[("call", "Calls"), ("email", "E-mail")])
    address = models.CharField(max_length=320)

    class Meta:
        db_table = "crm_opt_outs"
        constraints = [
            models.UniqueConstraint(fields=["organization", "channel", "address"], name="one_crm_opt_out_per_address")
        ]

    def __str__(self) -> str:
        return self.channel
