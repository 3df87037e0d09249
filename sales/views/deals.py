"""/deals"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sales.filters.deals import DealFilter
from sales.models import Deal, DealContact, DealLine, StageMove
from sales.serializers.deals import (
    BulkDealsResultSerializer,
    BulkDealsSerializer,
    DealSerializer,
    MoveSerializer,
    StageMoveSerializer,
    TrashedDealSerializer,
    UndoSerializer,
)
from sales.serializers.projects import ProjectOfDealSerializer, ProjectSerializer
from sales.services import bulk_deals, deals, projects
from sales.services.deal_exports import export_deals
from sales.views.projects import shown_project
from vocelio.api.conditions import take_version
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin


@extend_schema_view(
    update=extend_schema(description="Change a deal. What its stage asks for stays; a new stage asks for its own.")
)
class DealViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """What may be sold, to whom, for how much, and how far it has come."""

    model = Deal
    serializer_class = DealSerializer
    filterset_class = DealFilter
    sort_fields = {
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "name": "name",
        "amount": "base_amount",
        "stageEnteredAt": "stage_entered_at",
    }
    versioned_actions = ("update", "partial_update", "move_stage")
    permissions = {
        "list": "deals:read",
        "retrieve": "deals:read",
        "history": "deals:read",
        "create": "deals:write",
        "update": "deals:write",
        "partial_update": "deals:write",
        "move_stage": "deals:write",
        "make_project": "projects:write",
        "destroy": "deals:delete",
        "restore": "deals:delete",
        "trash": "deals:delete",
        "bulk_operations": "deals:bulk",
        "undo_move": "deals:bulk",
    }

    def get_queryset(self) -> QuerySet[Any]:
        visible: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return visible  # type: ignore[no-any-return]
        rows: QuerySet[Any] = visible.in_trash() if self.action in ("trash", "restore") else visible.alive()
        return rows

    def serialize_page(self, page: Sequence[Deal]) -> Any:
        # What a deal is shown with is read for the page alone: counting would look up each one's next activity.
        found = {deal.pk: deal for deal in with_parts(Deal.objects.filter(pk__in=[deal.pk for deal in page]))}
        return self.get_serializer([found[deal.pk] for deal in page], many=True).data

    def represent(self, instance: Deal) -> Any:
        return DealSerializer(with_parts(Deal.objects.filter(pk=instance.pk)).get()).data

    def respond(self, data: Any, status: int = 200) -> Response:
        response = super().respond(data, status)
        if isinstance(data, dict) and "version" in data:
            response["ETag"] = f'"{data["version"]}"'
        return response

    def perform_create(self, data: dict[str, Any]) -> Deal:
        data.pop("version", None)
        stage_id = data.pop("stage_id", None)
        stage = deals.find_stage(stage_id) if stage_id else None
        return deals.create_deal(principal=self.principal, stage=stage, **data)

    def perform_update(self, instance: Deal, data: dict[str, Any]) -> Deal:
        version, stage_id = take_version(self.request, data), data.pop("stage_id", None)
        stage = deals.find_stage(stage_id) if stage_id else None
        return deals.update_deal(deal=instance, principal=self.principal, version=version, stage=stage, **data)

    def perform_destroy(self, instance: Deal) -> str:
        deals.delete_deal(deal=instance, version=take_version(self.request, {}))
        return "Deal deleted"

    @extend_schema(request=MoveSerializer, responses=DealSerializer)
    @action(detail=True, methods=["post"], url_path="move-stage")
    def move_stage(self, request: Request, pk: uuid.UUID) -> Response:
        """Move a deal to a stage, giving what the stage asks for in the same breath.

        422 `STAGE_GATE` names what is missing; 409 `VERSION_CONFLICT` shows the deal as somebody else left it.
        """
        deal = self.get_object()
        data = self.validated(MoveSerializer(data=request.data, context=self.get_serializer_context()))
        stage = deals.find_stage(data.pop("stage_id"))
        version = take_version(request, data)
        moved = deals.move_deal(deal=deal, principal=self.principal, stage=stage, version=version, **data)
        return self.respond(self.represent(moved))

    @extend_schema(responses=StageMoveSerializer(many=True))
    @action(
        detail=True,
        filterset_class=None,
        serializer_class=StageMoveSerializer,
        sort_fields={"movedAt": "moved_at"},
        default_sort="-movedAt",
    )
    def history(self, request: Request, pk: uuid.UUID) -> Response:
        """List every change of stage; the list is never altered."""
        deal = self.get_object()
        moves = StageMove.objects.filter(deal_id=deal.pk).select_related("from_stage", "to_stage", "moved_by")
        page = self.paginate_queryset(self.filter_queryset(moves)) or []
        return self.get_paginated_response(StageMoveSerializer(page, many=True).data)

    @extend_schema(request=ProjectOfDealSerializer, responses={201: ProjectSerializer})
    @action(detail=True, methods=["post"], url_path="project")
    def make_project(self, request: Request, pk: uuid.UUID) -> Response:
        """Make the project of a won deal, in one call: its name, client, amount and owner unless given otherwise."""
        deal = self.get_object()
        data = self.validated(ProjectOfDealSerializer(data=request.data, context=self.get_serializer_context()))
        project = projects.project_of_deal(deal=deal, principal=self.principal, **data)
        return self.respond(shown_project(project), status=201)

    @extend_schema(responses=TrashedDealSerializer(many=True))
    @action(
        detail=False,
        serializer_class=TrashedDealSerializer,
        filterset_class=None,
        sort_fields={"deletedAt": "deleted_at"},
        default_sort="-deletedAt",
    )
    def trash(self, request: Request) -> Response:
        """List what was deleted in the last 30 days."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(self.serialize_page(page))

    @extend_schema(request=None, responses=DealSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: uuid.UUID) -> Response:
        """Bring a deal back from the trash."""
        return self.respond(self.represent(deals.restore_deal(deal=self.get_object())))

    @extend_schema(request=BulkDealsSerializer, responses=BulkDealsResultSerializer)
    @action(detail=False, methods=["post"], url_path="bulk-operations", serializer_class=BulkDealsSerializer)
    def bulk_operations(self, request: Request) -> Response:
        """Move, assign or delete up to 1,000 deals at once; each that fails is listed with the reason."""
        data = self.validated()
        operation = bulk_deals.ACTIONS[data["action"]]
        result = operation(principal=self.principal, deal_ids=data["deal_ids"], **data.get("data", {}))
        return Response(result.answer())

    @extend_schema(request=UndoSerializer, responses=BulkDealsResultSerializer)
    @action(detail=False, methods=["post"], url_path="undo-move", serializer_class=UndoSerializer)
    def undo_move(self, request: Request) -> Response:
        """Bring the deals of a bulk move back to where they were; those changed since stay."""
        result = bulk_deals.undo_move(principal=self.principal, move_id=self.validated()["undo_id"])
        return Response(result.answer())


class DealExportViewSet(TenantViewSet):
    """Deals as a file."""

    model = Deal
    filterset_class = DealFilter
    sort_fields = DealViewSet.sort_fields
    serializer_class = DealSerializer
    pagination_class = None
    content_negotiation_class = DownloadNegotiation
    permissions = {"export": "deals:export"}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def export(self, request: Request) -> StreamingHttpResponse:
        """Download the deals that meet the filters as CSV."""
        rows: Any = super().get_queryset()
        ids = self.filter_queryset(rows.alive()).values_list("pk", flat=True)
        return StreamingHttpResponse(
            export_deals(self.principal.organization_id, list(ids)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="deals.csv"'},
        )


def with_parts(rows: Any) -> Any:
    """Add what a deal is shown with; as many queries for many deals as for one."""
    people = DealContact.objects.select_related("contact").order_by("-is_primary", "created_at", "id")
    return (
        rows.select_related("pipeline", "stage", "client", "lost_reason", "assigned_to", "created_by")
        .prefetch_related(Prefetch("people", people), Prefetch("lines", DealLine.objects.order_by("position", "id")))
        .with_next_activity()
    )
