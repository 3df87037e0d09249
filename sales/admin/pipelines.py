"""Pipelines, stages, lost reasons, exchange rates."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from sales.admin.values import CurrencyForm
from sales.models import ExchangeRate, GateField, LostReason, Pipeline, Stage
from sales.services import lost_reasons, money, pipelines
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.languages.translate import translated

MANAGED = {"view": "pipelines:read", "add": "sales:manage", "change": "sales:manage", "delete": "sales:manage"}


@admin.register(Pipeline)
class PipelineAdmin(TenantAdmin):
    permissions = MANAGED
    section = "Sales set-up"
    icon = "account_tree"

    list_display = ("name", "stages", "default", "created_at")
    search_fields = ("name",)
    fields = ("name", "description", "is_default")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        stages = Stage.objects.alive().filter(pipeline=OuterRef("pk")).order_by().values("pipeline")
        number = Subquery(stages.annotate(number=Count("pk")).values("number"))
        return rows.alive().annotate(number=Coalesce(number, 0))  # type: ignore[no-any-return]

    @admin.display(description="Stages")
    def stages(self, pipeline: Any) -> int:
        return int(pipeline.number)

    @display(description="Default", boolean=True)  # type: ignore[untyped-decorator]
    def default(self, pipeline: Pipeline) -> bool:
        return pipeline.is_default

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Pipeline:
        return pipelines.create_pipeline(**data)

    def perform_update(self, request: HttpRequest, obj: Pipeline, changes: dict[str, Any]) -> None:
        pipelines.update_pipeline(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: Pipeline) -> None:
        pipelines.delete_pipeline(obj)


class StageForm(TenantForm):
    """A stage, with boxes to tick for what it asks for."""

    required_fields = forms.MultipleChoiceField(
        choices=GateField.choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


@admin.register(Stage)
class StageAdmin(TenantAdmin):
    permissions = MANAGED
    section = "Sales set-up"
    icon = "view_column"
    form = StageForm

    ordering = ("pipeline__name", "position", "id")
    list_display = ("name", "pipeline", "shown_kind", "percent", "rotting_days", "asks_for")
    list_select_related = ("pipeline",)
    list_filter = ("kind",)
    search_fields = ("name",)
    fields = ("pipeline", "name", ("kind", "probability"), "rotting_days", "required_fields")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.alive()  # type: ignore[no-any-return]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("pipeline",) if obj else ()

    @display(description="Kind", label={"Open": "info", "Won": "success", "Lost": "danger"})  # type: ignore[untyped-decorator]
    def shown_kind(self, stage: Stage) -> str:
        return stage.get_kind_display()

    @admin.display(description="Probability")
    def percent(self, stage: Stage) -> str:
        return f"{stage.probability} %"

    @admin.display(description="Asks for")
    def asks_for(self, stage: Stage) -> str:
        labels = dict(GateField.choices)
        return ", ".join(translated(labels[name]) for name in stage.gates)

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Stage:
        return pipelines.create_stage(data.pop("pipeline"), **data)

    def perform_update(self, request: HttpRequest, obj: Stage, changes: dict[str, Any]) -> None:
        pipelines.update_stage(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: Stage) -> None:
        pipelines.delete_stage(obj)


@admin.register(LostReason)
class LostReasonAdmin(TenantAdmin):
    permissions = MANAGED
    section = "Sales set-up"
    icon = "sentiment_dissatisfied"

    list_display = ("name", "is_archived", "created_at")
    search_fields = ("name",)
    fields = ("name", "is_archived")

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> LostReason:
        return lost_reasons.create_reason(**data)

    def perform_update(self, request: HttpRequest, obj: LostReason, changes: dict[str, Any]) -> None:
        lost_reasons.update_reason(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: LostReason) -> None:
        lost_reasons.delete_reason(obj)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(TenantAdmin):
    permissions = MANAGED
    section = "Sales set-up"
    icon = "currency_exchange"
    form = CurrencyForm

    list_display = ("currency", "rate", "valid_from", "created_at")
    search_fields = ("currency",)
    fields = ("currency", "rate", "valid_from")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("currency",) if obj else ()

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> ExchangeRate:
        return money.create_rate(**data)

    def perform_update(self, request: HttpRequest, obj: ExchangeRate, changes: dict[str, Any]) -> None:
        money.update_rate(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: ExchangeRate) -> None:
        money.delete_rate(obj)
