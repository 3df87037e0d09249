"""Plan interviews, invite people by iCalendar mail, and keep scorecards blind until one's own is in."""

import datetime
import uuid
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from recruitment.models import Application, Interview, Interviewer, InterviewStatus, Scorecard
from recruitment.services.announcements import announce_application
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden, Invalid
from vocelio.ical import folded, moment, text
from vocelio.jobs.services import forget_task, promise_task
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.models import Membership, Organization
from vocelio.organizations.scope import organization_scope

TASK = "recruitment.tasks.send_invitations"
# In a person's calendar.
MOST_ENTRIES = 2_000
# A change of these is told to calendars.
TOLD = {"starts_at", "ends_at", "timezone", "location", "title", "agenda", "status", "invites_candidate"}


class ScorecardFinal(Conflict):
    code = "SCORECARD_FINAL"
    message = "This scorecard was submitted and stays as it is."


def create_interview(*, application: Application, interviewers: list[uuid.UUID], **fields: Any) -> Interview:
    """Plan an interview and promise the invitations."""
    interview = Interview(application=application, created_by_id=current_actor().user_id, **fields)
    _check_times(interview)
    interview.save(force_insert=True)
    _set_interviewers(interview, interviewers)
    record("interview.created", "interview", interview.pk, applicationId=str(application.pk))
    announce_application("application_updated", application, interviewId=str(interview.pk))
    promise_task(TASK, organization_id=interview.organization_id, row_id=interview.pk)
    return interview


def update_interview(*, interview: Interview, interviewers: list[uuid.UUID] | None = None, **fields: Any) -> Interview:
    """Change an interview; who is invited hears of what their calendars must know, whoever is taken off as well."""
    interview = Interview.objects.select_for_update(of=("self",)).get(pk=interview.pk)
    changed = {name for name, value in fields.items() if getattr(interview, name) != value}
    for name, value in fields.items():
        setattr(interview, name, value)
    _check_times(interview)
    if interviewers is not None:
        before = set(Interviewer.objects.filter(interview=interview).values_list("user_id", flat=True))
        if before != set(interviewers):
            changed.add("starts_at")
            _set_interviewers(interview, interviewers)
    if changed & TOLD:
        interview.sequence += 1
    interview.save()
    record("interview.updated", "interview", interview.pk, fields=sorted(fields))
    announce_application("application_updated", interview.application, interviewId=str(interview.pk))
    if changed & TOLD and interview.status in (InterviewStatus.SCHEDULED, InterviewStatus.CANCELLED):
        promise_task(TASK, organization_id=interview.organization_id, row_id=interview.pk)
    return interview


def score(*, interview: Interview, user_id: uuid.UUID, submit: bool, **fields: Any) -> Scorecard:
    """Write one's own scorecard, and submit it for good where asked to; raise Forbidden for who does not interview."""
    if not Interviewer.objects.filter(interview=interview, user_id=user_id).exists():
        raise Forbidden("Only who interviews writes a scorecard.")
    if unknown := set(fields.get("ratings", {})) - set(interview.criteria):
        raise Invalid.field("ratings", f"There is no criterion {min(unknown)[:60]!r}.", constraint="unknown")
    card = Scorecard.objects.select_for_update(of=("self",)).filter(interview=interview, user_id=user_id).first()
    card = card or Scorecard(interview=interview, user_id=user_id)
    if card.submitted_at is not None:
        raise ScorecardFinal
    for name, value in fields.items():
        setattr(card, name, value)
    if submit:
        card.submitted_at = timezone.now()
    card.save()
    record("scorecard.submitted" if submit else "scorecard.saved", "scorecard", card.pk, interviewId=str(interview.pk))
    return card


def send_invitations(*, organization_id: uuid.UUID, interview_id: uuid.UUID) -> None:
    """Mail everybody invited what their calendars take: an invitation, a change, or a cancellation."""
    with organization_scope(organization_id):
        rows = Interview.objects.select_related("application__job", "application__contact", "created_by")
        interview = rows.filter(pk=interview_id).defer("application__contact__search").first()
        if interview is None:
            forget_task(interview_id)
            return
        users = [row.user for row in Interviewer.objects.filter(interview=interview).select_related("user")]
        mails = [_mail(interview, [user.email for user in users], for_candidate=False)] if users else []
        candidate = interview.application.contact
        if interview.invites_candidate and candidate.email and candidate.deleted_at is None:
            mails.append(_mail(interview, [candidate.email], for_candidate=True))
        if interview.status == InterviewStatus.SCHEDULED:
            notify(
                kind="interview.scheduled",
                user_ids=[user.pk for user in users if user.pk != interview.created_by_id],
                title=f"{interview.title}, {interview.starts_at:%d %b %H:%M} UTC",
                key=f"interview:{interview.pk}:{interview.sequence}",
                resource="application",
                resource_id=interview.application_id,
            )
    # Outside the transaction: a mail server may be slow. Sent twice it is the same invitation to a calendar.
    for mail in mails:
        mail.send()
    with organization_scope(organization_id):
        record("interview.invitations_sent", "interview", interview_id, mails=len(mails))
        forget_task(interview_id)


def calendar_of(interview: Interview, *, addresses: list[str], for_candidate: bool) -> str:
    """Return the interview as an iCalendar message (RFC 5546): of the candidate only they and the organizer learn."""
    is_off = interview.status == InterviewStatus.CANCELLED
    organization = Organization.objects.values_list("name", flat=True).get(pk=interview.organization_id)
    organizer = interview.created_by.email if interview.created_by else settings.DEFAULT_FROM_EMAIL
    return folded(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Vocelio//Interviews//EN",
            f"METHOD:{'CANCEL' if is_off else 'REQUEST'}",
            "BEGIN:VEVENT",
            f"UID:{interview.pk}@vocelio",
            f"DTSTAMP:{moment(timezone.now())}",
            f"SEQUENCE:{interview.sequence}",
            f"STATUS:{'CANCELLED' if is_off else 'CONFIRMED'}",
            f"DTSTART:{moment(interview.starts_at)}",
            f"DTEND:{moment(interview.ends_at)}",
            f"SUMMARY:{text(_title(interview, organization, for_candidate))}",
            f"DESCRIPTION:{text(interview.agenda)}",
            f"LOCATION:{text(interview.location)}",
            f"ORGANIZER:mailto:{organizer}",
            *(f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{each}" for each in addresses),
            "END:VEVENT",
            "END:VCALENDAR",
        ]
    )


def interview_entries(principal: Principal, since: datetime.datetime) -> Iterator[str]:
    """Yield the interviews a person takes part in that end after a time, as lines of their calendar."""
    theirs = Interviewer.objects.filter(user_id=principal.user_id).values("interview_id")
    rows = Interview.objects.filter(pk__in=theirs, ends_at__gte=since).select_related(
        "application__job", "application__contact"
    )
    for interview in rows.defer("application__contact__search").order_by("starts_at")[:MOST_ENTRIES]:
        is_off = interview.status == InterviewStatus.CANCELLED
        yield from (
            "BEGIN:VEVENT",
            f"UID:{interview.pk}@vocelio",
            f"DTSTAMP:{moment(interview.updated_at)}",
            f"SEQUENCE:{interview.sequence}",
            f"STATUS:{'CANCELLED' if is_off else 'CONFIRMED'}",
            f"DTSTART:{moment(interview.starts_at)}",
            f"DTEND:{moment(interview.ends_at)}",
            f"SUMMARY:{text(_title(interview, '', for_candidate=False))}",
            f"DESCRIPTION:{text(interview.agenda)}",
            f"LOCATION:{text(interview.location)}",
            "END:VEVENT",
        )


def _title(interview: Interview, organization: str, for_candidate: bool) -> str:
    job = interview.application.job.title
    return f"{interview.title}: {job}, {organization if for_candidate else interview.application.contact}"


def _mail(interview: Interview, addresses: list[str], *, for_candidate: bool) -> EmailMessage:
    organization = Organization.objects.values_list("name", flat=True).get(pk=interview.organization_id)
    zone = ZoneInfo(interview.timezone)
    starts: datetime.datetime = interview.starts_at.astimezone(zone)
    is_off = interview.status == InterviewStatus.CANCELLED
    lines = [
        f"{_title(interview, organization, for_candidate)}",
        f"{starts:%A, %d %B %Y, %H:%M} ({interview.timezone})",
        interview.location,
        interview.agenda,
    ]
    verb = "Cancelled" if is_off else "Changed" if interview.sequence else "Invitation"
    mail = EmailMessage(
        subject=f"{verb}: {_title(interview, organization, for_candidate)}",
        body="\n\n".join(filter(None, lines)),
        to=addresses,
    )
    method = "CANCEL" if is_off else "REQUEST"
    content = calendar_of(interview, addresses=addresses, for_candidate=for_candidate)
    mail.attach("interview.ics", content, f"text/calendar; method={method}")
    return mail


def _check_times(interview: Interview) -> None:
    if interview.ends_at <= interview.starts_at:
        raise Invalid.field("endsAt", "This is before it starts.", constraint="range")


def _set_interviewers(interview: Interview, user_ids: list[uuid.UUID]) -> None:
    members = Membership.objects.filter(organization_id=interview.organization_id, is_active=True, user_id__in=user_ids)
    if members.count() != len(set(user_ids)):
        raise Invalid.field("interviewers", "Name active members.", constraint="does_not_exist")
    Interviewer.objects.filter(interview=interview).exclude(user_id__in=user_ids).delete()
    rows = [Interviewer(interview=interview, user_id=user_id) for user_id in dict.fromkeys(user_ids)]
    Interviewer.objects.bulk_create(rows, ignore_conflicts=True)
