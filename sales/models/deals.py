"""Deals: what may be sold, to whom, for how much, and how far it has come."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now, NullIf

from contacts.models import Client, Contact, RelationRole
from sales.models.pipelines import Pipeline, Stage, StageKind
from vocelio.access.principal import Principal
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet, TenantRow, team_of
from vocelio.organizations.scope import current_organization_id


class LostReason(TenantModel):
    """Why deals are lost, in the organization's words."""

    name = models.CharField(max_length=100)
    is_archived = models.BooleanField(default=False, help_text="Kept for old deals, offered to none.")

    class Meta:
        db_table = "lost_reasons"
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_lost_reason_per_name")]

    def __str__(self) -> str:
        return self.name


class DealQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep deals that are not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def in_trash(self) -> Self:
        """Keep deals in the trash, restorable for 30 days."""
        return self.filter(deleted_at__isnull=False)

    def open(self) -> Self:
        return self.filter(status=StageKind.OPEN)

    def rotting(self) -> Self:
        """Keep open deals that have been in their stage for longer than it allows."""
        return self.open().filter(
            stage__rotting_days__isnull=False,
            stage_entered_at__lt=Now()
            - models.ExpressionWrapper(
                F("stage__rotting_days") * models.Value(timedelta(days=1)), output_field=models.DurationField()
            ),
        )

    def with_next_activity(self) -> Self:
        """Add `next_activity_at`, when the first open activity of each is due."""
        from sales.models.activities import Activity

        due = Activity.objects.open().filter(deal_id=OuterRef("pk"), due_at__isnull=False).order_by("due_at")
        return self.annotate(next_activity_at=Subquery(due.values("due_at")[:1]))

    def cards(self) -> Any:
        """Return what a card of the board shows, as dictionaries; one statement."""
        return self.with_next_activity().values(
            "id",
            "name",
            "amount",
            "currency",
            "base_amount",
            "status",
            "stage_id",
            "stage_entered_at",
            "expected_close_on",
            "version",
            "tags",
            "client_id",
            "assigned_to_id",
            "next_activity_at",
            client_name=F("client__name"),
            assignee_name=Coalesce(
                NullIf(F("assigned_to__name"), models.Value("")),
                F("assigned_to__email"),
                output_field=models.CharField(),
            ),
            rotting_days=F("stage__rotting_days"),
        )

    def totals_by_stage(self) -> dict[Any, tuple[int, Decimal]]:
        """Return {stage: (number, sum in the organization's currency)} by counting."""
        rows = (
            self.order_by()
            .values_list("stage_id")
            .annotate(number=models.Count("pk"), amount=models.Sum("base_amount"))
        )
        return {stage_id: (number, amount) for stage_id, number, amount in rows}


DealManager = TenantManager.from_queryset(DealQuerySet)


class Deal(TenantModel):
    """A chance to sell something.

    `pipeline`, `status`, `closed_at` and `stage_entered_at` follow from `stage` by a trigger, and a foreign key
    holds that they agree, so that status and stage never diverge whoever writes. Every change of stage is in
    `deal_stage_history` by another trigger. `base_amount` is the amount in the organization's currency, at the
    rate of the day for open deals and of the closing day for others. `version` rises with every change.
    """

    owner_field = "assigned_to"

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    # Never null: the trigger knows it from the stage.
    pipeline = TenantForeignKey(
        Pipeline, on_delete=models.PROTECT, default=None, editable=False, related_name="+", db_index=False
    )
    stage = TenantForeignKey(Stage, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=StageKind, default=StageKind.OPEN, editable=False)
    amount = models.DecimalField(max_digits=18, decimal_places=2, default=Decimal(0))
    currency = models.CharField(max_length=3)
    base_amount = models.DecimalField(max_digits=20, decimal_places=2, default=Decimal(0), editable=False)
    expected_close_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, editable=False)
    stage_entered_at = models.DateTimeField(db_default=Now(), editable=False)
    client = TenantForeignKey(
        Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    lost_reason = TenantForeignKey(
        LostReason, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    lost_note = models.CharField(max_length=500, blank=True, default="")
    source = models.CharField(max_length=100, blank=True, default="")
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    # Copied to the history by the trigger, which knows no callers.
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    # Its rows lie together in the primary key, between the first and the last moment of the import.
    import_id = models.UUIDField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = DealManager()

    class Meta:
        db_table = "deals"
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="deal_has_name"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="deal_amount_not_negative"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="deal_currency_is_iso"),
            models.CheckConstraint(
                condition=Q(status="open", closed_at__isnull=True)
                | Q(status__in=["won", "lost"], closed_at__isnull=False),
                name="deal_closed_when_won_or_lost",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                name="deals_newest",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "stage", "-stage_entered_at", "-id"],
                name="deals_of_stage",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "stage", "-base_amount", "-id"],
                name="deals_of_stage_by_amount",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "status", "closed_at"],
                name="deals_closed",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["organization", "client"], name="deals_of_client", condition=Q(client__isnull=False)),
            models.Index(
                fields=["organization", "assigned_to", "stage"],
                name="deals_of_owner",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["organization", "name"], name="deals_by_name", condition=Q(deleted_at__isnull=True)),
            models.Index(
                fields=["organization", "-deleted_at"], name="deals_trash", condition=Q(deleted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DealContact(TenantModel):
    """A person's part in a deal; one of them is the first to talk to."""

    deal = TenantForeignKey(Deal, on_delete=models.CASCADE, related_name="people", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    role = models.CharField(max_length=20, choices=RelationRole, default=RelationRole.OTHER)
    is_primary = models.BooleanField(default=False)
    # Without a constraint: the import may be forgotten before what it added.
    import_id = models.UUIDField(null=True, editable=False)

    class Meta:
        db_table = "deal_contacts"
        constraints = [
            models.UniqueConstraint(fields=["organization", "deal", "contact"], name="once_in_a_deal"),
            models.UniqueConstraint(
                fields=["organization", "deal"], condition=Q(is_primary=True), name="one_primary_contact_per_deal"
            ),
            models.CheckConstraint(condition=Q(role__in=RelationRole.values), name="deal_contact_role_known"),
        ]
        indexes = [
            models.Index(fields=["organization", "contact"], name="deals_of_contact"),
            models.Index(
                fields=["organization", "import_id"],
                name="deal_contacts_of_import",
                condition=Q(import_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.deal_id}"


class DealLine(TenantModel):
    """One product or service of a deal; the amount of a deal with lines is their sum."""

    deal = TenantForeignKey(Deal, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=255)
    quantity = models.DecimalField(max_digits=12, decimal_places=3, default=Decimal(1))
    unit_price = models.DecimalField(max_digits=18, decimal_places=2)
    discount = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0), help_text="Percent.")

    class Meta:
        db_table = "deal_lines"
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_quantity_positive"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="line_price_not_negative"),
            models.CheckConstraint(condition=Q(discount__gte=0, discount__lte=100), name="line_discount_is_percent"),
        ]
        indexes = [models.Index(fields=["organization", "deal", "position"], name="lines_of_deal")]

    def __str__(self) -> str:
        return self.name

    @property
    def total(self) -> Decimal:
        """Return quantity times price less the discount, rounded to hundredths."""
        return (self.quantity * self.unit_price * (100 - self.discount) / 100).quantize(Decimal("0.01"))


class StageMove(TenantRow):
    """One change of stage, kept for ever: rows are added by a trigger and refused any change (migration 0002).

    It outlives its deal, so that figures of the past stay what they were.
    """

    owner_field = "assigned_to"

    moved_at = models.DateTimeField()
    deal_id = models.UUIDField()
    pipeline = TenantForeignKey(Pipeline, on_delete=models.PROTECT, related_name="+", db_index=False)
    from_stage = TenantForeignKey(Stage, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    to_stage = TenantForeignKey(Stage, on_delete=models.PROTECT, related_name="+", db_index=False)
    seconds = models.BigIntegerField(null=True, help_text="Spent in the stage left.")
    base_amount = models.DecimalField(max_digits=20, decimal_places=2)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        db_table = "deal_stage_history"
        indexes = [
            models.Index(fields=["organization", "deal_id", "-moved_at"], name="history_of_deal"),
            models.Index(
                fields=["organization", "moved_at"],
                include=["pipeline", "from_stage", "to_stage", "seconds", "base_amount", "assigned_to"],
                name="history_by_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deal_id} to {self.to_stage_id}"


class DealTallyQuerySet(TenantQuerySet):
    def by_stage(self, pipeline_id: Any, principal: Principal) -> dict[Any, tuple[int, Decimal]]:
        """Return {stage: (number, sum in the organization's currency)} of the deals the caller may see."""
        mine = ""
        parameters: list[Any] = [current_organization_id(), pipeline_id]
        if principal.sees_own_team_only:
            mine = " AND (assigned_to_id IS NULL OR assigned_to_id = ANY(%s))"
            parameters.append(list(team_of(principal)))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT stage_id, sum(number)::bigint, sum(amount) FROM deal_tallies"  # noqa: S608 - a literal
                f" WHERE organization_id = %s AND pipeline_id = %s{mine} GROUP BY stage_id",
                parameters,
            )
            return {stage_id: (number, amount) for stage_id, number, amount in cursor.fetchall()}


DealTallyManager = TenantManager.from_queryset(DealTallyQuerySet)


class DealTally(TenantRow):
    """A change of a stage's number and value of deals outside the trash; the sum of the rows is the total.

    Triggers add them (migration 0002), so that movers never wait for each other; `compact` sums them up.
    """

    pipeline = TenantForeignKey(Pipeline, on_delete=models.CASCADE, related_name="+", db_index=False)
    stage = TenantForeignKey(Stage, on_delete=models.CASCADE, related_name="+", db_index=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    number = models.BigIntegerField()
    amount = models.DecimalField(max_digits=24, decimal_places=2)

    objects: ClassVar[Any] = DealTallyManager()

    class Meta:
        db_table = "deal_tallies"
        indexes = [models.Index(fields=["organization", "pipeline"], name="deal_tallies_of_pipeline")]

    def __str__(self) -> str:
        return f"{self.number:+d}"

    @staticmethod
    def compact() -> None:
        """Sum up the rows of each total, of all organizations; totals stay as they are."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT compact_deal_tallies()")


class BulkMove(TenantRow):
    """What one bulk move did, so that it can be undone: {dealId, from, to, version} of each deal it moved."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    moves = models.JSONField(default=list)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "deal_bulk_moves"

    def __str__(self) -> str:
        return f"{len(self.moves)} deals"


class PipelineSnapshot(TenantRow):
    """What one owner's deals in one stage were at the end of a day (of the running day: by now)."""

    owner_field = "assigned_to"

    day = models.DateField()
    pipeline = TenantForeignKey(Pipeline, on_delete=models.CASCADE, related_name="+", db_index=False)
    stage = TenantForeignKey(Stage, on_delete=models.CASCADE, related_name="+", db_index=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    number = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=24, decimal_places=2)
    weighted = models.DecimalField(max_digits=24, decimal_places=2, help_text="Amount times the stage's probability.")

    class Meta:
        db_table = "pipeline_snapshots"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "day", "stage", "assigned_to"],
                nulls_distinct=False,
                name="one_snapshot_per_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.stage_id} on {self.day}"
