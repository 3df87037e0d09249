"""Reports by mail: once a tick, as their owner sees them, to those who may, until that cannot go on."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from tests.factories import Person, make_person, run_jobs, unique
from tests.reports.asking import at, in_zone
from vocelio.db.models import ScheduleTick
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope
from vocelio.reports.models import ReportDelivery, ReportSchedule
from vocelio.reports.periods import zone_of
from vocelio.reports.services.schedules import next_tick
from vocelio.reports.tasks import start_due_deliveries
from vocelio.users.models import User


def scheduled(person: Person, *recipients: Person, metric: str = "contacts.created", **fields: Any) -> Any:
    report = person.post("/v1/reports", {"name": unique("report"), "definition": {"metrics": [metric]}}).data
    answer = person.post(
        f"/v1/reports/{report['id']}/schedules",
        {"frequency": "daily", "recipients": [str(each.user.pk) for each in recipients], **fields},
    )
    return answer.data if answer.status == 201 else answer


def address(schedule: Any) -> str:
    return f"/v1/reports/{schedule['reportId']}/schedules/{schedule['id']}"


def fall_due(person: Person, schedule: Any) -> None:
    """Let the tick of a schedule come."""
    with organization_scope(person.organization.id):
        ReportSchedule.objects.filter(pk=schedule["id"]).update(next_at=timezone.now() - timedelta(minutes=1))
    ScheduleTick.objects.filter(schedule__startswith="vocelio.reports").delete()


def stored(person: Person, schedule: Any) -> ReportSchedule:
    with organization_scope(person.organization.id):
        found: ReportSchedule = ReportSchedule.objects.get(pk=schedule["id"])
    return found


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        ({"frequency": "daily", "hour": 8}, "2026-03-06T12:00", "2026-03-06T13:00"),
        ({"frequency": "daily", "hour": 8}, "2026-03-06T13:00", "2026-03-07T13:00"),
        # Summer time begins in New York.
        ({"frequency": "daily", "hour": 8}, "2026-03-07T13:00", "2026-03-08T12:00"),
        ({"frequency": "weekly", "hour": 0, "day": 1}, "2026-03-06T12:00", "2026-03-09T04:00"),
        ({"frequency": "monthly", "hour": 23, "day": 28}, "2026-03-06T12:00", "2026-03-29T03:00"),
    ],
)
def test_ticks_are_hours_of_the_organizations_day(fields: Any, after: str, expected: str, manager: Person):
    in_zone(manager, "America/New_York")
    zone = zone_of(manager.organization.id)
    with organization_scope(manager.organization.id):
        assert next_tick(ReportSchedule(**fields), zone, at(after)) == at(expected)


def test_a_due_report_is_mailed_once_however_many_beats_there_are(manager: Person, agent: Person):
    schedule = scheduled(manager, manager, agent, format="xlsx")
    fall_due(manager, schedule)
    start_due_deliveries()
    ScheduleTick.objects.filter(schedule__startswith="vocelio.reports").delete()
    start_due_deliveries()
    run_jobs(manager.organization)
    mine = [each for each in mail.outbox if set(each.to) & {manager.user.email, agent.user.email}]
    assert sorted(each.to[0] for each in mine) == sorted([manager.user.email, agent.user.email])
    ((name, content, _),) = mine[0].attachments
    assert name.endswith(".xlsx")
    assert content.startswith(b"PK")
    (delivery,) = manager.get(f"/v1/reports/{schedule['reportId']}/deliveries").data
    assert (delivery["status"], delivery["sent"], delivery["skipped"]) == ("completed", 2, 0)
    assert stored(manager, schedule).next_at > timezone.now()


def test_it_is_sent_at_once_when_somebody_asks(manager: Person):
    schedule = scheduled(manager, manager, format="csv")
    answer = manager.post(f"{address(schedule)}/send", {})
    assert (answer.status, answer.data["status"]) == (202, "pending")
    run_jobs(manager.organization)
    assert [each.to for each in mail.outbox] == [[manager.user.email]]


def test_only_those_get_it_who_may_see_it(admin: Person, manager: Person, agent: Person, outsider: Person):
    refused = scheduled(admin, agent, metric="crm.runs")
    assert (refused.status, refused.error["details"]["field"]) == (422, "recipients.0")
    assert scheduled(manager, outsider).status == 422
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save(update_fields=["visibility"])
    narrow = scheduled(manager, agent)
    assert "sees fewer records" in narrow.error["message"]


def test_who_lost_the_right_meanwhile_is_left_out(admin: Person, manager: Person):
    schedule = scheduled(admin, admin, manager, metric="dnc.scrubs")
    manager.user.memberships.update(role=Role.AGENT)
    admin.post(f"{address(schedule)}/send", {})
    run_jobs(admin.organization)
    assert [each.to for each in mail.outbox] == [[admin.user.email]]
    (delivery,) = admin.get(f"/v1/reports/{schedule['reportId']}/deliveries").data
    assert (delivery["sent"], delivery["skipped"]) == (1, 1)
    assert delivery["outcomes"][1]["reason"] == "may not see scrubs"


def test_it_stops_with_a_notice_when_its_owner_may_no_longer_see_it(manager: Person, admin: Person):
    schedule = scheduled(manager, manager, admin)
    manager.user.memberships.update(role=Role.AGENT)
    fall_due(manager, schedule)
    start_due_deliveries()
    run_jobs(manager.organization)
    shown = admin.get(address(schedule))
    assert shown.status == 404
    kept = stored(manager, schedule)
    assert (kept.is_active, kept.stopped_reason) == (
        False,
        "The person it is computed as may no longer schedule reports.",
    )
    for person in (manager, admin):
        assert person.get("/v1/notifications").data[0]["kind"] == "report.schedule_stopped"


def test_it_rests_after_failures_in_a_row_and_goes_on_when_told(manager: Person, monkeypatch: Any):
    schedule = scheduled(manager, manager)

    def refuse(*args: Any, **kwargs: Any) -> int:
        raise smtplib.SMTPServerDisconnected("away")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        for _ in range(3):
            fall_due(manager, schedule)
            start_due_deliveries()
            run_jobs(manager.organization)
    kept = manager.get(address(schedule)).data
    assert (kept["isActive"], kept["failures"]) == (False, 3)
    assert kept["stoppedReason"] == "The mail server did not take the message."
    again = manager.patch(address(schedule), {"isActive": True}).data
    assert (again["isActive"], again["failures"], again["stoppedReason"]) == (True, 0, "")


def test_a_killed_worker_mails_nobody_twice(manager: Person, admin: Person, monkeypatch: Any):
    schedule = scheduled(manager, manager, admin)
    manager.post(f"{address(schedule)}/send", {})
    send = mail.EmailMessage.send

    class Killed(BaseException):
        pass

    def die(message: Any, *args: Any, **kwargs: Any) -> int:
        if message.to == [admin.user.email]:
            raise Killed
        return send(message, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", die)
        with pytest.raises(Killed):
            run_jobs(manager.organization)
    with organization_scope(manager.organization.id):
        ReportDelivery.objects.update(lease_until=None)
    run_jobs(manager.organization)
    assert [each.to for each in mail.outbox] == [[manager.user.email], [admin.user.email]]


def test_schedules_are_changed_and_deleted_by_those_who_may(manager: Person, agent: Person):
    schedule = scheduled(manager, manager)
    assert agent.get(address(schedule)).status == 403
    changed = manager.put(address(schedule), {"frequency": "weekly", "day": 5, "hour": 6}).data
    assert (changed["frequency"], changed["day"], changed["hour"]) == ("weekly", 5, 6)
    assert manager.patch(address(schedule), {"day": 9}).status == 422
    colleague = make_person(manager.organization, Role.MANAGER)
    assert colleague.get(address(schedule)).status == 404
    assert manager.delete(address(schedule)).status == 200
    assert manager.get(f"/v1/reports/{schedule['reportId']}/schedules").data == []
    assert User.objects.filter(pk=manager.user.pk).exists()
