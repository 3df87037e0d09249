"""When reports are mailed: ticks in the organization's time zone, and who may get what."""

import datetime
import uuid
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from vocelio.access.principal import Principal, principal_of_member
from vocelio.audit.services import record
from vocelio.errors import Forbidden, Invalid
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import enqueue_job
from vocelio.organizations.retention import kept_since
from vocelio.organizations.scope import current_organization_id
from vocelio.reports.models import Frequency, ReportDelivery, ReportSchedule, SavedReport
from vocelio.reports.periods import zone_of
from vocelio.reports.registry import Metric
from vocelio.reports.services.questions import read_question

BATCH = 100
TIMING = {"frequency", "hour", "day", "is_active"}


def create_schedule(*, report: SavedReport, principal: Principal, **fields: Any) -> ReportSchedule:
    """Mail the report from now on, as the caller sees it."""
    schedule = ReportSchedule(report=report, owner_id=principal.user_id)
    _set(schedule, fields, principal)
    schedule.save(force_insert=True)
    schedule.refresh_from_db()
    record(
        "report.scheduled",
        "reportschedule",
        schedule.pk,
        frequency=schedule.frequency,
        recipients=len(schedule.recipients),
    )
    return schedule


def update_schedule(schedule: ReportSchedule, *, principal: Principal, **fields: Any) -> ReportSchedule:
    """Change when, how and to whom; whoever changes it is its owner from then on, with what they may see."""
    schedule.owner_id = principal.user_id
    _set(schedule, fields, principal)
    schedule.save()
    schedule.refresh_from_db()
    record("report.schedule_updated", "reportschedule", schedule.pk, fields=sorted(fields))
    return schedule


def delete_schedule(schedule: ReportSchedule) -> None:
    pk = schedule.pk
    schedule.delete()
    record("report.schedule_deleted", "reportschedule", pk)


def send_now(schedule: ReportSchedule) -> ReportDelivery:
    """Mail it at once, whether the schedule rests or not; its next tick stays."""
    delivery: ReportDelivery = ReportDelivery.objects.create(report_id=schedule.report_id, schedule=schedule)
    record("report.sent_by_hand", "reportschedule", schedule.pk, delivery=str(delivery.pk))
    enqueue_job(delivery)
    return delivery


def start_due() -> int:
    """Begin the mailings of the open organization that are due, one for a tick; return how many.

    Two at once share the work. What was missed while nothing ran is made up for once.
    """
    due = list(
        ReportSchedule.objects.due().select_for_update(of=("self",), skip_locked=True).order_by("next_at")[:BATCH]
    )
    if not due:
        return 0
    zone, now = zone_of(current_organization_id()), timezone.now()
    for schedule in due:
        delivery = ReportDelivery.objects.create(
            report_id=schedule.report_id, schedule=schedule, due_at=schedule.next_at, created_by_id=schedule.owner_id
        )
        enqueue_job(delivery)
        schedule.next_at = next_tick(schedule, zone, now)
        schedule.save(update_fields=["next_at"])
    return len(due)


def next_tick(schedule: ReportSchedule, zone: ZoneInfo, after: datetime.datetime) -> datetime.datetime:
    """Return the first moment of the schedule after this one."""
    today = after.astimezone(zone).date()
    for ahead in range(32):
        day = today + datetime.timedelta(days=ahead)
        if _is_on(schedule, day):
            moment = datetime.datetime.combine(day, datetime.time(schedule.hour), zone)
            if moment > after:
                return moment.astimezone(datetime.UTC)
    # The last day looked at is on every schedule's way: 32 days hold each weekday and each day up to the 28th.
    raise AssertionError("A schedule without a next day")


def _is_on(schedule: ReportSchedule, day: datetime.date) -> bool:
    if schedule.frequency == Frequency.WEEKLY:
        return day.isoweekday() == schedule.day
    return schedule.frequency == Frequency.DAILY or day.day == schedule.day


def why_not(user_id: uuid.UUID, owner: Principal, metrics: Iterable[Metric]) -> str:
    """Say why a member may not get what the owner sees; empty when they may.

    A file shows what its owner sees: nobody gets one who sees fewer records than the owner.
    """
    reader = principal_of_member(user_id, owner.organization_id)
    if reader is None:
        return "is not an active member"
    if hidden := next((metric for metric in metrics if not reader.may(metric.permission)), None):
        return f"may not see {hidden.title.lower()}"
    is_same = reader.user_id == owner.user_id
    is_of_team = owner.sees_own_team_only and reader.team != "" and reader.team == owner.team
    if reader.sees_own_team_only and not is_same and not is_of_team:
        return "sees fewer records than this report counts"
    return ""


def _set(schedule: ReportSchedule, fields: dict[str, Any], principal: Principal) -> None:
    for name, value in fields.items():
        setattr(schedule, name, value)
    if schedule.frequency == Frequency.WEEKLY and schedule.day > 7:
        raise Invalid.field("day", "A weekday is 1 (Monday) to 7.", value=schedule.day, constraint="range")
    if principal_of_member(principal.user_id, principal.organization_id) is None:
        raise Forbidden("Reports are mailed as members see them; you are none of this organization.")
    question = read_question(schedule.report.definition, principal)
    schedule.recipients = list(dict.fromkeys(schedule.recipients))
    problems = [
        {
            "field": f"recipients.{index}",
            "value": str(user_id),
            "constraint": "recipient",
            "message": f"This person {why}.",
        }
        for index, user_id in enumerate(schedule.recipients)
        if (why := why_not(user_id, principal, question.metrics))
    ]
    if problems:
        raise Invalid(problems[0]["message"], errors=problems)
    if schedule.is_active and (TIMING & fields.keys() or schedule.next_at is None):
        schedule.failures, schedule.stopped_reason = 0, ""
    if TIMING & fields.keys() or schedule.next_at is None:
        schedule.next_at = next_tick(schedule, zone_of(principal.organization_id), timezone.now())


def purge_deliveries() -> int:
    """Forget the open organization's mailings past their time; return how many."""
    old = ReportDelivery.objects.filter(created_at__lt=kept_since("report_deliveries")).exclude(
        status__in=[JobStatus.PENDING, JobStatus.PROCESSING]
    )
    return int(old.delete()[0])
