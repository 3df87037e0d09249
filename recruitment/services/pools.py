"""Submissions to clients, hotlists, and claims on candidates."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from contacts.models import Client, Contact
from contacts.services.contacts import check_assignee
from recruitment.models import Application, CandidateClaim, Hotlist, HotlistEntry, Submission, SubmissionStatus
from recruitment.services.processes import save_named
from recruitment.services.settings import own_settings
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden, Invalid, NotFound

DECIDED = (SubmissionStatus.ACCEPTED, SubmissionStatus.REJECTED, SubmissionStatus.WITHDRAWN)


class SubmittedAlready(Conflict):
    code = "SUBMITTED_ALREADY"
    message = "The client has this candidate for this job already."


class HotlistExists(Conflict):
    code = "HOTLIST_EXISTS"
    message = "There is already a hotlist of this name."


class ClaimedByOther(Conflict):
    """Another recruiter's window is open; `until` says for how long."""

    code = "CLAIMED"
    message = "Another recruiter works with this candidate."


def create_submission(*, application: Application, principal: Principal, **fields: Any) -> Submission:
    """Show a candidate to a client, the job's unless given; raise ClaimedByOther while they are somebody else's."""
    check_claim(application.contact_id, principal)
    client_id = fields.pop("client_id", None) or application.job.client_id
    if client_id is None or not Client.objects.alive().visible_to(principal).filter(pk=client_id).exists():
        raise Invalid.field("clientId", "Say to which client.", constraint="does_not_exist")
    recipient = fields.get("recipient_id")
    if recipient and not Contact.objects.alive().visible_to(principal).filter(pk=recipient).exists():
        raise Invalid.field("recipientId", "There is no such contact.", constraint="does_not_exist")
    submission = Submission(
        application=application, client_id=client_id, created_by_id=current_actor().user_id, **fields
    )
    try:
        with transaction.atomic():
            submission.save(force_insert=True)
    except IntegrityError as error:
        if "submitted_once_to_client" not in str(error):
            raise
        raise SubmittedAlready from None
    record("submission.created", "submission", submission.pk, applicationId=str(application.pk))
    return submission


def update_submission(*, submission: Submission, **fields: Any) -> Submission:
    """Change a submission; when it is decided follows from its status."""
    for name, value in fields.items():
        setattr(submission, name, value)
    if "status" in fields:
        submission.decided_at = timezone.now() if submission.status in DECIDED else None
    submission.save()
    record("submission.updated", "submission", submission.pk, fields=sorted(fields))
    return submission


def save_hotlist(hotlist: Hotlist, **fields: Any) -> Hotlist:
    """Create or change a hotlist."""
    action = "created" if hotlist._state.adding else "updated"
    for name, value in fields.items():
        setattr(hotlist, name, value)
    check_assignee(hotlist, fields)
    save_named(hotlist, {"one_hotlist_per_name": HotlistExists})
    record(f"hotlist.{action}", "hotlist", hotlist.pk, fields=sorted(fields))
    return hotlist


def delete_hotlist(*, hotlist: Hotlist) -> None:
    """Delete the hotlist; the candidates stay."""
    hotlist_id = hotlist.pk
    hotlist.delete()
    record("hotlist.deleted", "hotlist", hotlist_id)


def put_on_hotlist(*, hotlist: Hotlist, contact: Contact, note: str = "") -> HotlistEntry:
    """Put a candidate on a hotlist; there already, the note changes."""
    entry, _ = HotlistEntry.objects.update_or_create(
        hotlist=hotlist,
        contact=contact,
        defaults={"note": note},
        create_defaults={"note": note, "created_by_id": current_actor().user_id},
    )
    record("hotlist.candidate_added", "hotlist", hotlist.pk, contactId=str(contact.pk))
    result: HotlistEntry = entry
    return result


def take_off_hotlist(*, hotlist: Hotlist, contact_id: uuid.UUID) -> None:
    """Take a candidate off a hotlist; raise NotFound for one who is not on it."""
    if not HotlistEntry.objects.filter(hotlist=hotlist, contact_id=contact_id).delete()[0]:
        raise NotFound
    record("hotlist.candidate_removed", "hotlist", hotlist.pk, contactId=str(contact_id))


def claim(*, contact: Contact, principal: Principal, note: str = "") -> CandidateClaim:
    """Make the candidate the caller's for the organization's window, or begin it anew; raise ClaimedByOther."""
    check_claim(contact.pk, principal)
    until = timezone.now() + timedelta(days=own_settings().ownership_days)
    made, _ = CandidateClaim.objects.update_or_create(
        contact=contact, defaults={"user_id": principal.user_id, "until": until, "note": note}
    )
    record("candidate.claimed", "candidateclaim", made.pk, contactId=str(contact.pk))
    result: CandidateClaim = made
    return result


def release(*, contact: Contact, principal: Principal) -> None:
    """Give a candidate free; somebody else's only with the right to manage recruitment."""
    found = CandidateClaim.objects.filter(contact=contact).first()
    if found is None:
        raise NotFound
    if found.user_id != principal.user_id and not principal.may("recruitment:manage"):
        raise Forbidden("Only the recruiter, or who manages recruitment, gives them free.")
    claim_id = found.pk
    found.delete()
    record("candidate.released", "candidateclaim", claim_id, contactId=str(contact.pk))


def check_claim(contact_id: uuid.UUID, principal: Principal) -> None:
    """Raise ClaimedByOther while another recruiter's window is open."""
    found = CandidateClaim.objects.select_for_update(of=("self",)).filter(contact_id=contact_id).first()
    if found is not None and found.user_id != principal.user_id and found.until > timezone.now():
        raise ClaimedByOther(until=found.until.isoformat(), ownerId=str(found.user_id))
