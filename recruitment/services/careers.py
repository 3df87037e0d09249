"""The careers page: what strangers may read, and the applications they send.

Sending stores what was sent, and nothing else: the same work and the same answer for everybody. Whether the person is
known is found out by the task that follows.
"""

import hashlib
import uuid
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from contacts.models import Contact
from contacts.phones.numbers import Phone, normalize
from contacts.services.announcements import announce_contact
from recruitment.cv.reader import CvReader
from recruitment.models import (
    CandidateConsent,
    CandidateFile,
    CandidateProfile,
    ConsentKind,
    JobOpening,
    SentApplication,
)
from recruitment.services.applications import AlreadyApplied, JobEnded, create_application
from recruitment.services.cvs import check_cv, discard_file, find_person, read_cv, store_cv
from recruitment.services.files import MAX_FILES, clean_name
from recruitment.services.settings import own_settings
from vocelio.api.throttles import count_request
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import Invalid, NotFound, TooMany
from vocelio.jobs.services import forget_task, promise_task
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import current_organization_id, organization_scope

TASK = "recruitment.tasks.take_sent_application"
SOURCE = "Careers page"
# Applications from one address, and to one organization.
FROM_ADDRESS, TO_ORGANIZATION = (20, 3600), (2_000, 3600)


def organization_of(slug: str) -> uuid.UUID:
    """Return whose job has this address; raise NotFound for an address there is not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_of_public_job(%s)", [slug[:120]])
        found = cursor.fetchone()[0]
    if found is None:
        raise NotFound
    result: uuid.UUID = found
    return result


def public_job(slug: str) -> JobOpening:
    """Return a job strangers may see, in its organization's scope; raise NotFound for any other."""
    today = timezone.now().date()
    job: JobOpening | None = JobOpening.objects.public().filter(public_slug=slug).prefetch_related("skills").first()
    if job is None or not own_settings().is_careers_page_on or (job.apply_by and job.apply_by < today):
        raise NotFound
    if not Organization.objects.filter(pk=current_organization_id(), is_active=True).exists():
        raise NotFound
    return job


def send_application(
    *, job: JobOpening, values: dict[str, Any], consent_text: str, file: "File[bytes] | None"
) -> SentApplication:
    """Keep what a stranger sent and promise to take it in; raise Invalid for what is missing, TooMany for too much."""
    _count()
    if consent_text.strip() != own_settings().consent_text.strip():
        raise Invalid.field("consent", "Agree to the words as they are shown.", constraint="consent")
    answers = values.get("answers", {})
    keys = {question["key"] for question in job.questions}
    for question in job.questions:
        if question["isRequired"] and not str(answers.get(question["key"], "")).strip():
            raise Invalid.field(f"answers.{question['key']}", "Answer this question.", constraint="required")
    if unknown := set(answers) - keys:
        raise Invalid.field("answers", f"There is no question {min(unknown)[:40]!r}.", constraint="unknown")
    sent = SentApplication(
        id=uuid7(),
        job=job,
        values=values,
        consent_text=consent_text,
        ip_address=current_actor().ip_address,
        user_agent=current_actor().user_agent[:300],
    )
    if file is not None:
        content = file.read()
        sent.kind = check_cv(content)
        sent.filename, sent.size = clean_name(file.name or "", sent.kind), len(content)
        sent.sha256 = hashlib.sha256(content).hexdigest()
        path = f"candidates/{sent.organization_id}/{sent.pk}.{sent.kind}"
        sent.file = default_storage.save(path, ContentFile(content))
    sent.save(force_insert=True)
    record("application.sent", "jobopening", job.pk)
    promise_task(TASK, organization_id=sent.organization_id, row_id=sent.pk)
    return sent


def take_sent_application(*, organization_id: uuid.UUID, sent_id: uuid.UUID) -> None:
    """Make an application of what was sent: of the known contact, whose data stays as it is, or of a new one.

    Taken in once, however often it is called: the row goes in the same transaction.
    """
    with organization_scope(organization_id):
        sent = SentApplication.objects.filter(pk=sent_id).first()
    reading = content = None
    if sent is not None and sent.file:
        with default_storage.open(sent.file) as stored:
            content = stored.read()
        with CvReader() as reader:
            reading = read_cv(reader, content, sent.kind)
    with organization_scope(organization_id):
        sent = SentApplication.objects.select_for_update(of=("self",)).filter(pk=sent_id).select_related("job").first()
        if sent is None:
            forget_task(sent_id)
            return
        contact = _contact(sent)
        profile = _take(sent, contact)
        if sent.file and profile is not None and reading is not None and content is not None:
            if not reading.error and CandidateFile.objects.filter(profile=profile).count() < MAX_FILES:
                CandidateFile.objects.create(
                    profile=profile,
                    filename=sent.filename,
                    kind=sent.kind,
                    size=sent.size,
                    sha256=sent.sha256,
                    file=sent.file,
                )
            else:
                discard_file(sent.file)
            store_cv(
                name=sent.filename,
                content=content,
                kind=sent.kind,
                reading=reading,
                profile=profile,
                is_file_kept=False,
            )
        # Its file belongs to the candidate now, or is on its way out.
        SentApplication.objects.filter(pk=sent.pk).update(file="")
        SentApplication.objects.filter(pk=sent.pk).delete()
        forget_task(sent_id)


def give_consent(
    contact: Contact, *, kind: str, text: str, ip_address: str | None = None, user_agent: str = ""
) -> CandidateConsent:
    """Keep the proof that somebody agreed: to which words, when, from where."""
    consent = CandidateConsent.objects.create(
        contact=contact,
        kind=kind,
        text=text,
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        ip_address=ip_address,
        user_agent=user_agent,
    )
    record("candidate_consent.given", "candidateconsent", consent.pk, contactId=str(contact.pk), kind=kind)
    result: CandidateConsent = consent
    return result


def _contact(sent: SentApplication) -> Contact:
    values = sent.values
    phone = _phone(values.get("phone", ""))
    known = find_person(email=values["email"], phone=phone)
    if known is not None:
        return known
    contact = Contact(
        first_name=values["firstName"],
        last_name=values["lastName"],
        email=values["email"],
        phone=phone,
        source=SOURCE,
        assigned_to_id=sent.job.assigned_to_id,
    )
    contact.save(force_insert=True)
    record("contact.created", "contact", contact.pk, source=SOURCE)
    announce_contact("contact_created", contact, {})
    return contact


def _take(sent: SentApplication, contact: Contact) -> CandidateProfile | None:
    give_consent(
        contact,
        kind=ConsentKind.APPLICATION,
        text=sent.consent_text,
        ip_address=sent.ip_address,
        user_agent=sent.user_agent,
    )
    values = sent.values
    try:
        create_application(
            job=sent.job,
            contact=contact,
            source=values.get("source") or SOURCE,
            cover_note=values.get("coverNote", ""),
            answers=values.get("answers", {}),
        )
    except (AlreadyApplied, JobEnded) as refused:
        # They applied twice, or the job ended a moment ago; nobody is told whether it was the first.
        record("application.sent_again", "jobopening", sent.job_id, code=refused.code)
    profile: CandidateProfile | None = (
        CandidateProfile.objects.filter(contact=contact).order_by("-is_primary", "created_at").first()
    )
    return profile


def _phone(text: str) -> str | None:
    region = Organization.objects.values_list("default_region", flat=True).get(pk=current_organization_id())
    number = normalize(text, region) if text else None
    return number.e164 if isinstance(number, Phone) else None


def _count() -> None:
    """Count the attempt; raise TooMany past the limits of the address or the organization."""
    windows = [
        ("careers_from", current_actor().ip_address or "", *FROM_ADDRESS),
        ("careers_to", str(current_organization_id()), *TO_ORGANIZATION),
    ]
    for count in count_request(windows):
        if count.used > count.limit:
            raise TooMany(retry_after=count.resets_in)
