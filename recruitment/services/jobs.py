"""Make, change, open, close, copy and delete jobs."""

import secrets
import uuid
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.text import slugify

from contacts.models import Client
from contacts.services.contacts import check_assignee
from recruitment.models import (
    ENDED,
    NEXT_STATUSES,
    HiringProcess,
    JobOpening,
    JobSkill,
    JobTeamMember,
    OpeningStatus,
)
from recruitment.models.skills import fold
from recruitment.services.announcements import announce_job
from recruitment.services.processes import process_for
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.notifications.services.feed import tell_feed
from vocelio.organizations.models import Membership
from vocelio.versions import lock

# What a copy takes along.
COPIED = [
    "title", "description", "requirements", "benefits", "client_id", "department", "family", "process_id", "city",
    "state", "country", "remote_kind", "employment_type", "salary_min", "salary_max", "currency", "salary_period",
    "is_salary_public", "experience_min", "experience_max", "openings", "priority", "questions", "tags",
]  # fmt: skip


class StatusRefused(Conflict):
    """The job cannot become this from what it is; `allowed` says what it may become."""

    code = "STATUS_REFUSED"


class ProcessFixed(Conflict):
    code = "PROCESS_FIXED"
    message = "People have applied already: the job keeps the process they are in."


def create_job(
    *,
    principal: Principal,
    skills: list[dict[str, Any]] | None = None,
    team: list[dict[str, Any]] | None = None,
    status: str = OpeningStatus.DRAFT,
    **fields: Any,
) -> JobOpening:
    """Create a job, a draft unless it is to be open at once; its process is the family's unless given."""
    job = JobOpening(created_by_id=current_actor().user_id)
    _set(job, fields, principal)
    if fields.get("process_id") is None:
        job.process = process_for(job.family)
    job.public_slug = _address(job.title)
    if status == OpeningStatus.OPEN:
        job.status, job.opened_at = status, timezone.now()
    elif status != OpeningStatus.DRAFT:
        raise Invalid.field("status", "A new job is a draft or open.", value=status, constraint="choice")
    job.save(force_insert=True)
    _replace_skills(job, skills)
    _replace_team(job, team)
    job.refresh_from_db()
    record("job.created", "jobopening", job.pk, fields=sorted(fields))
    announce_job("job_created", job)
    tell_feed(kind="job.created", resource="job", resource_id=job.pk, title=job.title, owners=[job.assigned_to_id])
    return job


def update_job(
    *,
    job: JobOpening,
    principal: Principal,
    version: int | None = None,
    skills: list[dict[str, Any]] | None = None,
    team: list[dict[str, Any]] | None = None,
    status: str | None = None,
    status_reason: str = "",
    **fields: Any,
) -> JobOpening:
    """Change the given fields, and the status where one is given; lists replace what was there.

    Raise VersionConflict when the job is no longer at `version`, StatusRefused for a status it cannot have next.
    """
    job = lock(JobOpening.objects.alive(), job.pk, version, job_state)
    before, owner = job.status, job.assigned_to_id
    _set(job, fields, principal)
    if (
        "process_id" in fields
        and has_applications(job)
        and JobOpening.objects.get(pk=job.pk).process_id != job.process_id
    ):
        raise ProcessFixed
    if status is not None:
        _change_status(job, status, status_reason)
    job.version += 1
    job.save()
    _replace_skills(job, skills)
    _replace_team(job, team)
    job.refresh_from_db()
    names = [name for name, value in (("skills", skills), ("team", team), ("status", status)) if value is not None]
    record("job.updated", "jobopening", job.pk, fields=sorted([*fields, *names]), status=job.status)
    announce_job("job_updated" if job.status == before else "job_status_changed", job, [owner])
    if job.status != before:
        tell_feed(
            kind=f"job.{job.status}",
            resource="job",
            resource_id=job.pk,
            title=job.title,
            owners={job.assigned_to_id, owner},
            reason=job.status_reason,
        )
    return job


def close_job(*, job: JobOpening, principal: Principal, status: str, reason: str, version: int | None) -> JobOpening:
    """End the job as filled, closed or cancelled."""
    return update_job(job=job, principal=principal, version=version, status=status, status_reason=reason)


def copy_job(*, job: JobOpening, principal: Principal) -> JobOpening:
    """Make a draft like the job, with its skills and team, without its applications and dates."""
    values = {name: getattr(job, name) for name in COPIED}
    if not HiringProcess.objects.alive().filter(pk=job.process_id).exists():
        values.pop("process_id")
    skills = [
        {"name": skill.name, "level": skill.level, "is_required": skill.is_required}
        for skill in JobSkill.objects.filter(job=job)
    ]
    active = Membership.objects.filter(organization_id=job.organization_id, is_active=True).values("user_id")
    team = [
        {"user_id": member.user_id, "role": member.role}
        for member in JobTeamMember.objects.filter(job=job, user_id__in=active)
    ]
    return create_job(principal=principal, skills=skills, team=team, assigned_to_id=current_actor().user_id, **values)


def delete_job(*, job: JobOpening, version: int | None = None) -> None:
    """Take the job out of every list and board; figures of the past keep what happened in it."""
    job = lock(JobOpening.objects.alive(), job.pk, version, job_state)
    JobOpening.objects.filter(pk=job.pk).update(deleted_at=Now(), is_public=False, version=F("version") + 1)
    record("job.deleted", "jobopening", job.pk)
    announce_job("job_deleted", job)


def fill_if_complete(job: JobOpening, hires: int) -> None:
    """Mark an open job as filled once so many were hired as it has openings."""
    if job.status in (OpeningStatus.OPEN, OpeningStatus.ON_HOLD) and hires >= job.openings:
        _change_status(job, OpeningStatus.FILLED, "Everybody wanted was hired.")
        job.version += 1
        job.save(update_fields=["status", "status_reason", "closed_at", "version"])
        record("job.filled", "jobopening", job.pk, hires=hires)
        announce_job("job_status_changed", job)


def has_applications(job: JobOpening) -> bool:
    from recruitment.models import Application

    return bool(Application.objects.filter(job=job).exists())


def find_job(job_id: uuid.UUID, principal: Principal) -> JobOpening:
    """Return a job the caller may see; raise Invalid for any other."""
    job: JobOpening | None = JobOpening.objects.alive().visible_to(principal).filter(pk=job_id).first()
    if job is None:
        raise Invalid.field("jobId", "There is no such job.", value=str(job_id), constraint="does_not_exist")
    return job


def job_state(job: JobOpening) -> dict[str, Any]:
    """Return what the second of two people needs to see."""
    return {"id": str(job.pk), "title": job.title, "status": job.status, "version": job.version}


def _change_status(job: JobOpening, status: str, reason: str) -> None:
    if status == job.status:
        job.status_reason = reason or job.status_reason
        return
    allowed = NEXT_STATUSES[job.status]
    if status not in allowed:
        labels = dict(OpeningStatus.choices)
        raise StatusRefused(
            f"A job that is {labels[job.status].lower()} cannot become {labels[status].lower()}.", allowed=list(allowed)
        )
    job.status, job.status_reason = status, reason
    if status == OpeningStatus.OPEN:
        job.opened_at = job.opened_at or timezone.now()
        job.closed_at = None
    elif status in ENDED:
        job.closed_at = timezone.now()


def _set(job: JobOpening, fields: dict[str, Any], principal: Principal) -> None:
    for name, value in fields.items():
        setattr(job, name, value)
    check_assignee(job, fields)
    for field, rows in (
        ("client_id", Client.objects.alive().visible_to(principal)),
        ("process_id", HiringProcess.objects.alive()),
    ):
        value = fields.get(field)
        if value is not None and not rows.filter(pk=value).exists():
            shown = field.removesuffix("_id") + "Id"
            raise Invalid.field(shown, "There is no such record.", value=str(value), constraint="does_not_exist")
    if (job.salary_min is not None or job.salary_max is not None) and not job.currency:
        raise Invalid.field("currency", "A salary needs its currency.", constraint="required")
    for least, most in (("salary_min", "salary_max"), ("experience_min", "experience_max")):
        low, high = getattr(job, least), getattr(job, most)
        if low is not None and high is not None and high < low:
            shown = most.replace("_m", "M")
            raise Invalid.field(shown, "This is less than the least.", value=str(high), constraint="range")


def _replace_skills(job: JobOpening, skills: list[dict[str, Any]] | None) -> None:
    if skills is not None:
        JobSkill.objects.filter(job=job).delete()
        JobSkill.objects.bulk_create([JobSkill(job=job, folded=fold(skill["name"]), **skill) for skill in skills])


def _replace_team(job: JobOpening, team: list[dict[str, Any]] | None) -> None:
    if team is None:
        return
    ids = [member["user_id"] for member in team]
    members = Membership.objects.filter(organization_id=job.organization_id, is_active=True, user_id__in=ids)
    if len(set(ids)) != len(ids) or members.count() != len(ids):
        raise Invalid.field("team", "Name each active member once.", constraint="does_not_exist")
    with transaction.atomic():
        JobTeamMember.objects.filter(job=job).delete()
        JobTeamMember.objects.bulk_create([JobTeamMember(job=job, **member) for member in team])


def _address(title: str) -> str:
    return f"{slugify(title)[:90] or 'job'}-{secrets.token_hex(6)}"
