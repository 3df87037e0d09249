"""The demo's candidates: some work at clients, some buy as well, some have a CV."""

import io
import random
import zipfile
from datetime import timedelta
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from django.core.files.base import ContentFile
from django.utils import timezone

from contacts.models import ClientContact, Contact
from recruitment.models import CandidateProfile, CandidateSkill, JobSearch, RemotePreference
from recruitment.models.profiles import Salary
from recruitment.models.skills import fold
from recruitment.services.files import add_file
from recruitment.services.profiles import create_candidate_profile, update_candidate_profile
from vocelio.access.principal import principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

# So many work at clients, so many anywhere.
NUMBER = {"acme": (60, 140), "globex": (20, 40)}
# So many are made one by one, as people do, with a CV each.
BY_HAND = 6
TRADES = {
    "Software Engineer": ["Python", "PostgreSQL", "Kubernetes", "TypeScript", "AWS"],
    "Data Engineer": ["SQL", "Python", "Spark", "Airflow", "dbt"],
    "Controls Engineer": ["PLC programming", "SCADA", "AutoCAD", "Electrical design"],
    "Account Executive": ["Negotiation", "Salesforce", "Forecasting", "Cold calling"],
    "Operations Manager": ["Lean", "Six Sigma", "Budgeting", "SAP"],
    "Registered Nurse": ["Intensive care", "Triage", "Patient records"],
    "Finance Analyst": ["Excel", "Financial modelling", "SAP", "Power BI"],
}
CITIES = [("Chicago", "IL"), ("Austin", "TX"), ("Denver", "CO"), ("Boston", "MA"), ("Seattle", "WA"), ("Atlanta", "GA")]
UNIVERSITIES = ["State University", "Institute of Technology", "Community College"]
PACKAGE = {
    "[Content_Types].xml": '<?xml version="1.0" encoding="UTF-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Target="word/document.xml" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>',
}


def load_profiles(organization: Organization) -> None:
    """Make candidate profiles, unless there are some."""
    with organization_scope(organization.pk):
        if organization.slug not in NUMBER or CandidateProfile.objects.exists():
            return
    admin = Membership.objects.get(organization=organization, role=Role.ADMIN).user_id
    draw = random.Random(f"recruitment {organization.slug}")  # noqa: S311 - repeatable on purpose
    with acting(Actor(user_id=admin, door="demo")), organization_scope(organization.pk):
        principal = principal_of_member(admin, organization.pk)
        assert principal is not None  # noqa: S101 - the demo's own member
        people = chosen(draw, organization.slug)
        for contact in people[:BY_HAND]:
            fields, skills = fields_of(draw, contact)
            profile = create_candidate_profile(contact=contact, principal=principal, skills=skills, **fields)
            add_file(profile=profile, file=ContentFile(word(cv(contact, profile)), f"CV {contact}.docx"))
            update_candidate_profile(profile=profile, job_search=JobSearch.ACTIVE)
        made = [(contact, *fields_of(draw, contact)) for contact in people[BY_HAND:]]
        profiles = CandidateProfile.objects.bulk_create(
            [
                CandidateProfile(contact=contact, is_primary=True, created_by_id=admin, **fields)
                for contact, fields, _ in made
            ]
        )
        CandidateSkill.objects.bulk_create(
            [
                CandidateSkill(profile=profile, folded=fold(skill["name"]), **skill)
                for profile, (_, _, skills) in zip(profiles, made, strict=True)
                for skill in skills
            ]
        )


def chosen(draw: random.Random, slug: str) -> list[Contact]:
    """Return people of clients, then others."""
    at_clients, anywhere = NUMBER[slug]
    relations = ClientContact.objects.current().order_by("contact_id", "id").distinct("contact_id")
    ids = draw.sample(list(relations.values_list("contact_id", flat=True)), at_clients)
    others = Contact.objects.alive().exclude(pk__in=ids).order_by("-created_at", "-id")
    ids += draw.sample(list(others.values_list("pk", flat=True)[: anywhere * 10]), anywhere)
    found = {contact.pk: contact for contact in Contact.objects.filter(pk__in=ids).defer("search")}
    return [found[contact_id] for contact_id in ids]


def fields_of(draw: random.Random, contact: Contact) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a recruiter would have noted, and the skills."""
    trade = draw.choice(list(TRADES))
    years, now = draw.randint(1, 24), timezone.now()
    city, state = draw.choice(CITIES)
    wants = draw.randint(55, 190) * 1_000
    changed = now.year - max(1, years // 2)
    fields = {
        "headline": f"{'Senior ' if years > 8 else ''}{trade}, {years} {'year' if years == 1 else 'years'}",
        "job_search": draw.choices(JobSearch.values, [30, 35, 28, 7])[0],
        "years_of_experience": years,
        "experience": [
            {"company": contact.company or "Self-employed", "title": trade, "since": f"{changed}-03"},
            {"company": "Earlier employer", "title": trade, "since": str(now.year - years), "until": f"{changed}-02"},
        ],
        "education": [
            {"institution": draw.choice(UNIVERSITIES), "degree": "BSc", "until": str(now.year - years)},
        ],
        "languages": [
            {"language": "en", "level": "native"},
            {"language": "es", "level": draw.choice(["A2", "B2", "C1"])},
        ],
        "desired_salary": Salary(Decimal(wants), "USD", "year").to_text(),
        "current_salary": Salary(Decimal(wants * 9 // 10), "USD", "year").to_text() if draw.random() < 0.5 else "",
        "city": city,
        "state": state,
        "country": "US",
        "remote_preference": draw.choice(RemotePreference.values),
        "will_relocate": draw.random() < 0.3,
        "notice_period_days": draw.choice([0, 14, 30, 60]),
        "available_on": (now + timedelta(days=draw.randint(5, 120))).date(),
        "work_authorization": [{"country": "US", "basis": draw.choice(["citizen", "permanent"])}],
        "source": draw.choice(["Job board", "Referral", "LinkedIn"]),
    }
    names = draw.sample(TRADES[trade], draw.randint(2, len(TRADES[trade])))
    skills = [{"name": name, "level": draw.randint(2, 5), "years": draw.randint(1, years)} for name in names]
    return fields, skills


def cv(contact: Contact, profile: CandidateProfile) -> list[str]:
    """Return the lines of a short CV."""
    jobs = [f"{job['since']}: {job['title']}, {job['company']}" for job in profile.experience]
    return [str(contact), profile.headline, *jobs]


def word(lines: list[str]) -> bytes:
    """Return a document as Word opens it."""
    text = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in lines)
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body>{text}</w:body></w:document>"
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in {**PACKAGE, "word/document.xml": document}.items():
            archive.writestr(name, part)
    return content.getvalue()
