"""/projects, /clients/{id}/projects"""

import uuid
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Client
from sales.filters.deals import ProjectFilter, TimelineFilter
from sales.models import Milestone, Project, ProjectMember, ProjectTimelineEntry
from sales.serializers.projects import (
    MilestoneChangeSerializer,
    MilestoneSerializer,
    ProjectChangeSerializer,
    ProjectEntrySerializer,
    ProjectMemberChangeSerializer,
    ProjectMemberSerializer,
    ProjectSerializer,
)
from sales.services import projects
from vocelio.api.conditions import take_version
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin


def with_parts(rows: Any) -> Any:
    members = ProjectMember.objects.select_related("user").order_by("created_at", "id")
    milestones = Milestone.objects.select_related("completed_by").order_by("due_on", "id")
    return rows.select_related("client", "deal", "assigned_to", "created_by").prefetch_related(
        Prefetch("members", members), Prefetch("milestones", milestones)
    )


def shown_project(project: Project) -> Any:
    return ProjectSerializer(with_parts(Project.objects.filter(pk=project.pk)).get()).data


@extend_schema_view(
    update=extend_schema(request=ProjectChangeSerializer, responses=ProjectSerializer),
    partial_update=extend_schema(request=ProjectChangeSerializer, responses=ProjectSerializer),
)
class ProjectViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """What was sold, being delivered."""

    model = Project
    serializer_class = ProjectSerializer
    filterset_class = ProjectFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at", "name": "name"}
    versioned_actions = ("update", "partial_update")
    permissions = {
        "list": "projects:read",
        "retrieve": "projects:read",
        "timeline": "projects:read",
        "create": "projects:write",
        "update": "projects:write",
        "partial_update": "projects:write",
        "add_member": "projects:write",
        "add_milestone": "projects:write",
        "destroy": "projects:delete",
    }

    def get_queryset(self) -> QuerySet[Project]:
        rows: Any = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else with_parts(rows.alive())  # type: ignore[no-any-return]

    def get_serializer_class(self) -> Any:
        return (
            ProjectChangeSerializer if self.action in ("update", "partial_update") else super().get_serializer_class()
        )

    def represent(self, instance: Project) -> Any:
        return shown_project(instance)

    def perform_create(self, data: dict[str, Any]) -> Project:
        data.pop("version", None)
        return projects.create_project(principal=self.principal, **data)

    def perform_update(self, instance: Project, data: dict[str, Any]) -> Project:
        version = take_version(self.request, data)
        return projects.update_project(project=instance, principal=self.principal, version=version, **data)

    def perform_destroy(self, instance: Project) -> str:
        projects.delete_project(project=instance)
        return "Project deleted"

    @extend_schema(request=ProjectMemberSerializer, responses={201: ProjectMemberSerializer})
    @action(detail=True, methods=["post"], url_path="members", serializer_class=ProjectMemberSerializer)
    def add_member(self, request: Request, pk: uuid.UUID) -> Response:
        """Put a member of the organization on the project."""
        project = self.get_object()
        data = self.validated(ProjectMemberSerializer(data=request.data))
        return self.respond(ProjectMemberSerializer(projects.add_member(project, **data)).data, status=201)

    @extend_schema(request=MilestoneSerializer, responses={201: MilestoneSerializer})
    @action(detail=True, methods=["post"], url_path="milestones", serializer_class=MilestoneSerializer)
    def add_milestone(self, request: Request, pk: uuid.UUID) -> Response:
        """Plan something the project reaches on a day."""
        project = self.get_object()
        data = self.validated(MilestoneSerializer(data=request.data))
        return self.respond(MilestoneSerializer(projects.add_milestone(project, **data)).data, status=201)

    @extend_schema(responses=ProjectEntrySerializer(many=True))
    @action(
        detail=True,
        serializer_class=ProjectEntrySerializer,
        filterset_class=TimelineFilter,
        sort_fields={"at": "at"},
        default_sort="-at",
    )
    def timeline(self, request: Request, pk: uuid.UUID) -> Response:
        """List what happened in the project and what is planned, by time."""
        project = self.get_object()
        entries = ProjectTimelineEntry.objects.filter(project_id=project.pk).select_related("user")
        page = self.paginate_queryset(self.filter_queryset(entries)) or []
        return self.get_paginated_response(ProjectEntrySerializer(page, many=True).data)


class PartOfProjectViewSet(UpdateMixin, DestroyMixin, TenantViewSet):
    """Single parts of a project the caller may see."""

    permissions = {
        "update": "projects:write",
        "partial_update": "projects:write",
        "destroy": "projects:write",
    }

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows  # type: ignore[no-any-return]
        visible = Project.objects.alive().visible_to(self.principal)
        found: QuerySet[Any] = rows.filter(project__in=visible, project_id=self.kwargs["project_id"])
        return found.select_related("project")


class ProjectMemberViewSet(PartOfProjectViewSet):
    """People of a project."""

    model = ProjectMember
    serializer_class = ProjectMemberChangeSerializer

    def represent(self, instance: ProjectMember) -> Any:
        return ProjectMemberSerializer(instance).data

    @extend_schema(responses=ProjectMemberSerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().update(request, *args, **kwargs)

    @extend_schema(responses=ProjectMemberSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().partial_update(request, *args, **kwargs)

    def perform_update(self, instance: ProjectMember, data: dict[str, Any]) -> ProjectMember:
        return projects.update_member(instance, **data)

    def perform_destroy(self, instance: ProjectMember) -> str:
        projects.remove_member(instance)
        return "Member removed from the project"


class MilestoneViewSet(PartOfProjectViewSet):
    """Milestones of a project."""

    model = Milestone
    serializer_class = MilestoneChangeSerializer

    def represent(self, instance: Milestone) -> Any:
        return MilestoneSerializer(instance).data

    @extend_schema(responses=MilestoneSerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().update(request, *args, **kwargs)

    @extend_schema(responses=MilestoneSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().partial_update(request, *args, **kwargs)

    def perform_update(self, instance: Milestone, data: dict[str, Any]) -> Milestone:
        return projects.update_milestone(instance, **data)

    def perform_destroy(self, instance: Milestone) -> str:
        projects.delete_milestone(instance)
        return "Milestone deleted"


class ClientProjectsViewSet(TenantViewSet):
    """A client's projects."""

    model = Client
    serializer_class = ProjectSerializer
    filterset_class = ProjectFilter
    sort_fields = ProjectViewSet.sort_fields
    permissions = {"projects": "projects:read"}

    @extend_schema(responses=ProjectSerializer(many=True))
    def projects(self, request: Request, pk: uuid.UUID) -> Response:
        """List the client's projects."""
        clients: Any = super().get_queryset()
        client = get_object_or_404(clients.alive(), pk=pk)
        rows = Project.objects.alive().visible_to(self.principal).filter(client=client)
        page = self.paginate_queryset(self.filter_queryset(with_parts(rows))) or []
        return self.get_paginated_response(ProjectSerializer(page, many=True).data)
