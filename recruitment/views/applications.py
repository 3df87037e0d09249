"""/applications"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recruitment.filters.jobs import ApplicationFilter
from recruitment.models import Application, ApplicationStage, JobOpening
from recruitment.serializers.applications import (
    ApplicationBoardSerializer,
    ApplicationCardSerializer,
    ApplicationSerializer,
    ApplicationTimelineSerializer,
    BulkApplicationsResultSerializer,
    BulkApplicationsSerializer,
    MoveApplicationSerializer,
    StageOfApplicationSerializer,
    UndoBulkSerializer,
)
from recruitment.services import applications, bulk_applications
from recruitment.services.boards import DEFAULT_ORDER, ORDERS, read_cards, read_columns, shown
from recruitment.services.jobs import find_job
from recruitment.services.timeline import read_timeline
from vocelio.api.boards import CURSOR, LIMIT, BoardViews
from vocelio.api.conditions import take_version
from vocelio.api.viewsets import CreateMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.errors import Invalid, NotFound

SORT = OpenApiParameter("sort", {"type": "string"}, enum=list(ORDERS))
JOB = OpenApiParameter("jobId", {"type": "string", "format": "uuid"}, required=True)


@extend_schema_view(update=extend_schema(description="Change an application, and its stage where one is given."))
class ApplicationViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, TenantViewSet):
    """Who wants which job, and how far they have come."""

    model = Application
    serializer_class = ApplicationSerializer
    filterset_class = ApplicationFilter
    sort_fields = {
        "createdAt": "created_at",
        "appliedAt": "applied_at",
        "stageEnteredAt": "stage_entered_at",
        "rating": "rating",
    }
    versioned_actions = ("update", "partial_update", "move_stage")
    permissions = {
        "list": "applications:read",
        "retrieve": "applications:read",
        "timeline": "applications:read",
        "create": "applications:write",
        "update": "applications:write",
        "partial_update": "applications:write",
        "move_stage": "applications:write",
        "bulk_operations": "applications:bulk",
        "undo": "applications:bulk",
    }

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else rows.alive()  # type: ignore[no-any-return]

    def serialize_page(self, page: Sequence[Application]) -> Any:
        ids = [row.pk for row in page]
        found = {row.pk: row for row in with_parts(Application.objects.filter(pk__in=ids))}
        return self.get_serializer([found[pk] for pk in ids], many=True).data

    def represent(self, instance: Application) -> Any:
        return ApplicationSerializer(with_parts(Application.objects.filter(pk=instance.pk)).get()).data

    def respond(self, data: Any, status: int = 200) -> Response:
        response = super().respond(data, status)
        if isinstance(data, dict) and "version" in data:
            response["ETag"] = f'"{data["version"]}"'
        return response

    def perform_create(self, data: dict[str, Any]) -> Application:
        data.pop("version", None)
        if data.pop("rejection_reason_id", None):
            raise Invalid.field("rejectionReasonId", "A new application is not rejected.", constraint="unknown")
        stage_id = data.pop("stage_id", None)
        return applications.create_application(
            job=find_job(data.pop("job_id"), self.principal),
            contact=applications.find_applicant(data.pop("contact_id"), self.principal),
            stage=applications.find_stage(stage_id) if stage_id else None,
            **data,
        )

    def perform_update(self, instance: Application, data: dict[str, Any]) -> Application:
        version, stage_id = take_version(self.request, data), data.pop("stage_id", None)
        stage = applications.find_stage(stage_id) if stage_id else None
        return applications.update_application(application=instance, version=version, stage=stage, **data)

    @extend_schema(request=MoveApplicationSerializer, responses=ApplicationSerializer)
    @action(detail=True, methods=["post"], url_path="move-stage")
    def move_stage(self, request: Request, pk: uuid.UUID) -> Response:
        """Move an application to a stage: on, back, to hired, rejected or withdrawn.

        422 `STAGE_GATE` asks for the reason of a rejection; 409 `VERSION_CONFLICT` shows what somebody else did.
        """
        application = self.get_object()
        data = self.validated(MoveApplicationSerializer(data=request.data, context=self.get_serializer_context()))
        stage = applications.find_stage(data.pop("stage_id"))
        version = take_version(request, data)
        moved = applications.update_application(application=application, stage=stage, version=version, **data)
        return self.respond(self.represent(moved))

    @extend_schema(responses=ApplicationTimelineSerializer(many=True))
    @action(detail=True, filterset_class=None, filter_backends=[], pagination_class=None)
    def timeline(self, request: Request, pk: uuid.UUID) -> Response:
        """Tell what happened with an application, the newest first: stages, interviews, offers, placements."""
        entries = read_timeline(self.get_object(), self.principal)
        return Response({"data": ApplicationTimelineSerializer(entries, many=True).data})

    @extend_schema(request=BulkApplicationsSerializer, responses=BulkApplicationsResultSerializer)
    @action(detail=False, methods=["post"], url_path="bulk-operations", serializer_class=BulkApplicationsSerializer)
    def bulk_operations(self, request: Request) -> Response:
        """Move, reject or assign up to 1,000 applications at once; each that fails is listed with the reason."""
        data = self.validated()
        operation = bulk_applications.ACTIONS[data["action"]]
        result = operation(principal=self.principal, application_ids=data["application_ids"], **data["data"])
        return Response(result.answer())

    @extend_schema(request=UndoBulkSerializer, responses=BulkApplicationsResultSerializer)
    @action(detail=False, methods=["post"], serializer_class=UndoBulkSerializer)
    def undo(self, request: Request) -> Response:
        """Bring back what a bulk move or rejection moved, within ten minutes; those changed since stay."""
        result = bulk_applications.undo(principal=self.principal, change_id=self.validated()["undo_id"])
        return Response(result.answer())


class ApplicationBoardFilter(ApplicationFilter):
    """What a board can be narrowed by; its job is chosen beside it."""

    jobId = None  # type: ignore[assignment]  # how django-filter takes one away
    stageId = None  # type: ignore[assignment]

    class Meta:
        model = Application
        fields: list[str] = []


class ApplicationBoardViewSet(BoardViews):
    """Applications to a job as cards in columns."""

    model = Application
    serializer_class = ApplicationBoardSerializer
    filterset_class = ApplicationBoardFilter
    orders = ORDERS
    default_order = DEFAULT_ORDER
    chosen_by = frozenset({"jobId"})
    permissions = {"board": "applications:read", "column": "applications:read"}

    @extend_schema(responses=ApplicationBoardSerializer, parameters=[JOB, LIMIT, SORT])
    def board(self, request: Request) -> Response:
        """Show the applications to a job as a board: each column's true total and its first cards."""
        order, limit, job = self.order(), self.limit(), self._job()
        columns = read_columns(job=job, principal=self.principal, narrow=self.narrow, order=order, limit=limit)
        return self.respond(
            {
                "job": {"id": job.pk, "name": job.title},
                "version": job.version,
                "columns": [
                    {
                        "stage": StageOfApplicationSerializer(column["stage"]).data,
                        "count": column["count"],
                        "applications": shown(column["cards"][:limit]),
                        "nextCursor": self.cursor(column["cards"], order, limit),
                    }
                    for column in columns
                ],
            }
        )

    @extend_schema(responses=ApplicationCardSerializer(many=True), parameters=[JOB, LIMIT, SORT, CURSOR])
    def column(self, request: Request, pk: uuid.UUID) -> Response:
        """Show more cards of one column: `nextCursor` of the board, then of the page before."""
        stage = ApplicationStage.objects.alive().filter(pk=pk).first()
        if stage is None:
            raise NotFound
        job = self._job()
        visible = Application.objects.without_trash().visible_to(self.principal).filter(job=job)
        return self.page(read_cards(self.narrow(visible), stage, self.order()), shown)

    def _job(self) -> JobOpening:
        chosen = self.request.query_params.get("jobId")
        try:
            job_id = uuid.UUID(chosen or "")
        except ValueError:
            raise Invalid.field("jobId", "Say which job.", value=(chosen or "")[:60], constraint="required") from None
        job: JobOpening | None = JobOpening.objects.alive().visible_to(self.principal).filter(pk=job_id).first()
        if job is None:
            raise NotFound
        return job


def with_parts(rows: Any) -> Any:
    """Add what an application is shown with; as many queries for many as for one."""
    parts = ("job", "contact", "stage", "rejection_reason", "assigned_to", "created_by")
    return rows.select_related(*parts).defer("contact__search")
