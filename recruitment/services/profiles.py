"""Make, change and delete candidate profiles."""

from typing import Any

from contacts.models import Contact
from contacts.services.profiles import create_profile, delete_profile, make_primary, update_profile
from recruitment.models import CandidateProfile, CandidateSkill
from recruitment.models.skills import fold
from vocelio.access.principal import Principal

KIND = "candidate"


def create_candidate_profile(
    *,
    contact: Contact,
    principal: Principal | None = None,
    is_primary: bool | None = None,
    skills: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> CandidateProfile:
    """Give the contact a candidate profile; the first is primary, later ones where asked for."""
    profile = CandidateProfile(contact=contact, **fields)
    names = [*fields, *(["skills"] if skills else [])]
    create_profile(kind=KIND, profile=profile, fields=names, is_primary=is_primary)
    _set_skills(profile, skills or [])
    return profile


def update_candidate_profile(
    *, profile: CandidateProfile, skills: list[dict[str, Any]] | None = None, **fields: Any
) -> CandidateProfile:
    """Change the given fields; `skills`, when given, become exactly the candidate's."""
    if skills is not None:
        # Two callers who set the skills of one candidate take turns.
        CandidateProfile.objects.select_for_update().get(pk=profile.pk)
        CandidateSkill.objects.filter(profile=profile).delete()
        _set_skills(profile, skills)
    update_profile(kind=KIND, profile=profile, fields=fields, also=[] if skills is None else ["skills"])
    return profile


def make_candidate_profile_primary(*, profile: CandidateProfile) -> CandidateProfile:
    """Make this the contact's primary candidate profile; raise PrimaryChanged when another became so meanwhile."""
    make_primary(kind=KIND, profile=profile)
    return profile


def delete_candidate_profile(*, profile: CandidateProfile) -> None:
    """Delete the profile with its files; the newest other one becomes primary when this one was."""
    delete_profile(kind=KIND, profile=profile)


def _set_skills(profile: CandidateProfile, skills: list[dict[str, Any]]) -> None:
    CandidateSkill.objects.bulk_create(
        [CandidateSkill(profile=profile, folded=fold(skill["name"]), **skill) for skill in skills]
    )
