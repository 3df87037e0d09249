"""An organization's Do-Not-Call lists: its own entries, and the registries it may use."""

from datetime import date, datetime
from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from dnc.models.registry import Registry, RegistryArea
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet, TenantRow

# The builtin, where a class has a column of that name.
empty_list = list
# The longest E.164 number has 15 digits.
MOST_DIGITS = 15


class ListType(models.TextChoices):
    FEDERAL = "federal", "Federal"
    STATE = "state", "State"
    COMPANY = "company", "Company"
    INDUSTRY = "industry", "Industry"


class ListStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"


class Channel(models.TextChoices):
    """What a no is about; `all` by default, which is what a person means who says it."""

    ALL = "all", "All channels"
    CALL = "call", "Calls"
    SMS = "sms", "Text messages"
    WHATSAPP = "whatsapp", "WhatsApp"
    EMAIL = "email", "E-mail"


class DncListQuerySet(TenantQuerySet):
    def active(self) -> Self:
        """Keep those that are consulted."""
        return self.filter(status=ListStatus.ACTIVE)

    def with_counts(self) -> Self:
        """Add `contact_count`, `version_date` and `last_updated`: of the registry where the list is one."""
        tallies = DncEntryTally._base_manager.filter(
            organization_id=models.OuterRef("organization_id"), list_id=models.OuterRef("pk")
        )
        oldest = RegistryArea.objects.filter(registry_id=models.OuterRef("registry_id")).order_by()
        return self.annotate(
            contact_count=models.Case(
                models.When(registry__isnull=False, then=models.F("registry__number_count")),
                default=Coalesce(
                    models.Subquery(tallies.order_by().values("list").values(number=models.Sum("delta"))), 0
                ),
                output_field=models.BigIntegerField(),
            ),
            last_updated=models.Case(
                models.When(registry__isnull=False, then=models.F("registry__loaded_at")),
                default=models.F("changed_at"),
                output_field=models.DateTimeField(),
            ),
            version_date=models.Subquery(
                oldest.values("registry").values(day=models.Min("version_date")), output_field=models.DateField()
            ),
        )


DncListManager = TenantManager.from_queryset(DncListQuerySet)


class DncList(TenantModel):
    """A named set of numbers not to be called: entries of its own, or a shared registry.

    Every organization has the default registries among its lists from its first moment (migration 0002).
    """

    name = models.CharField(max_length=255)
    type = models.CharField(max_length=20, choices=ListType)
    description = models.TextField(blank=True, default="")
    compliance_level = models.CharField(max_length=50, blank=True, default="internal")
    registry = models.ForeignKey(
        Registry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    state = models.CharField(max_length=2, blank=True, default="", help_text="Of a state list: where it applies.")
    auto_update = models.BooleanField(default=False)
    update_frequency = models.PositiveIntegerField(null=True, blank=True, help_text="Hours.")
    source = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=20, choices=ListStatus, default=ListStatus.ACTIVE)
    # When its entries last changed; what was scrubbed before is out of date.
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[Any] = DncListManager()

    class Meta:
        db_table = "dnc_lists"
        verbose_name = "DNC list"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_dnc_list_per_name"),
            models.UniqueConstraint(
                fields=["organization", "registry"],
                condition=Q(registry__isnull=False),
                name="one_dnc_list_per_registry",
            ),
            models.CheckConstraint(condition=Q(type__in=ListType.values), name="dnc_list_type_known"),
            models.CheckConstraint(condition=Q(status__in=ListStatus.values), name="dnc_list_status_known"),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="dnc_lists_newest")]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """Return the short name the document's `listsChecked` uses, such as federal_dnc or state_dnc_ca."""
        if self.state:
            return f"{self.type}_dnc_{self.state.lower()}"
        return f"{self.type}_dnc"


class EntryStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    EXPIRED = "expired", "Expired"


class DncEntryQuerySet(TenantQuerySet):
    def in_force(self, at: datetime) -> Self:
        """Keep those that forbid at that moment."""
        return self.filter(Q(expiry_date__isnull=True) | Q(expiry_date__gt=at), status=EntryStatus.ACTIVE)

    def search(self, text: str) -> Self:
        """Keep those whose number begins with what was typed, however it was typed."""
        digits = "".join(character for character in text if character.isascii() and character.isdigit())[:MOST_DIGITS]
        if not digits:
            return self.none()
        begins = Q()
        # Ranges, since comparing text with LIKE keeps the index from being used under policies.
        for missing in range(MOST_DIGITS - len(digits) + 1):
            begins |= Q(number__range=(int(digits) * 10**missing, (int(digits) + 1) * 10**missing - 1))
        return self.filter(begins | Q(number__isnull=True, phone_number__startswith=f"+{digits}"))


DncEntryManager = TenantManager.from_queryset(DncEntryQuerySet)


class DncEntry(TenantRow):
    """A number, or with a trailing * every number that begins so, that is not to be called.

    By number and not by contact: deleting, merging or importing contacts changes nothing here.
    """

    list = TenantForeignKey(DncList, on_delete=models.CASCADE, related_name="+", db_index=False)
    phone_number = models.CharField(max_length=17, help_text="E.164, or its beginning followed by *.")
    number = models.GeneratedField(
        expression=models.Case(
            models.When(
                ~Q(phone_number__endswith="*"),
                then=models.functions.Cast(
                    models.functions.Substr("phone_number", 2), output_field=models.BigIntegerField()
                ),
            )
        ),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    channels = ArrayField(models.CharField(max_length=20, choices=Channel), default=empty_list, blank=True)
    source = models.CharField(max_length=255, blank=True, default="")
    reason = models.CharField(max_length=255, blank=True, default="")
    notes = models.TextField(blank=True, default="")
    expiry_date = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=EntryStatus, default=EntryStatus.ACTIVE)
    honour_by = models.DateField(
        null=True, blank=True, help_text="The last day the law allows; it is honoured at once."
    )
    added_by = models.ForeignKey(
        "users.User",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[Any] = DncEntryManager()

    class Meta:
        db_table = "dnc_entries"
        verbose_name = "DNC entry"
        verbose_name_plural = "DNC entries"
        constraints = [
            models.UniqueConstraint(fields=["organization", "list", "phone_number"], name="one_dnc_entry_per_phone"),
            models.CheckConstraint(
                condition=Q(phone_number__regex=r"^\+[1-9]([0-9]{6,14}|[0-9]{2,13}\*)$"), name="dnc_entry_is_a_number"
            ),
            models.CheckConstraint(condition=Q(status__in=EntryStatus.values), name="dnc_entry_status_known"),
        ]
        indexes = [
            models.Index(fields=["organization", "number"], name="dnc_entries_number"),
            models.Index(
                fields=["organization", "phone_number"],
                name="dnc_entries_prefixes",
                condition=Q(phone_number__endswith="*"),
            ),
            models.Index(fields=["organization", "-created_at", "-id"], name="dnc_entries_newest"),
            models.Index(
                fields=["organization", "expiry_date"],
                name="dnc_entries_expiry",
                condition=Q(expiry_date__isnull=False, status="active"),
            ),
        ]

    def __str__(self) -> str:
        return self.phone_number


class DncEntryTally(TenantRow):
    """A change of a list's number of active entries; the sum of the rows is the number. Triggers add them."""

    list = TenantForeignKey(DncList, on_delete=models.CASCADE, related_name="+", db_index=False)
    delta = models.BigIntegerField()

    class Meta:
        db_table = "dnc_entry_tallies"
        indexes = [models.Index(fields=["organization", "list"], name="dnc_entry_tallies_of_list")]

    def __str__(self) -> str:
        return f"{self.delta:+d}"

    @staticmethod
    def compact() -> None:
        """Sum up the rows of each number, of all organizations; numbers stay as they are."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT compact_dnc_entry_tallies()")


class EmailOptOut(TenantRow):
    """An e-mail address whose owner said no. Kept when the contact goes."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    email = models.CharField(max_length=320)
    source = models.CharField(max_length=255, blank=True, default="")
    reason = models.CharField(max_length=255, blank=True, default="")
    added_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        db_table = "dnc_email_opt_outs"
        verbose_name = "e-mail opt-out"
        constraints = [models.UniqueConstraint(fields=["organization", "email"], name="one_opt_out_per_email")]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="email_opt_outs_newest")]

    def __str__(self) -> str:
        return self.email


class EntitlementQuerySet(TenantQuerySet):
    def on(self, day: date) -> Self:
        """Keep those valid on that day."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=day), valid_from__lte=day)


EntitlementManager = TenantManager.from_queryset(EntitlementQuerySet)


class Entitlement(TenantModel):
    """An organization's subscription to a registry: outside it the registry's silence proves nothing."""

    registry = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="+", db_index=False)
    san = models.CharField(max_length=50, help_text="Subscription Account Number.")
    area_codes = ArrayField(
        models.CharField(max_length=4), default=list, blank=True, help_text="Three digits each; none means all."
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    objects: ClassVar[Any] = EntitlementManager()

    class Meta:
        db_table = "dnc_entitlements"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=models.F("valid_from")),
                name="dnc_entitlement_ends_after_it_begins",
            )
        ]
        indexes = [models.Index(fields=["organization", "registry"], name="dnc_entitlements_registry")]

    def __str__(self) -> str:
        return self.san

    @property
    def is_valid(self) -> bool:
        """Say whether it is valid today."""
        today = timezone.now().date()
        return self.valid_from <= today and (self.valid_to is None or today <= self.valid_to)


class ListUpload(Job):
    """A file of numbers on its way to one of the organization's lists, or of facts about numbers.

    total = added + updated + removed + unchanged + invalid.
    """

    task = "dnc.tasks.run_list_upload"
    noun = "dnc_upload"

    list = TenantForeignKey(DncList, on_delete=models.CASCADE, related_name="uploads", db_index=False)
    filename = models.CharField(max_length=255)
    file = models.CharField(max_length=1000, help_text="Where the storage keeps it.")
    file_size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True, default="")
    format = models.CharField(max_length=40, blank=True, default="")
    settings = models.JSONField(default=dict, help_text="Columns of a delimited or fixed-width file.")
    replaces = models.BooleanField(default=False, help_text="Whether what the file does not hold is removed.")
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    invalid = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=empty_list, help_text="The first rows that could not be taken, with reasons.")

    class Meta(Job.Meta):
        db_table = "dnc_list_uploads"
        verbose_name = "DNC upload"

    def __str__(self) -> str:
        return self.filename

    def audit_counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("added", "updated", "removed", "unchanged", "invalid")}

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"listId": str(self.list_id), "results": self.audit_counts()}
