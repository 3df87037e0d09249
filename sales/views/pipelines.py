"""/pipelines, /pipeline-stages, /lost-reasons, /exchange-rates, /sales-settings"""

import uuid
from typing import Any, TypeVar

from django.db.models import Model, Prefetch, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sales.filters.deals import ExchangeRateFilter, NamedFilter
from sales.models import ExchangeRate, LostReason, Pipeline, SalesSettings, Stage
from sales.serializers.pipelines import (
    ExchangeRateSerializer,
    LostReasonSerializer,
    NewPipelineSerializer,
    PipelineSerializer,
    SalesSettingsSerializer,
    StageOrderSerializer,
    StageRemovalSerializer,
    StageSerializer,
)
from sales.services import lost_reasons, money, pipelines
from vocelio.api.conditions import take_version
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.errors import Invalid

RowT = TypeVar("RowT", bound=Model)


class PipelineViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Ways of selling, as rows of stages."""

    model = Pipeline
    serializer_class = PipelineSerializer
    filterset_class = NamedFilter
    sort_fields = {"createdAt": "created_at", "name": "name"}
    default_sort = "createdAt"
    versioned_actions = ("update", "partial_update", "add_stage", "reorder")
    permissions = {
        "list": "pipelines:read",
        "retrieve": "pipelines:read",
        "create": "sales:manage",
        "update": "sales:manage",
        "partial_update": "sales:manage",
        "destroy": "sales:manage",
        "add_stage": "sales:manage",
        "reorder": "sales:manage",
    }

    def get_queryset(self) -> QuerySet[Pipeline]:
        rows: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows  # type: ignore[no-any-return]
        stages = Stage.objects.alive().order_by("position", "id")
        return rows.alive().prefetch_related(Prefetch("stages", stages, to_attr="stages_in_order"))  # type: ignore[no-any-return]

    def represent(self, instance: Pipeline) -> Any:
        return PipelineSerializer(self.get_queryset().get(pk=instance.pk)).data

    @extend_schema(request=NewPipelineSerializer, responses={201: PipelineSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a pipeline; without stages it gets the usual ones."""
        data = self.validated(NewPipelineSerializer(data=request.data, context=self.get_serializer_context()))
        return self.respond(self.represent(pipelines.create_pipeline(**data)), status=201)

    def perform_update(self, instance: Pipeline, data: dict[str, Any]) -> Pipeline:
        return pipelines.update_pipeline(instance, version=take_version(self.request, data), **data)

    def perform_destroy(self, instance: Pipeline) -> str:
        pipelines.delete_pipeline(instance)
        return "Pipeline deleted"

    @extend_schema(request=StageSerializer, responses={201: StageSerializer})
    @action(detail=True, methods=["post"], url_path="stages")
    def add_stage(self, request: Request, pk: uuid.UUID) -> Response:
        """Add a stage, by default before the first one of won or lost deals."""
        pipeline = self.get_object()
        data = self.validated(StageSerializer(data=request.data, context=self.get_serializer_context()))
        stage = pipelines.create_stage(pipeline, version=take_version(request, data), **data)
        stage.refresh_from_db()
        return self.respond(StageSerializer(stage).data, status=201)

    @extend_schema(request=StageOrderSerializer, responses=PipelineSerializer)
    @action(detail=True, methods=["put"], url_path="stage-order", serializer_class=StageOrderSerializer)
    def reorder(self, request: Request, pk: uuid.UUID) -> Response:
        """Put the stages into another order. Of two people at once the second is told (409)."""
        pipeline = self.get_object()
        data = self.validated()
        return self.respond(
            self.represent(pipelines.reorder_stages(pipeline, version=take_version(request, data), **data))
        )


class StageViewSet(RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Single stages."""

    model = Stage
    serializer_class = StageSerializer
    versioned_actions = ("update", "partial_update")
    permissions = {
        "retrieve": "pipelines:read",
        "update": "sales:manage",
        "partial_update": "sales:manage",
        "destroy": "sales:manage",
    }

    def get_queryset(self) -> QuerySet[Stage]:
        rows: Any = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else rows.alive()  # type: ignore[no-any-return]

    def perform_update(self, instance: Stage, data: dict[str, Any]) -> Stage:
        stage = pipelines.update_stage(instance, version=take_version(self.request, data), **data)
        stage.refresh_from_db()
        return stage

    @extend_schema(
        parameters=[
            OpenApiParameter("moveTo", {"type": "string", "format": "uuid"}, description="Where its deals go."),
        ],
        responses={200: StageRemovalSerializer},
    )
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Remove a stage. With deals in it name where they go, else it is refused (409)."""
        move_to = request.query_params.get("moveTo")
        try:
            target = uuid.UUID(move_to) if move_to is not None else None
        except ValueError:
            raise Invalid.field("moveTo", "moveTo is a stage's id.", value=move_to, constraint="uuid") from None
        moved = pipelines.delete_stage(self.get_object(), move_to=target)
        return self.message("Stage deleted", moved=moved)


class LostReasonViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Why deals are lost."""

    model = LostReason
    serializer_class = LostReasonSerializer
    filterset_class = NamedFilter
    sort_fields = {"createdAt": "created_at", "name": "name"}
    default_sort = "name"
    permissions = {
        "list": "pipelines:read",
        "retrieve": "pipelines:read",
        "create": "sales:manage",
        "update": "sales:manage",
        "partial_update": "sales:manage",
        "destroy": "sales:manage",
    }

    def perform_create(self, data: dict[str, Any]) -> LostReason:
        return fresh(lost_reasons.create_reason(**data))

    def perform_update(self, instance: LostReason, data: dict[str, Any]) -> LostReason:
        return fresh(lost_reasons.update_reason(instance, **data))

    def perform_destroy(self, instance: LostReason) -> str:
        lost_reasons.delete_reason(instance)
        return "Lost reason deleted"


class ExchangeRateViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """What currencies are worth, from which day on."""

    model = ExchangeRate
    serializer_class = ExchangeRateSerializer
    filterset_class = ExchangeRateFilter
    sort_fields = {"validFrom": "valid_from", "createdAt": "created_at"}
    default_sort = "-validFrom"
    permissions = {
        "list": "pipelines:read",
        "retrieve": "pipelines:read",
        "create": "sales:manage",
        "update": "sales:manage",
        "partial_update": "sales:manage",
        "destroy": "sales:manage",
    }

    def perform_create(self, data: dict[str, Any]) -> ExchangeRate:
        return fresh(money.create_rate(**data))

    def perform_update(self, instance: ExchangeRate, data: dict[str, Any]) -> ExchangeRate:
        return fresh(money.update_rate(instance, **data))

    def perform_destroy(self, instance: ExchangeRate) -> str:
        money.delete_rate(instance)
        return "Exchange rate deleted"


class SalesSettingsViewSet(TenantViewSet):
    """How the organization sells."""

    model = SalesSettings
    serializer_class = SalesSettingsSerializer
    permissions = {"retrieve": "pipelines:read", "update": "sales:manage"}

    def retrieve(self, request: Request) -> Response:
        """Show the currency in which totals are counted."""
        return self.respond(self.represent(fresh(money.current_settings())))

    def update(self, request: Request) -> Response:
        """Count in another currency; rates per unit of it are entered before."""
        return self.respond(self.represent(fresh(money.update_settings(**self.validated()))))


def fresh(row: RowT) -> RowT:
    """Return the row with what the database made of it."""
    row.refresh_from_db()
    return row
