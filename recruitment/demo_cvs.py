"""The demo's newest applicants: people with whole CVs, whose files are read when the demo runs."""

import csv
import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from contacts.models import Contact
from contacts.services.contacts import create_contact
from recruitment.demo_profiles import word
from recruitment.models import Application, CandidateProfile, JobOpening, JobSearch, StageOutcome
from recruitment.services.files import add_file
from recruitment.services.processes import stages_of
from recruitment.services.profiles import create_candidate_profile
from vocelio.access.principal import Principal, principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

CVS = Path(__file__).parent / "demo_data" / "resumes.csv"
# How many of them come to whom.
NUMBERS = {"acme": 30, "globex": 8}
# What they call themselves, and the job they apply to.
TRADES = {
    "Data Engineering": ("Data engineer", "Data engineer"),
    "Data Science": ("Data scientist", "Data engineer"),
    "Web Development": ("Web developer", "Software developer"),
    "DevOps": ("DevOps engineer", "Software developer"),
    "Android Development": ("Android developer", "Software developer"),
    "HR": ("HR generalist", "Recruitment consultant"),
}


def load_cvs(organization: Organization) -> None:
    """Let people with CVs apply to the demo's jobs, unless some have."""
    if organization.slug not in NUMBERS:
        return
    with CVS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[: NUMBERS[organization.slug]]
    with organization_scope(organization.pk):
        if Contact.objects.filter(email__in=[email_of(row) for row in rows]).exists():
            return
        admin = Membership.objects.get(organization=organization, role=Role.ADMIN).user_id
        principal = principal_of_member(admin, organization.pk)
        assert principal is not None  # noqa: S101 - the demo's own member
        draw = random.Random(f"cvs {organization.slug}")  # noqa: S311 - repeatable on purpose
        jobs = {job.title: job for job in JobOpening.objects.alive()}
        with acting(Actor(user_id=admin, door="demo")):
            for row in rows:
                profile = make_profile(row, principal)
                add_file(profile=profile, file=ContentFile(word(row["text"].splitlines()), f"CV {row['name']}.docx"))
                if job := jobs.get(TRADES[row["category"]][1]):
                    apply(draw, profile, job)


def make_profile(row: dict[str, str], principal: Principal) -> CandidateProfile:
    """Return the candidate a CV tells of, as a recruiter would have noted it."""
    first, _, last = row["name"].partition(" ")
    contact = create_contact(
        principal=principal, first_name=first, last_name=last, email=email_of(row), phone=None, source="Careers page"
    )
    degree, place = re.search(r"EDUCATION\n(.+?) — (.+?) \(", row["text"]), re.search(r"Location: (.+)", row["text"])
    names: list[Any] = row["skills"].split(", ")
    return create_candidate_profile(
        contact=contact,
        principal=principal,
        headline=f"{TRADES[row['category']][0]}, {row['years']} years",
        job_search=JobSearch.ACTIVE,
        years_of_experience=int(row["years"]),
        education=[{"institution": degree[2], "degree": degree[1]}] if degree else [],
        city=place[1] if place else "",
        source="Careers page",
        skills=[{"name": name} for name in names],
    )


def apply(draw: random.Random, profile: CandidateProfile, job: JobOpening) -> None:
    """Let the candidate apply within the last days, and stand among the first open stages."""
    stages = [stage for stage in stages_of(job.process_id) if stage.outcome == StageOutcome.OPEN]
    at = timezone.now() - timedelta(hours=draw.randint(2, 24 * 12))
    Application.objects.create(
        job=job,
        contact=profile.contact,
        stage=draw.choices(stages[:3], [6, 3, 1])[0],
        source="Careers page",
        assigned_to_id=job.assigned_to_id,
        applied_at=at,
        stage_entered_at=at,
    )


def email_of(row: dict[str, str]) -> str:
    found = re.search(r"Email: (\S+)", row["text"])
    assert found is not None  # noqa: S101 - every row has one
    return found[1]
