"""Pipelines and the stages a deal passes through."""

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet


class StageKind(models.TextChoices):
    """What a deal in the stage is: won and lost follow from here and from nowhere else."""

    OPEN = "open", "Open"
    WON = "won", "Won"
    LOST = "lost", "Lost"


class GateField(models.TextChoices):
    """What a stage may ask for before a deal enters it, by the deal's API names."""

    AMOUNT = "amount", "Amount"
    EXPECTED_CLOSE_ON = "expectedCloseOn", "Expected close"
    CLIENT = "client", "Client"
    CONTACTS = "contacts", "At least one contact"
    ASSIGNED_TO = "assignedTo", "Owner"
    LINES = "lines", "At least one line"
    DESCRIPTION = "description", "Description"
    SOURCE = "source", "Source"
    NEXT_ACTIVITY = "nextActivity", "A planned activity"
    LOST_REASON = "lostReason", "Lost reason"


class PipelineQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep pipelines in use."""
        return self.filter(deleted_at__isnull=True)


PipelineManager = TenantManager.from_queryset(PipelineQuerySet)


class Pipeline(TenantModel):  # type: ignore[django-manager-missing]  # its stages have one of their own making
    """A way of selling, as a row of stages. `version` rises with every change of it or of its stages."""

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, default="")
    is_default = models.BooleanField(default=False, help_text="Where deals go that name no stage.")
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = PipelineManager()

    class Meta:
        db_table = "sales_pipelines"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=models.Q(deleted_at__isnull=True),
                name="one_pipeline_per_name",
            ),
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(is_default=True), name="one_default_pipeline"
            ),
            models.CheckConstraint(
                condition=models.Q(is_default=False) | models.Q(deleted_at__isnull=True),
                name="default_pipeline_in_use",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StageQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep stages in use; removed ones stay for the history that names them."""
        return self.filter(deleted_at__isnull=True)


StageManager = TenantManager.from_queryset(StageQuerySet)


class Stage(TenantModel):
    """One step of a pipeline. The kind of a stage that holds deals cannot change (migration 0002)."""

    pipeline = TenantForeignKey(Pipeline, on_delete=models.CASCADE, related_name="stages", db_index=False)
    name = models.CharField(max_length=100)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=StageKind, default=StageKind.OPEN)
    probability = models.PositiveSmallIntegerField(default=0, help_text="Percent of such deals that are won.")
    required_fields = ArrayField(models.CharField(max_length=40, choices=GateField), default=list, blank=True)
    rotting_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="A deal that stays longer is shown as rotting."
    )
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = StageManager()

    class Meta:
        db_table = "pipeline_stages"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "pipeline", "name"],
                condition=models.Q(deleted_at__isnull=True),
                name="one_stage_per_name",
            ),
            models.CheckConstraint(condition=models.Q(kind__in=StageKind.values), name="stage_kind_known"),
            models.CheckConstraint(
                condition=models.Q(kind="open", probability__lte=100)
                | models.Q(kind="won", probability=100)
                | models.Q(kind="lost", probability=0),
                name="stage_probability_fits_kind",
            ),
            models.UniqueConstraint(
                fields=["organization", "id", "pipeline", "kind"], name="stages_are_what_deals_say"
            ),
        ]
        indexes = [models.Index(fields=["organization", "pipeline", "position"], name="stages_in_order")]

    def __str__(self) -> str:
        return self.name

    @property
    def gates(self) -> list[str]:
        """Return what a deal needs to be here; a lost one always its reason."""
        gates = list(self.required_fields)
        if self.kind == StageKind.LOST and GateField.LOST_REASON not in gates:
            gates.append(GateField.LOST_REASON)
        return gates
