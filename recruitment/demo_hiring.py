"""The demo's jobs, applications, interviews, offers and placements: half a year of hiring."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from contacts.models import Client, Contact
from recruitment.models import (
    Application,
    ApplicationStage,
    CandidateProfile,
    Hotlist,
    Interview,
    InterviewKind,
    JobOpening,
    OfferStatus,
    OpeningStatus,
    Placement,
    RejectionReason,
    StageOutcome,
)
from recruitment.models.profiles import Salary
from recruitment.services.jobs import create_job
from recruitment.services.offers import change_offer_status, create_offer
from recruitment.services.pools import put_on_hotlist, save_hotlist
from recruitment.services.processes import create_process, create_reason, stages_of
from recruitment.services.settings import update_settings
from vocelio.access.principal import Principal, principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

# Titles and skills as ESCO v1 (European Union, CC BY 4.0) and employers name them: family, skills asked for, salary.
JOBS: dict[str, tuple[str, list[str], int]] = {
    "Software developer": ("Engineering", ["Python", "PostgreSQL", "Kubernetes"], 98_000),
    "Data engineer": ("Engineering", ["SQL", "Spark", "Airflow"], 105_000),
    "Electrical engineer": ("Engineering", ["PLC programming", "SCADA", "AutoCAD"], 88_000),
    "Account manager": ("Sales", ["Negotiation", "Salesforce", "Forecasting"], 72_000),
    "Operations manager": ("Operations", ["Lean", "Budgeting", "SAP"], 91_000),
    "Nurse responsible for general care": ("Care", ["Triage", "Intensive care", "Patient records"], 68_000),
    "Financial analyst": ("Finance", ["Excel", "Financial modelling", "Power BI"], 77_000),
    "Recruitment consultant": ("People", ["Recruitment", "Negotiation"], 58_000),
}
ENGINEERING = [
    {"name": "Applied"},
    {"name": "Screening"},
    {"name": "Technical task"},
    {"name": "Interview"},
    {"name": "Offer"},
    {"name": "Hired", "outcome": StageOutcome.HIRED},
    {"name": "Rejected", "outcome": StageOutcome.REJECTED},
    {"name": "Withdrawn", "outcome": StageOutcome.WITHDRAWN},
]
REASONS = ["Lacks a required skill", "Salary too high", "Another candidate fits better", "Did not answer"]
SOURCES = ["Job board", "Careers page", "Referral", "LinkedIn", "Agency"]
PLACES = [("Chicago", "IL"), ("Austin", "TX"), ("Denver", "CO"), ("Boston", "MA")]
# How many jobs and applications.
NUMBERS = {"acme": (8, 160), "globex": (2, 12)}
GIVE_UP = 0.32


def load_hiring(organization: Organization) -> None:
    """Make jobs and applications, unless there are some."""
    if organization.slug not in NUMBERS:
        return
    with organization_scope(organization.pk):
        if JobOpening.objects.exists():
            return
        members = Membership.objects.filter(organization=organization, is_active=True)
        people = list(members.order_by("role", "id").values_list("user_id", flat=True))
        admin = members.filter(role=Role.ADMIN)[0].user_id
        principal = principal_of_member(admin, organization.pk)
        assert principal is not None  # noqa: S101 - the demo's own member
        draw = random.Random(f"hiring {organization.slug}")  # noqa: S311 - repeatable on purpose
        with acting(Actor(user_id=admin, door="demo")):
            update_settings(is_careers_page_on=True)
            create_process(name="Hiring", is_default=True)
            create_process(name="Engineering", family="Engineering", stages=ENGINEERING)
            reasons = [create_reason(name=name, message=_letter()) for name in REASONS]
            number, applications = NUMBERS[organization.slug]
            jobs = [_job(draw, title, principal, people) for title in list(JOBS)[:number]]
            _apply(draw, jobs, reasons, applications)
            _offer(principal)
            hotlist = save_hotlist(Hotlist(), name="Ready to start", assigned_to_id=admin)
            for profile in CandidateProfile.objects.select_related("contact")[:5]:
                put_on_hotlist(hotlist=hotlist, contact=profile.contact, note="Available within a month")


def _offer(principal: Principal) -> None:
    """Draft an offer for those who came that far; every other one waits for approval."""
    waiting = Application.objects.open().filter(stage__name="Offer").select_related("job").order_by("applied_at", "id")
    for place, application in enumerate(waiting[:8]):
        salary = Salary(application.job.salary_min, "USD", "year").to_text()
        starts = (timezone.now() + timedelta(days=45)).date()
        offer = create_offer(application=application, salary=salary, starts_on=starts, terms="Four weeks' notice.")
        if place % 2:
            change_offer_status(offer=offer, principal=principal, status=OfferStatus.PENDING)


def _letter() -> str:
    return "Dear {firstName},\n\nthank you for applying as {jobTitle}. We have decided for somebody else this time."


def _job(draw: random.Random, title: str, principal: Any, people: list[Any]) -> JobOpening:
    family, skills, salary = JOBS[title]
    city, state = draw.choice(PLACES)
    clients = list(Client.objects.alive().order_by("name").values_list("pk", flat=True)[:20])
    job = create_job(
        principal=principal,
        title=title,
        status=OpeningStatus.OPEN,
        family=family,
        department=family,
        description=f"We look for {'an' if title[0] in 'AEIOU' else 'a'} {title.lower()} who likes to see what comes of their work.",
        requirements="\n".join(f"- {skill}" for skill in skills),
        city=city,
        state=state,
        country="US",
        salary_min=Decimal(salary * 9 // 10),
        salary_max=Decimal(salary * 11 // 10),
        currency="USD",
        is_salary_public=True,
        openings=draw.randint(1, 3),
        is_public=True,
        client_id=draw.choice(clients) if clients and draw.random() < 0.5 else None,
        assigned_to_id=draw.choice(people),
        skills=[{"name": name, "level": draw.randint(3, 5)} for name in skills],
        team=[{"user_id": user_id, "role": "interviewer"} for user_id in people[:2]],
    )
    opened = timezone.now() - timedelta(days=draw.randint(60, 170))
    JobOpening.objects.filter(pk=job.pk).update(opened_at=opened, created_at=opened)
    job.opened_at = opened
    return job


def _apply(draw: random.Random, jobs: list[JobOpening], reasons: list[RejectionReason], number: int) -> None:
    """Let candidates apply and go as far as they come; the triggers write the events as of then."""
    ids = list(CandidateProfile.objects.order_by("id").values_list("contact_id", flat=True))
    people = {row.pk: row for row in Contact.objects.filter(pk__in=ids).defer("search")}
    stages = {job.pk: stages_of(job.process_id) for job in jobs}
    hires: dict[Any, int] = {}
    pairs = {(draw.choice(ids), draw.choice(jobs)) for _ in range(number * 2)}
    for contact_id, job in sorted(pairs, key=lambda pair: (str(pair[0]), str(pair[1].pk)))[:number]:
        steps = [stage for stage in stages[job.pk] if stage.outcome == StageOutcome.OPEN]
        assert job.opened_at is not None  # noqa: S101 - made open
        at = job.opened_at + timedelta(hours=draw.randint(1, 24 * 45))
        application = Application(
            job=job,
            contact=people[contact_id],
            stage=steps[0],
            source=draw.choice(SOURCES),
            rating=draw.choice([None, 2, 3, 4, 5]),
            assigned_to_id=job.assigned_to_id,
            applied_at=at,
            stage_entered_at=at,
        )
        application.save(force_insert=True)
        _go_on(draw, application, stages[job.pk], steps, reasons, hires)


def _go_on(
    draw: random.Random,
    application: Application,
    stages: list[ApplicationStage],
    steps: list[ApplicationStage],
    reasons: list[RejectionReason],
    hires: dict[Any, int],
) -> None:
    by_outcome = {stage.outcome: stage for stage in stages if stage.outcome != StageOutcome.OPEN}
    at, job = application.stage_entered_at, application.job
    for place in range(1, len(steps) + 1):
        at += timedelta(hours=draw.randint(20, 24 * 12))
        if at > timezone.now():
            return None
        fate = draw.random()
        if fate < GIVE_UP:
            application.rejection_reason = draw.choice(reasons)
            return _enter(application, by_outcome[StageOutcome.REJECTED], at)
        if fate < GIVE_UP + 0.06:
            return _enter(application, by_outcome[StageOutcome.WITHDRAWN], at)
        if place < len(steps):
            _enter(application, steps[place], at)
            if steps[place].name == "Interview":
                _interview(draw, application, at)
        elif hires.get(job.pk, 0) < job.openings - 1:
            hires[job.pk] = hires.get(job.pk, 0) + 1
            _enter(application, by_outcome[StageOutcome.HIRED], at)
            starts = (at + timedelta(days=30)).date()
            Placement.objects.create(
                application=application,
                contact_id=application.contact_id,
                job=job,
                client_id=job.client_id,
                starts_on=starts,
                fee=Decimal(draw.randint(8, 20) * 1_000) if job.client_id else Decimal(0),
                currency="USD",
                assigned_to_id=job.assigned_to_id,
            )
    return None


def _enter(application: Application, stage: ApplicationStage, at: Any) -> None:
    application.stage, application.stage_entered_at = stage, at
    application.moved_by_id = application.assigned_to_id
    application.save(update_fields=["stage", "stage_entered_at", "moved_by", "rejection_reason"])
    Application.objects.filter(pk=application.pk).update(version=F("version") + 1)


def _interview(draw: random.Random, application: Application, at: Any) -> None:
    starts = (at + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    is_over = starts < timezone.now()
    Interview.objects.create(
        application=application,
        kind=draw.choice(InterviewKind.values),
        title="First interview",
        status="completed" if is_over else "scheduled",
        starts_at=starts,
        ends_at=starts + timedelta(hours=1),
        timezone="America/Chicago",
        criteria=["Skills", "Working together"],
        created_by_id=application.assigned_to_id,
    )
