"""Mail a report: computed as the schedule's owner, to each recipient once, stopped when that cannot go on."""

import logging
import smtplib
import uuid
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.text import slugify

from vocelio.access.principal import Principal, principal_of_member
from vocelio.audit.services import record
from vocelio.errors import Forbidden, Invalid, VocelioError
from vocelio.jobs.services import Run, running
from vocelio.languages.mails import reading_as
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.scope import organization_scope
from vocelio.reports.files import CONTENT_TYPES, report_file
from vocelio.reports.models import ReportDelivery, ReportSchedule
from vocelio.reports.services.answers import answer_in_time, as_report
from vocelio.reports.services.questions import FigureQuestion, read_question
from vocelio.reports.services.schedules import why_not
from vocelio.users.models import User

logger = logging.getLogger(__name__)

# Failures in a row after which a schedule stops.
PATIENCE = 3


class OwnerGone(VocelioError):
    """Whoever the report is computed as may no longer see it; the schedule stops."""

    code = "OWNER_MAY_NOT"
    status = 409
    message = "The person it is computed as may no longer see this."


class MailAway(VocelioError):
    code = "MAIL_UNAVAILABLE"
    status = 503
    message = "The mail server did not take the message."


def run_delivery(delivery: ReportDelivery) -> None:
    """Mail one delivery; a failure is noted at its schedule, which stops after three in a row."""
    try:
        with running(delivery) as run:
            _deliver(run)
    except VocelioError as error:
        with organization_scope(delivery.organization_id):
            _note_failure(delivery, error)
        raise
    with organization_scope(delivery.organization_id):
        ReportSchedule.objects.filter(pk=delivery.schedule_id).update(failures=0)


def _deliver(run: Run[ReportDelivery]) -> None:
    delivery = run.job
    with run.step() as step:
        schedule = ReportSchedule.objects.select_related("report", "organization").get(pk=delivery.schedule_id)
        owner, question = _asked(schedule)
        # One file for everybody: in the words of whom it is computed as.
        with reading_as(owner):
            found = answer_in_time(question)
            report = as_report(found, title=schedule.report.name, chart=schedule.report.chart)
            content = report_file(schedule.format, report, question, currency=found.currency)
        step.set(total=len(schedule.recipients))
    # A resumed run goes on behind those whose mail is out.
    for user_id in schedule.recipients[delivery.processed :]:
        with run.step() as step:
            why = why_not(user_id, owner, question.metrics)
            if not why:
                why = _mail(delivery, schedule, question, user_id, content)
            outcome = {"user_id": str(user_id), "status": "skipped" if why else "sent", "reason": why}
            step.advance(1, sent=0 if why else 1, skipped=1 if why else 0)
            step.set(outcomes=[*delivery.outcomes, outcome])


def _asked(schedule: ReportSchedule) -> tuple[Principal, FigureQuestion]:
    """Return as whom the report is computed, and what it asks; raise OwnerGone when they may no longer see it."""
    owner = principal_of_member(schedule.owner_id, schedule.organization_id)
    if owner is None:
        raise OwnerGone
    if not owner.may("reports:schedule"):
        raise OwnerGone("The person it is computed as may no longer schedule reports.")
    try:
        return owner, read_question(schedule.report.definition, owner)
    except Forbidden as error:
        raise OwnerGone(error.message) from None


def _mail(
    delivery: ReportDelivery, schedule: ReportSchedule, question: FigureQuestion, user_id: uuid.UUID, content: bytes
) -> str:
    """Mail the file; return why not where the mailbox refuses it, raise MailAway where the server does."""
    user = User.objects.get(pk=user_id)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    context = {"schedule": schedule, "question": question, "link": settings.FRONTEND_URL}
    with reading_as(principal_of_member(user_id, schedule.organization_id)):
        text = render_to_string("email/report.txt", context)
    message = EmailMessage(
        " ".join(schedule.report.name.split()),
        text,
        None,
        [user.email],
        # Should the server die before the commit, the mail goes out again under the same id.
        headers={"Message-ID": f"<{delivery.pk}.{user_id}@{domain}>"},
    )
    name = f"{slugify(schedule.report.name) or 'report'}-{question.last}.{schedule.format}"
    message.attach(name, content, CONTENT_TYPES[schedule.format].partition(";")[0])
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused:
        logger.warning("Report undeliverable", extra={"delivery": str(delivery.pk)})
        return "has a mailbox that refused it"
    except (smtplib.SMTPException, OSError) as error:
        raise MailAway from error
    return ""


def _note_failure(delivery: ReportDelivery, error: VocelioError) -> None:
    schedule = (
        ReportSchedule.objects.select_for_update(of=("self",)).select_related("report").get(pk=delivery.schedule_id)
    )
    schedule.failures += 1
    is_final = isinstance(error, (OwnerGone, Invalid))
    changes: dict[str, Any] = {"failures": schedule.failures}
    if schedule.is_active and (is_final or schedule.failures >= PATIENCE):
        changes |= {"is_active": False, "stopped_reason": error.message[:300]}
    ReportSchedule.objects.filter(pk=schedule.pk).update(**changes)
    if "stopped_reason" in changes:
        record("report.schedule_stopped", "reportschedule", schedule.pk, code=error.code)
        notify(
            kind="report.schedule_stopped",
            user_ids=[schedule.owner_id, *schedule.recipients],
            title=f"{schedule.report.name} is no longer mailed",
            body=error.message,
            key=f"report.schedule_stopped:{delivery.pk}",
            resource="savedreport",
            resource_id=schedule.report_id,
        )
