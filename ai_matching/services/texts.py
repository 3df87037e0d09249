"""The text that is embedded: one function for jobs, one for candidates, one for contacts.

What says who somebody is (name, age, sex, origin, languages, photo, address, places of study) is left out, so that it
enters no vector. The title stands apart from the body, since it is weighed apart.
"""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from ai_matching.models import Part, SubjectKind
from contacts.models import Contact
from recruitment.models import CandidateProfile, CandidateSkill, JobOpening, JobSkill
from sales.models import SalesProfile

# Of the last posts; earlier ones say less of what somebody does now.
POSTS = 6


class Text(NamedTuple):
    """What a subject is called and what it is about; either may be empty."""

    title: str
    body: str

    def part(self, part: str) -> str:
        return self.title if part == Part.TITLE else self.body


def job_text(job: JobOpening, skills: Iterable[str]) -> Text:
    """Return a job's text: its title; what is done, asked and wanted."""
    return Text(clean(job.title), joined(job.description, job.requirements, ", ".join(skills), job.department))


def candidate_text(profile: CandidateProfile, skills: Iterable[str]) -> Text:
    """Return a candidate's text: what they call themselves and their last post; summary, posts, skills, studies."""
    posts = [post for post in profile.experience[:POSTS] if isinstance(post, dict)]
    studies = [each for each in profile.education if isinstance(each, dict)]
    latest = posts[0].get("title", "") if posts else ""
    title = profile.headline if not latest or latest in profile.headline else f"{profile.headline} {latest}"
    return Text(
        clean(title),
        joined(
            profile.summary,
            *(joined(post.get("title", ""), post.get("description", "")) for post in posts),
            ", ".join(skills),
            *(joined(each.get("degree", ""), each.get("field", "")) for each in studies),
        ),
    )


def contact_text(contact: Contact, interests: str = "") -> Text:
    """Return a contact's text: their post; company, tags, notes that everybody may read, what they may buy."""
    return Text(clean(contact.title), joined(contact.company, ", ".join(contact.tags), interests, contact.notes))


def texts_of(kind: str, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Text]:
    """Return the texts of the subjects there are, in a fixed number of queries."""
    ids = list(ids)
    if kind == SubjectKind.JOB:
        skills = _names(JobSkill.objects.filter(job_id__in=ids).order_by("folded").values_list("job_id", "name"))
        return {job.pk: job_text(job, skills[job.pk]) for job in JobOpening.objects.alive().filter(pk__in=ids)}
    if kind == SubjectKind.CANDIDATE:
        rows = CandidateSkill.objects.filter(profile_id__in=ids).order_by("-level", "folded")
        skills = _names(rows.values_list("profile_id", "name"))
        profiles = CandidateProfile.objects.filter(pk__in=ids, contact__deleted_at__isnull=True)
        return {profile.pk: candidate_text(profile, skills[profile.pk]) for profile in profiles}
    wanted = SalesProfile.objects.filter(contact_id__in=ids, is_primary=True).values_list("contact_id", "interests")
    interests = dict(wanted)
    contacts = Contact.objects.alive().filter(pk__in=ids).only("title", "company", "tags", "notes")
    return {contact.pk: contact_text(contact, interests.get(contact.pk, "")) for contact in contacts}


def hash_of(text: str) -> str:
    """Return by what a text is known again."""
    return hashlib.sha256(text.encode()).hexdigest()


def clean(text: str) -> str:
    return " ".join(text.split())


def joined(*parts: str) -> str:
    return "\n".join(filter(None, map(clean, parts)))


def _names(rows: Iterable[Any]) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for owner, name in rows:
        found[owner].append(name)
    return found
