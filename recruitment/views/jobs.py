"""/jobs, /hiring-processes, /rejection-reasons and /recruitment-settings"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Client
from recruitment.filters.jobs import JobFilter, NamedFilter
from recruitment.models import (
    ApplicationStage,
    HiringProcess,
    JobOpening,
    JobTeamMember,
    OpeningStatus,
    RecruitmentSettings,
    RejectionReason,
)
from recruitment.serializers.jobs import (
    CloseJobSerializer,
    HiringProcessSerializer,
    JobBoardSerializer,
    JobCardSerializer,
    JobSerializer,
    RecruitmentSettingsSerializer,
    RejectionReasonSerializer,
)
from recruitment.services import jobs, processes
from recruitment.services.boards import JOB_ORDERS, read_job_cards, read_job_columns, shown_jobs
from recruitment.services.settings import own_settings, update_settings
from vocelio.api.boards import CURSOR, LIMIT, BoardViews
from vocelio.api.conditions import take_version
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.errors import NotFound

SORT = OpenApiParameter("sort", {"type": "string"}, enum=list(JOB_ORDERS))


@extend_schema_view(
    update=extend_schema(description="Change a job; its status as the life cycle allows, else 409 STATUS_REFUSED.")
)
class JobViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Jobs to be filled."""

    model = JobOpening
    serializer_class = JobSerializer
    filterset_class = JobFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at", "title": "title", "openedAt": "opened_at"}
    versioned_actions = ("update", "partial_update", "close", "destroy")
    permissions = {
        "list": "jobs:read",
        "retrieve": "jobs:read",
        "create": "jobs:write",
        "update": "jobs:write",
        "partial_update": "jobs:write",
        "close": "jobs:write",
        "duplicate": "jobs:write",
        "destroy": "jobs:delete",
    }

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else rows.alive()  # type: ignore[no-any-return]

    def serialize_page(self, page: Sequence[JobOpening]) -> Any:
        # What a job is shown with is read for the page alone.
        found = {job.pk: job for job in with_parts(JobOpening.objects.filter(pk__in=[job.pk for job in page]))}
        return JobSerializer([found[job.pk] for job in page], many=True, context=self.get_serializer_context()).data

    def represent(self, instance: JobOpening) -> Any:
        return JobSerializer(with_parts(JobOpening.objects.filter(pk=instance.pk)).get()).data

    def respond(self, data: Any, status: int = 200) -> Response:
        response = super().respond(data, status)
        response["ETag"] = f'"{data["version"]}"'
        return response

    def perform_create(self, data: dict[str, Any]) -> JobOpening:
        data.pop("version", None)
        data.pop("status_reason", None)
        return jobs.create_job(principal=self.principal, **data)

    def perform_update(self, instance: JobOpening, data: dict[str, Any]) -> JobOpening:
        version = take_version(self.request, data)
        return jobs.update_job(job=instance, principal=self.principal, version=version, **data)

    def perform_destroy(self, instance: JobOpening) -> str:
        jobs.delete_job(job=instance, version=take_version(self.request, {}))
        return "Job deleted"

    @extend_schema(request=CloseJobSerializer, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: uuid.UUID) -> Response:
        """End a job as filled, closed or cancelled, and say why."""
        job = self.get_object()
        data = self.validated(CloseJobSerializer(data=request.data))
        version = take_version(request, data)
        closed = jobs.close_job(
            job=job, principal=self.principal, status=data["status"], reason=data["reason"], version=version
        )
        return self.respond(self.represent(closed))

    @extend_schema(request=None, responses={201: JobSerializer})
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, pk: uuid.UUID) -> Response:
        """Make a draft like this job, with its skills and team."""
        copied = jobs.copy_job(job=self.get_object(), principal=self.principal)
        return self.respond(self.represent(copied), status=201)


class ClientJobsViewSet(TenantViewSet):
    """The jobs of one client."""

    model = Client
    serializer_class = JobSerializer
    filterset_class = JobFilter
    permissions = {"jobs": "jobs:read"}

    @extend_schema(responses=JobSerializer(many=True))
    def jobs(self, request: Request, pk: uuid.UUID) -> Response:
        """List the jobs of a client."""
        if not Client.objects.alive().visible_to(self.principal).filter(pk=pk).exists():
            raise NotFound
        rows = JobOpening.objects.alive().visible_to(self.principal).filter(client_id=pk)
        page = self.paginate_queryset(with_parts(self.filter_queryset(rows))) or []
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class JobBoardViewSet(BoardViews):
    """Jobs as cards in columns of their status."""

    model = JobOpening
    serializer_class = JobBoardSerializer
    filterset_class = JobFilter
    orders = JOB_ORDERS
    default_order = "-createdAt"
    permissions = {"board": "jobs:read", "column": "jobs:read"}

    @extend_schema(responses=JobBoardSerializer, parameters=[LIMIT, SORT])
    def board(self, request: Request) -> Response:
        """Show the jobs by status: each column's total and its first cards."""
        order, limit = self.order(), self.limit()
        visible = self.narrow(JobOpening.objects.alive().visible_to(self.principal))
        return self.respond(
            {
                "columns": [
                    {
                        "status": column["status"],
                        "label": column["label"],
                        "count": column["count"],
                        "jobs": shown_jobs(column["cards"][:limit]),
                        "nextCursor": self.cursor(column["cards"], order, limit),
                    }
                    for column in read_job_columns(visible=visible, order=order, limit=limit)
                ]
            }
        )

    @extend_schema(responses=JobCardSerializer(many=True), parameters=[LIMIT, SORT, CURSOR])
    def column(self, request: Request, column: str) -> Response:
        """Show more cards of one column: `nextCursor` of the board, then of the page before."""
        if column not in OpeningStatus.values:
            raise NotFound
        visible = self.narrow(JobOpening.objects.alive().visible_to(self.principal))
        return self.page(read_job_cards(visible, column, self.order()), shown_jobs)


@extend_schema_view(
    update=extend_schema(
        description="Change a process; given stages replace all: those with an id stay, others are added, missing ones removed."
    )
)
class HiringProcessViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """The stages that jobs of a family share."""

    model = HiringProcess
    serializer_class = HiringProcessSerializer
    filterset_class = NamedFilter
    sort_fields = {"createdAt": "created_at", "name": "name"}
    versioned_actions = ("update", "partial_update")
    permissions = {
        "list": "jobs:read",
        "retrieve": "jobs:read",
        **dict.fromkeys(["create", "update", "partial_update", "destroy"], "recruitment:manage"),
    }

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows  # type: ignore[no-any-return]
        stages = ApplicationStage.objects.alive().order_by("position", "id")
        return rows.alive().prefetch_related(Prefetch("stages", stages))  # type: ignore[no-any-return]

    def represent(self, instance: HiringProcess) -> Any:
        return self.get_serializer(self.get_queryset().get(pk=instance.pk)).data

    def perform_create(self, data: dict[str, Any]) -> HiringProcess:
        data.pop("version", None)
        return processes.create_process(**data)

    def perform_update(self, instance: HiringProcess, data: dict[str, Any]) -> HiringProcess:
        return processes.update_process(instance, version=take_version(self.request, data), **data)

    def perform_destroy(self, instance: HiringProcess) -> str:
        processes.delete_process(instance)
        return "Hiring process deleted"


class RejectionReasonViewSet(ListMixin, CreateMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Why applicants are rejected."""

    model = RejectionReason
    serializer_class = RejectionReasonSerializer
    filterset_class = NamedFilter
    sort_fields = {"createdAt": "created_at", "name": "name"}
    permissions = {
        "list": "jobs:read",
        **dict.fromkeys(["create", "update", "partial_update", "destroy"], "recruitment:manage"),
    }

    def perform_create(self, data: dict[str, Any]) -> RejectionReason:
        return processes.create_reason(**data)

    def perform_update(self, instance: RejectionReason, data: dict[str, Any]) -> RejectionReason:
        return processes.update_reason(instance, **data)

    def perform_destroy(self, instance: RejectionReason) -> str:
        processes.delete_reason(instance)
        return "Rejection reason deleted"


class RecruitmentSettingsViewSet(TenantViewSet):
    """How the organization recruits."""

    model = RecruitmentSettings
    serializer_class = RecruitmentSettingsSerializer
    permissions = {"retrieve": "jobs:read", "update": "recruitment:manage"}

    def retrieve(self, request: Request) -> Response:
        """Show the settings; the defaults until they are first changed."""
        return self.respond(self.get_serializer(own_settings()).data)

    def update(self, request: Request) -> Response:
        """Change the settings given."""
        data = self.validated(self.get_serializer(own_settings(), data=request.data, partial=True))
        return self.respond(self.get_serializer(update_settings(**data)).data)


def with_parts(rows: Any) -> Any:
    """Add what a job is shown with; as many queries for many jobs as for one."""
    team = JobTeamMember.objects.select_related("user").order_by("role", "id")
    return (
        rows.select_related("client", "process", "assigned_to", "created_by")
        .defer("client__search")
        .prefetch_related("skills", Prefetch("team", team))
        .with_numbers()
    )
