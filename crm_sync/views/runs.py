"""/crm-sync-runs, /crm-sync-items, /crm-dead-letters, /crm-conflicts"""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm_sync.filters import AllRunsFilter, ConflictFilter, DeadLetterFilter, ItemFilter
from crm_sync.models import CrmConflict, CrmLink, CrmSyncItem, CrmSyncRun
from crm_sync.serializers.runs import (
    ConflictSerializer,
    DeadLetterSerializer,
    ItemSerializer,
    ResolveSerializer,
    RunDetailSerializer,
    RunSerializer,
    SyncStartedSerializer,
)
from crm_sync.services import conflicts, runs
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Invalid


class RunViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Runs of all connections."""

    model = CrmSyncRun
    serializer_class = RunSerializer
    filterset_class = AllRunsFilter
    permissions = dict.fromkeys(["list", "retrieve", "rollback"], "crm:manage")

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("created_by")

    @extend_schema(responses=RunDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a run with its breakdown by side; of a dry run, the plan and what it would cost."""
        return self.respond(RunDetailSerializer(self.get_object()).data)

    @extend_schema(request=None, responses={202: SyncStartedSerializer})
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, pk: uuid.UUID) -> Response:
        """Undo on our side what the run changed here, where nobody has changed it since; the CRM is left alone."""
        run = self.get_queryset().select_related("integration").filter(pk=pk).first() or self.get_object()
        return self.respond(SyncStartedSerializer(runs.start_rollback(run=run)).data, status=202)


class ItemViewSet(ListMixin, TenantViewSet):
    """What runs did with each record."""

    model = CrmSyncItem
    serializer_class = ItemSerializer
    filterset_class = ItemFilter
    permissions = {"list": "crm:manage"}


class DeadLetterViewSet(ListMixin, TenantViewSet):
    """Records that could not be stored on one side, with the reason."""

    model = CrmLink
    serializer_class = DeadLetterSerializer
    filterset_class = DeadLetterFilter
    sort_fields = {"updatedAt": "updated_at"}
    default_sort = "-updatedAt"
    permissions = dict.fromkeys(["list", "replay"], "crm:manage")

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        dead: QuerySet[Any] = rows.dead_letters() if self.action == "list" else rows
        return dead

    @extend_schema(request=None, responses=DeadLetterSerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: uuid.UUID) -> Response:
        """Take the record up again with the next sync."""
        return self.respond(DeadLetterSerializer(runs.replay(link=self.get_object())).data)


class ConflictViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Fields that both sides changed and a person decides."""

    model = CrmConflict
    serializer_class = ConflictSerializer
    filterset_class = ConflictFilter
    permissions = dict.fromkeys(["list", "retrieve", "resolve"], "crm:manage")

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related("link", "resolved_by")

    @extend_schema(request=ResolveSerializer, responses=ConflictSerializer)
    @action(detail=True, methods=["post"], serializer_class=ResolveSerializer)
    def resolve(self, request: Request, pk: uuid.UUID) -> Response:
        """Decide: ours, theirs or another value. Here it holds at once, in the CRM with the next sync."""
        conflict = self.get_object()
        data = self.validated(ResolveSerializer(data=request.data))
        if data["choice"] == "value" and "value" not in data:
            raise Invalid.field("value", "Give the value.", constraint="required")
        resolved = conflicts.resolve_conflict(conflict=conflict, choice=data["choice"], value=data.get("value"))
        return self.respond(ConflictSerializer(resolved).data)
