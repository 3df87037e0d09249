"""Take in CVs: keep the file, read it, propose what it says; a person accepts."""

import hashlib
import re
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from contacts.models import Contact
from contacts.services.contacts import create_contact
from contacts.services.profiles import Action, log_profile_change
from recruitment.cv.proposals import propose
from recruitment.cv.reader import CvReader, Reading
from recruitment.cv.skills import dictionary, own
from recruitment.models import CandidateFile, CandidateProfile, CandidateSkill, Cv, CvStatus, DiscardedFile
from recruitment.models.skills import fold
from recruitment.services.files import MAX_FILE_BYTES, clean_name, detect_document
from recruitment.services.profiles import KIND, create_candidate_profile, update_candidate_profile
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import Conflict, Invalid, TooLarge
from vocelio.jobs.services import forget_task
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import current_organization_id, organization_scope

LINKS = {"linkedinUrl": "linkedin_url", "portfolioUrl": "portfolio_url"}


class CvRefused(Invalid):
    """The file is not taken in: `reason` is why, in a word."""

    code = "CV_REFUSED"


class CvDone(Conflict):
    code = "CV_DONE"
    message = "This CV was accepted already, or refused."


def check_cv(content: bytes) -> str:
    """Return `pdf` or `docx` by what the file holds; raise TooLarge or NotADocument."""
    if len(content) > MAX_FILE_BYTES:
        raise TooLarge("The file is larger than 10 MB.")
    return detect_document(ContentFile(content))


def read_cv(reader: CvReader, content: bytes, kind: str) -> Reading:
    """Return what the file says, read in a child of limited memory and time; call it outside any transaction."""
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as copy:
        copy.write(content)
        copy.flush()
        return reader.read(copy.name, kind)


def take_in(*, file: "File[bytes]") -> Cv:
    """Take in one CV; raise CvRefused, TooLarge or NotADocument for what is none."""
    if file.size > MAX_FILE_BYTES:
        raise TooLarge("The file is larger than 10 MB.")
    content = file.read()
    kind = check_cv(content)
    with CvReader() as reader:
        reading = read_cv(reader, content, kind)
    if reading.error:
        raise CvRefused(
            reading.message,
            errors=[{"field": "file", "value": None, "constraint": reading.error, "message": reading.message}],
            reason=reading.error,
        )
    cv = store_cv(name=file.name or "", content=content, kind=kind, reading=reading)
    record("cv.taken_in", "cv", cv.pk)
    return cv


def read_candidate_file(*, organization_id: uuid.UUID, file_id: uuid.UUID) -> None:
    """Propose what a document of a candidate says; called again for a content read before, it does nothing."""
    with organization_scope(organization_id):
        file = CandidateFile.objects.filter(pk=file_id).first()
    content, reading = b"", Reading(error="UNREADABLE", message="The file is no longer in the storage.")
    if file is not None:
        with suppress(FileNotFoundError), default_storage.open(file.file) as stored, CvReader() as reader:
            content = stored.read()
            reading = read_cv(reader, content, file.kind)
    with organization_scope(organization_id):
        file = CandidateFile.objects.filter(pk=file_id).select_related("profile").first()
        forget_task(file_id)
        if file is None:
            return
        # Two deliveries of the task take turns.
        CandidateProfile.objects.select_for_update(of=("self",), no_key=True).get(pk=file.profile_id)
        if not Cv.objects.filter(profile=file.profile, sha256=file.sha256).exists():
            store_cv(
                name=file.filename,
                content=content,
                kind=file.kind,
                reading=reading,
                profile=file.profile,
                is_file_kept=False,
            )


def store_cv(
    *,
    name: str,
    content: bytes,
    kind: str,
    reading: Reading,
    profile: CandidateProfile | None = None,
    known_skills: dict[str, str] | None = None,
    is_file_kept: bool = True,
    **fields: Any,
) -> Cv:
    """Keep a CV with what was read in it; without its file when that is the candidate's already, or refused."""
    cv = Cv(
        id=uuid7(),
        filename=clean_name(name, kind) if kind else Path(name).name[:255],
        kind=kind,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        profile=profile,
        contact_id=profile.contact_id if profile else None,
        created_by_id=current_actor().user_id,
        **fields,
    )
    if reading.error:
        cv.status, cv.error_code, cv.error_message = CvStatus.REFUSED, reading.error, reading.message[:300]
    else:
        cv.text = reading.text
        cv.proposals = propose(reading.text, region=_region(), dictionary=known_skills or dictionary(own().items()))
        if profile is None:
            cv.contact = _known(cv.proposals)
        if is_file_kept:
            path = f"candidates/{current_organization_id()}/{cv.pk}.{kind}"
            cv.file = default_storage.save(path, ContentFile(content))
    cv.save(force_insert=True)
    return cv


def accept_cv(
    *, cv: Cv, principal: Principal, contact_id: uuid.UUID | None = None, values: dict[str, Any]
) -> CandidateProfile:
    """Make what a person accepted of a CV the candidate's: `values` by field, as they stand after looking at them.

    The contact is the one named, else the one that has the accepted e-mail address or phone, else a new one.
    """
    cv = Cv.objects.select_for_update(of=("self",)).get(pk=cv.pk)
    if cv.status != CvStatus.PARSED:
        raise CvDone
    contact = _contact(cv, principal, contact_id, values)
    profile = cv.profile or CandidateProfile.objects.filter(contact=contact).order_by("-is_primary").first()
    if profile is None:
        profile = create_candidate_profile(contact=contact, source="CV")
    fields = {column: values[name] for name, column in LINKS.items() if values.get(name)}
    if values.get("yearsOfExperience") is not None:
        fields["years_of_experience"] = values["yearsOfExperience"]
    update_candidate_profile(profile=profile, skills=_merged_skills(profile, values.get("skills") or []), **fields)
    if cv.file:
        CandidateFile.objects.create(
            profile=profile,
            filename=cv.filename,
            kind=cv.kind,
            size=cv.size,
            sha256=cv.sha256,
            file=cv.file,
            created_by_id=current_actor().user_id,
        )
        log_profile_change(kind=KIND, profile=profile, action=Action.FILE_ADDED, changed=["files"])
    Cv.objects.filter(pk=cv.pk).update(status=CvStatus.ACCEPTED, file="", contact=contact, profile=profile)
    record("cv.accepted", "cv", cv.pk, fields=sorted(values), profileId=str(profile.pk))
    accepted: CandidateProfile = profile
    return accepted


def delete_cv(*, cv: Cv) -> None:
    """Forget a CV that nobody accepted, or what was read in one."""
    cv_id = cv.pk
    cv.delete()
    record("cv.deleted", "cv", cv_id)


def discard_file(path: str) -> None:
    """Let the storage lose a file that no row needs any more."""
    DiscardedFile.objects.create(file=path)


def find_person(*, email: str, phone: str | None) -> Contact | None:
    """Return the contact outside the trash with this address, else with this number."""
    people = Contact.objects.alive().defer("search").order_by("created_at", "id")
    found: Contact | None = people.filter(email=email.lower()).first() if email else None
    return found or (people.filter(phone=phone).first() if phone else None)


def _known(proposals: dict[str, Any]) -> Contact | None:
    return find_person(email=proposals.get("email", {}).get("value", ""), phone=proposals.get("phone", {}).get("value"))


def _contact(cv: Cv, principal: Principal, contact_id: uuid.UUID | None, values: dict[str, Any]) -> Contact:
    if cv.profile is not None:
        return Contact.objects.defer("search").get(pk=cv.profile.contact_id)  # type: ignore[no-any-return]
    visible = Contact.objects.alive().visible_to(principal).defer("search")
    if contact_id is not None:
        chosen: Contact | None = visible.filter(pk=contact_id).first()
        if chosen is None:
            raise Invalid.field("contactId", "There is no such contact.", constraint="does_not_exist")
        return chosen
    known = find_person(email=values.get("email", ""), phone=values.get("phone"))
    if known is not None and visible.filter(pk=known.pk).exists():
        return known
    return create_contact(
        principal=principal,
        first_name=values.get("firstName", ""),
        last_name=values.get("lastName", ""),
        email=values.get("email", ""),
        phone=values.get("phone") or None,
        source="CV",
    )


def _merged_skills(profile: CandidateProfile, names: list[str]) -> list[dict[str, Any]] | None:
    """Return the profile's skills with the accepted ones after them; None when there are no new ones."""
    rows = list(CandidateSkill.objects.filter(profile=profile))
    known = {row.folded for row in rows}
    new = {fold(name): name for name in names if fold(name) not in known}
    if not new:
        return None
    kept = [{"name": row.name, "level": row.level, "years": row.years} for row in rows]
    return [*kept, *({"name": re.sub(r"\s+", " ", name.strip())[:100]} for name in new.values())][:200]


def _region() -> str:
    return Organization.objects.values_list("default_region", flat=True).get(pk=current_organization_id())
