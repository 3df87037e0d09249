"""How long candidates are kept: the clock, the request to renew, and anonymisation that keeps the figures."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Exists, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from contacts.models import ClientContact, Contact, ContactProfile
from contacts.services.erasures import erase_contact
from recruitment.models import (
    Application,
    CandidateClaim,
    CandidateConsent,
    CandidateProfile,
    ConsentKind,
    Cv,
    HotlistEntry,
    Offer,
    Placement,
    PlacementStatus,
    RenewalRequest,
    StageOutcome,
)
from recruitment.services.careers import give_consent
from recruitment.services.profiles import KIND
from recruitment.services.settings import own_settings
from vocelio.audit.services import record
from vocelio.errors import NotFound
from vocelio.jobs.services import forget_task, promise_task
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope
from vocelio.users.tokens import hash_secret, make_secret

BATCH = 200
MAIL_TASK = "recruitment.tasks.mail_renewal"
DAYS_A_MONTH = 365.25 / 12


def due_candidates(before: datetime) -> Any:
    """Return the contacts who are candidates and of whom nothing was heard since the moment.

    What counts is the newest of: the profile, a consent, a step of an application. Whoever has an open application,
    or is placed, is kept.
    """
    profiles = CandidateProfile.objects.filter(contact_id=OuterRef("pk")).order_by().values("contact_id")
    applications = Application.objects.filter(contact_id=OuterRef("pk")).order_by().values("contact_id")
    consents = CandidateConsent.objects.filter(contact_id=OuterRef("pk")).order_by().values("contact_id")
    seen = Subquery(profiles.annotate(at=Max("created_at")).values("at"))
    heard = Greatest(
        seen,
        Coalesce(Subquery(applications.annotate(at=Max("stage_entered_at")).values("at")), seen),
        Coalesce(Subquery(consents.annotate(at=Max("given_at")).values("at")), seen),
    )
    open_applications = Application.objects.filter(contact_id=OuterRef("pk"), status=StageOutcome.OPEN)
    placed = Placement.objects.filter(
        contact_id=OuterRef("pk"), status__in=[PlacementStatus.PLANNED, PlacementStatus.STARTED]
    )
    people = Contact.objects.alive().filter(Exists(CandidateProfile.objects.filter(contact_id=OuterRef("pk"))))
    return (
        people.annotate(heard=heard)
        .filter(heard__lt=before)
        .exclude(Exists(open_applications))
        .exclude(Exists(placed))
        .defer("search")
        .order_by("pk")
    )


def keep_clock() -> int:
    """Ask whose time is nearly over whether they may be kept, and anonymise whose time is over; return how many."""
    chosen = own_settings()
    if chosen.retention_months is None:
        return 0
    kept = timedelta(days=chosen.retention_months * DAYS_A_MONTH)
    notice = timedelta(days=chosen.renewal_days)
    now = timezone.now()
    asked = RenewalRequest.objects.filter(contact_id=OuterRef("pk"))
    to_ask = due_candidates(now - kept + notice).exclude(Exists(asked))[:BATCH]
    done = 0
    for contact in to_ask:
        _ask(contact, due_at=now + notice)
        done += 1
    over = due_candidates(now - kept).filter(Exists(asked.filter(due_at__lt=now)))[:BATCH]
    for contact in over:
        anonymise(contact=contact)
        done += 1
    return done


def answer_renewal(*, token: str, keep: bool) -> str:
    """Keep the candidate anew, or anonymise them at once; return what to tell. Raise NotFound for a spent token."""
    organization_id, secret = _parted(token)
    with organization_scope(organization_id):
        found = find_renewal(secret)
        contact = Contact.objects.defer("search").get(pk=found.contact_id)
        if keep:
            give_consent(contact, kind=ConsentKind.RENEWAL, text=own_settings().consent_text)
            RenewalRequest.objects.filter(pk=found.pk).delete()
            return "Thank you. We keep your data."
        anonymise(contact=contact)
        return "Your application data is removed."


def find_renewal(secret: str) -> RenewalRequest:
    """Return the request of a secret, in the open scope; raise NotFound for a spent one."""
    found: RenewalRequest | None = RenewalRequest.objects.filter(token_hash=hash_secret(secret)).first()
    if found is None:
        raise NotFound
    return found


def anonymise(*, contact: Contact) -> str:
    """Forget somebody as a candidate; return what was done.

    Profile, files, CVs, applications, interviews, consents go. Offers and placements stay without the person, and so
    do the events that figures are made of. Where the contact is nothing but a candidate, it is erased altogether,
    with its certificate.
    """
    contact_id = contact.pk
    is_more = (
        ContactProfile.objects.filter(contact_id=contact_id).exclude(kind=KIND).exists()
        or ClientContact.objects.filter(contact_id=contact_id).exists()
    )
    if not is_more:
        erase_contact(contact=contact, reason="The time to keep the candidate is over.")
        record("candidate.anonymised", "contact", contact_id, isErased=True)
        return "The candidate was erased."
    Placement.objects.filter(contact_id=contact_id).update(contact=None, application=None)
    Offer.objects.filter(application__contact_id=contact_id).update(application=None, terms="")
    for model in (Application, Cv, CandidateConsent, RenewalRequest, CandidateClaim, HotlistEntry, CandidateProfile):
        model.objects.filter(contact_id=contact_id).delete()
    record("candidate.anonymised", "contact", contact_id, isErased=False)
    return "The candidate was forgotten; the contact stays for what else it is."


def mail_renewal(*, organization_id: uuid.UUID, request_id: uuid.UUID) -> None:
    """Ask a candidate by mail, once; the secret is made here, since its hash alone is stored."""
    secret, token_hash = make_secret()
    with organization_scope(organization_id):
        open_requests = RenewalRequest.objects.filter(pk=request_id, sent_at__isnull=True)
        found = open_requests.select_related("contact").defer("contact__search").first()
        open_requests.update(token_hash=token_hash)
        organization = Organization.objects.values_list("name", flat=True).get(pk=organization_id)
    if found is not None and found.contact.email:
        link = f"{settings.PUBLIC_URL}/careers/consent/{organization_id}.{secret}"
        EmailMessage(
            subject=f"{organization}: may we keep your application data?",
            body=f"Dear {found.contact.first_name or found.contact},\n\nwe keep your application data until"
            f" {found.due_at:%d %B %Y}. If we may keep it longer, tell us here:\n\n{link}\n\nWithout an answer it is"
            " removed on that day.",
            to=[found.contact.email],
        ).send()
    with organization_scope(organization_id):
        RenewalRequest.objects.filter(pk=request_id).update(sent_at=timezone.now())
        forget_task(request_id)


def _ask(contact: Contact, *, due_at: datetime) -> None:
    _, token_hash = make_secret()
    request = RenewalRequest.objects.create(contact=contact, token_hash=token_hash, due_at=due_at)
    record("candidate_consent.renewal_asked", "renewalrequest", request.pk, contactId=str(contact.pk))
    promise_task(MAIL_TASK, organization_id=request.organization_id, row_id=request.pk)


def _parted(token: str) -> tuple[uuid.UUID, str]:
    organization_id, _, secret = token.partition(".")
    try:
        return uuid.UUID(organization_id), secret
    except ValueError:
        raise NotFound from None


def renewal_page(token: str) -> dict[str, Any]:
    """Return what the page of a renewal shows; raise NotFound for a spent token."""
    organization_id, secret = _parted(token)
    with organization_scope(organization_id):
        found = find_renewal(secret)
        name = Organization.objects.values_list("name", flat=True).get(pk=organization_id)
        return {"due": found.due_at, "organization": name, "text": own_settings().consent_text}
