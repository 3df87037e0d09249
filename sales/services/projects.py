"""Make, change and staff projects, and note what they reach."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from contacts.models import Client
from contacts.services.contacts import check_assignee
from sales.models import Deal, Milestone, Project, ProjectMember, ProjectStatus, StageKind
from sales.services.announcements import announce_project
from sales.services.money import own_currency
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.notifications.services.feed import tell_feed
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.models import Membership
from vocelio.versions import lock


class ProjectExists(Conflict):
    code = "PROJECT_EXISTS"
    message = "This deal already has a project."


class DealNotWon(Conflict):
    code = "DEAL_NOT_WON"
    message = "A project comes from a won deal; win the deal first."


class AlreadyMember(Conflict):
    code = "ALREADY_ON_PROJECT"
    message = "This person already works on the project."


def create_project(
    *,
    principal: Principal,
    members: list[dict[str, Any]] | None = None,
    milestones: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> Project:
    """Create a project with its team and milestones."""
    fields.setdefault("currency", own_currency())
    project = Project(created_by_id=current_actor().user_id)
    _set(project, fields, principal)
    if project.deal_id and not Deal.objects.alive().filter(pk=project.deal_id, status=StageKind.WON).exists():
        raise DealNotWon
    _save(project, force_insert=True)
    for member in members or []:
        add_member(project, **member)
    for milestone in milestones or []:
        add_milestone(project, **milestone)
    record("project.created", "project", project.pk, fields=sorted(fields))
    announce_project("project_created", project)
    _tell(project, "project.created")
    return project


def project_of_deal(*, deal: Deal, principal: Principal, **fields: Any) -> Project:
    """Make a won deal's project: its name, client, amount and owner unless given otherwise."""
    if deal.status != StageKind.WON:
        raise DealNotWon
    taken = {
        "name": deal.name,
        "client_id": deal.client_id,
        "budget": deal.amount,
        "currency": deal.currency,
        "assigned_to_id": deal.assigned_to_id,
        "description": deal.description,
    }
    # Whom the deal was visible to may make its project, though its client be another team's.
    return create_project(principal=principal, **{**taken, **fields, "deal_id": deal.pk})


def update_project(*, project: Project, principal: Principal, version: int | None = None, **fields: Any) -> Project:
    """Change the given fields; raise VersionConflict when the project is no longer at `version`."""
    project = lock(Project.objects.alive(), project.pk, version, project_state)
    owner_before, status_before = project.assigned_to_id, project.status
    _set(project, fields, principal)
    if "deal_id" in fields and project.deal_id:
        won = Deal.objects.alive().filter(pk=project.deal_id, status=StageKind.WON)
        if not won.exists():
            raise DealNotWon
    project.version += 1
    _save(project, update_fields=[*fields, "version"])
    project.refresh_from_db()
    record("project.updated", "project", project.pk, fields=sorted(fields))
    announce_project("project_updated", project, [owner_before])
    if project.status != status_before:
        labels = dict(ProjectStatus.choices)
        _tell(project, "project.status_changed", fromStatus=labels[status_before], toStatus=labels[project.status])
    return project


def delete_project(*, project: Project) -> None:
    """Take the project out of every list; its deal may then get another."""
    Project.objects.filter(pk=project.pk).update(deleted_at=Now(), version=F("version") + 1)
    record("project.deleted", "project", project.pk)
    announce_project("project_deleted", project)


def add_member(
    project: Project, *, user_id: uuid.UUID, role: str = "", allocation: int = 100, **dates: Any
) -> ProjectMember:
    """Put a member of the organization on the project; raise AlreadyMember the second time."""
    members = Membership.objects.active().filter(organization_id=project.organization_id, user_id=user_id)
    if not members.exists():
        raise Invalid.field("userId", "There is no such member.", value=str(user_id), constraint="does_not_exist")
    member = ProjectMember(project=project, user_id=user_id, role=role, allocation=allocation, **dates)
    _check_dates(member)
    try:
        with transaction.atomic():
            member.save(force_insert=True)
    except IntegrityError as error:
        if "once_in_a_project" not in str(error):
            raise
        raise AlreadyMember(field="userId", value=str(user_id), constraint="unique") from None
    record("project.member_added", "project", project.pk, user=str(user_id))
    _tell(project, "project.member_added", member=str(members.select_related("user").get().user), role=role)
    if user_id != current_actor().user_id:
        notify(
            kind="project.joined",
            user_ids=[user_id],
            title=f"You work on {project.name}",
            key=f"project.joined:{member.pk}",
            resource="project",
            resource_id=project.pk,
        )
    return member


def update_member(member: ProjectMember, **fields: Any) -> ProjectMember:
    """Change what a person does on the project, how much and how long."""
    for name, value in fields.items():
        setattr(member, name, value)
    _check_dates(member)
    member.save(update_fields=list(fields))
    record("project.member_updated", "project", member.project_id, user=str(member.user_id), fields=sorted(fields))
    return member


def remove_member(member: ProjectMember) -> None:
    """Take a person off the project."""
    project, user = member.project, str(member.user)
    user_id = member.user_id
    member.delete()
    record("project.member_removed", "project", project.pk, user=str(user_id))
    _tell(project, "project.member_removed", member=user)


def add_milestone(project: Project, **fields: Any) -> Milestone:
    """Plan something the project reaches on a day."""
    milestone: Milestone = Milestone.objects.create(project=project, **fields)
    record("project.milestone_added", "project", project.pk, milestone=str(milestone.pk))
    announce_project("project_updated", project)
    return milestone


def update_milestone(milestone: Milestone, *, is_completed: bool | None = None, **fields: Any) -> Milestone:
    """Change a milestone, or note that it was reached, or not after all."""
    for name, value in fields.items():
        setattr(milestone, name, value)
    if is_completed is not None and is_completed != (milestone.completed_at is not None):
        milestone.completed_by_id = current_actor().user_id if is_completed else None
        Milestone.objects.filter(pk=milestone.pk).update(
            completed_at=Now() if is_completed else None, completed_by_id=milestone.completed_by_id
        )
    if fields:
        milestone.save(update_fields=list(fields))
    milestone.refresh_from_db()
    record("project.milestone_updated", "project", milestone.project_id, milestone=str(milestone.pk))
    announce_project("project_updated", milestone.project)
    return milestone


def delete_milestone(milestone: Milestone) -> None:
    """Remove a milestone from the plan."""
    project, milestone_id = milestone.project, milestone.pk
    milestone.delete()
    record("project.milestone_deleted", "project", project.pk, milestone=str(milestone_id))
    announce_project("project_updated", project)


def project_state(project: Project) -> dict[str, Any]:
    """Return what the second of two people needs to see."""
    return {
        "id": str(project.pk),
        "name": project.name,
        "status": project.status,
        "version": project.version,
        "updatedAt": project.updated_at.isoformat(),
    }


def _set(project: Project, fields: dict[str, Any], principal: Principal) -> None:
    for name, value in fields.items():
        setattr(project, name, value)
    check_assignee(project, fields)
    for field, rows, pk in (
        ("clientId", Client.objects.alive(), fields.get("client_id")),
        ("dealId", Deal.objects.alive(), fields.get("deal_id")),
    ):
        if pk and not rows.filter(pk=pk).exists():
            raise Invalid.field(field, "There is no such record.", value=str(pk), constraint="does_not_exist")
    deal_id = fields.get("deal_id")
    if deal_id and not Deal.objects.visible_to(principal).filter(pk=deal_id).exists():
        raise Invalid.field("dealId", "There is no such record.", value=str(deal_id), constraint="does_not_exist")
    if project.starts_on and project.ends_on and project.ends_on < project.starts_on:
        raise Invalid.field("endsOn", "The project ends before it starts.", constraint="order")


def _check_dates(member: ProjectMember) -> None:
    if member.starts_on and member.ends_on and member.ends_on < member.starts_on:
        raise Invalid.field("endsOn", "This is before the start.", constraint="order")


def _tell(project: Project, kind: str, **data: Any) -> None:
    tell_feed(
        kind=kind,
        resource="project",
        resource_id=project.pk,
        title=project.name,
        owners=[project.assigned_to_id],
        **data,
    )


def _save(project: Project, **options: Any) -> None:
    try:
        with transaction.atomic():
            project.save(**options)
    except IntegrityError as error:
        if "one_project_per_deal" not in str(error):
            raise
        existing = Project.objects.alive().filter(deal_id=project.deal_id).values_list("pk", flat=True).first()
        raise ProjectExists(field="dealId", constraint="unique", existingId=str(existing)) from None
