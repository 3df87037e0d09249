"""Activities: done once, reminded of once, repeated by rule, shared as a calendar, and heard when somebody says no."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.dispatch import receiver
from django.test import Client

from contacts.models import Contact
from contacts.signals import opted_out
from sales.models import Activity
from sales.services.activities import send_reminders
from tests.factories import Person, make_person, phone_number, run_jobs
from tests.sales.selling import at_once, make_contact, make_deal, make_pipeline
from vocelio.errors import Invalid
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope


def plan(person: Person, **fields: Any) -> dict[str, Any]:
    answer = person.post("/v1/sales-activities", {"kind": "call", "subject": "Ask for a date", **fields})
    assert answer.status == 201, answer
    result: dict[str, Any] = answer.data
    return result


def in_minutes(minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def complete(person: Person, activity: dict[str, Any], **fields: Any) -> Any:
    return person.put(f"/v1/sales-activities/{activity['id']}/complete", fields)


def test_an_activity_is_planned_changed_listed_and_completed(agent: Person):
    contact = make_contact(agent)
    activity = plan(agent, dueAt=in_minutes(60), contactId=contact, priority="high")
    assert activity["assignedTo"]["id"] == str(agent.user.pk)
    changed = agent.put(f"/v1/sales-activities/{activity['id']}", {"subject": "Ask again"})
    assert changed.data["subject"] == "Ask again"
    for query in ("status=open", "kind=call", f"contactId={contact}", "assignedTo=me", "sort=dueAt", "priority=high"):
        assert [each["id"] for each in agent.get(f"/v1/sales-activities?{query}").data] == [activity["id"]], query
    done = complete(agent, activity, disposition="connected", outcome="Friday it is").data
    assert (done["disposition"], done["completedBy"]["id"], done["following"]) == (
        "connected",
        str(agent.user.pk),
        None,
    )
    assert agent.get("/v1/sales-activities?status=open").data == []
    person = agent.get(f"/v1/contacts/{contact}").data
    assert person["contactCount"] == 1
    assert person["lastContactDate"] is not None


def test_of_two_people_who_complete_one_activity_one_wins_and_its_series_goes_on_once(manager: Person):
    activity = plan(manager, dueAt=in_minutes(5), recurrence="FREQ=WEEKLY")
    colleague = make_person(manager.organization, Role.MANAGER)
    answers = at_once(lambda: complete(manager, activity), lambda: complete(colleague, activity))
    assert sorted(answer.status for answer in answers) == [200, 409]
    (refused,) = [answer for answer in answers if answer.status == 409]
    assert refused.error["code"] == "ALREADY_COMPLETED"
    assert [each["occurrence"] for each in manager.get("/v1/sales-activities?status=open").data] == [2]


def test_a_series_goes_on_by_its_rule_until_it_ends(agent: Person):
    first = plan(agent, dueAt="2030-01-07T09:00:00Z", recurrence="RRULE:FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3")
    second = complete(agent, first, disposition="voicemail").data["following"]
    third = complete(agent, second).data["following"]
    assert [each["dueAt"][:10] for each in (second, third)] == ["2030-01-10", "2030-01-14"]
    assert complete(agent, third).data["following"] is None


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "WEEKLY", "FREQ=WEEKLY;INTERVAL=0", "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;UNTIL=soon"]
)
def test_what_is_no_recurrence_rule_is_refused(rule: str, agent: Person):
    body = {"kind": "task", "subject": "x", "dueAt": in_minutes(5), "recurrence": rule}
    refused = agent.post("/v1/sales-activities", body)
    assert (refused.status, refused.error["details"]["field"]) == (422, "recurrence")


def test_a_call_back_is_planned_with_the_disposition_that_asks_for_it(agent: Person):
    activity = plan(agent, contactId=make_contact(agent))
    assert complete(agent, activity, disposition="callback").error["details"]["field"] == "callbackAt"
    following = complete(agent, activity, disposition="callback", callbackAt="2030-05-01T10:00:00Z").data["following"]
    assert (following["subject"], following["dueAt"]) == ("Call back: Ask for a date", "2030-05-01T10:00:00Z")
    assert following["contact"] == activity["contact"]
    meeting = plan(agent, kind="meeting")
    assert complete(agent, meeting, disposition="busy").status == 422


def test_do_not_call_opts_the_number_out_in_the_same_transaction(agent: Person):
    phone, heard = phone_number(), []

    @receiver(opted_out)
    def listen(sender: Any, **said: Any) -> None:
        heard.append({**said, "inside": transaction.get_connection().in_atomic_block})

    activity = plan(agent, contactId=make_contact(agent, phone=phone))
    assert complete(agent, activity, disposition="do_not_call").status == 200
    (said,) = heard
    assert (said["phone_numbers"], said["channel"], said["inside"]) == ([phone], "call", True)
    assert (said["organization_id"], said["user_id"]) == (agent.organization.pk, agent.user.pk)


def test_a_refused_opt_out_leaves_the_call_open(agent: Person):
    def refuse(sender: Any, **said: Any) -> None:
        raise Invalid.field("phone", "Not now.")

    activity = plan(agent, contactId=make_contact(agent))
    opted_out.connect(refuse)
    try:
        assert complete(agent, activity, disposition="do_not_call").status == 422
    finally:
        opted_out.disconnect(refuse)
    assert agent.get(f"/v1/sales-activities/{activity['id']}").data["completedAt"] is None


def test_do_not_call_needs_somebody_with_a_number(agent: Person):
    assert complete(agent, plan(agent), disposition="do_not_call").error["details"]["field"] == "contactId"
    nameless = make_contact(agent, phone=None, email="ada@example.test")
    activity = plan(agent, contactId=nameless)
    assert complete(agent, activity, disposition="do_not_call").error["details"]["field"] == "disposition"


def remind(person: Person) -> int:
    with organization_scope(person.organization.id):
        return send_reminders()


def test_a_reminder_comes_once_to_the_list_and_by_mail_however_often_the_schedule_asks(agent: Person):
    activity = plan(agent, dueAt=in_minutes(10), remindMinutes=15)
    plan(agent, dueAt=in_minutes(100), remindMinutes=15)
    assert [remind(agent), remind(agent)] == [1, 0]
    (told,) = agent.get("/v1/notifications?kind=activity.reminder").data
    assert (told["title"], told["resourceId"]) == ("Call: Ask for a date", activity["id"])
    run_jobs(agent.organization)
    assert len([each for each in mail.outbox if each.to == [agent.user.email]]) == 1
    agent.put(f"/v1/sales-activities/{activity['id']}", {"dueAt": in_minutes(12)})
    assert remind(agent) == 1
    complete(agent, activity)
    assert remind(agent) == 0


def test_two_schedules_at_once_remind_once(agent: Person):
    plan(agent, dueAt=in_minutes(1), remindMinutes=5)
    counted: Any = at_once(lambda: remind(agent), lambda: remind(agent))  # type: ignore[arg-type, return-value]
    assert sum(counted) == 1
    assert agent.get("/v1/notifications").json["unread"] == 1


def test_my_day_shows_what_is_overdue_to_do_done_and_rotting(agent: Person, manager: Person):
    late = plan(agent, dueAt=in_minutes(-60 * 48))
    today = plan(agent, dueAt=datetime.now(UTC).replace(hour=23, minute=59).isoformat())
    plan(agent, dueAt=in_minutes(60 * 72))
    done = plan(agent)
    complete(agent, done)
    _, stages = make_pipeline(manager, [{"name": "New", "rottingDays": 5}, {"name": "Won", "kind": "won"}])
    deal = make_deal(manager, stages["New"], assignedTo=str(agent.user.pk))
    with organization_scope(manager.organization.id):
        from sales.models import Deal

        Deal.objects.filter(pk=deal["id"]).update(stage_entered_at=datetime.now(UTC) - timedelta(days=6))
    day = agent.get("/v1/sales-activities/my-day").data
    assert [[each["id"] for each in day[name]] for name in ("overdue", "today", "doneToday", "rottingDeals")] == [
        [late["id"]],
        [today["id"]],
        [done["id"]],
        [deal["id"]],
    ]
    assert day["counts"] == {"overdue": 1, "today": 1, "doneToday": 1, "rottingDeals": 1}
    assert agent.get("/v1/sales-activities/my-day?timeZone=Mars/Base").status == 422
    assert agent.get("/v1/deals?isRotting=true").data[0]["isRotting"] is True


def test_a_calendar_answers_by_its_secret_until_it_is_revoked(agent: Person, outsider: Person):
    plan(agent, subject="Demo; with, commas", dueAt="2030-01-07T09:00:00Z", recurrence="FREQ=MONTHLY", remindMinutes=10)
    plan(outsider, subject="Not yours", dueAt="2030-01-07T09:00:00Z")
    first = agent.post("/v1/calendar-feed").data["url"].partition("/v1/")[2]
    stranger = Client(SERVER_NAME="localhost")
    calendar = stranger.get(f"/v1/{first}")
    assert calendar["Content-Type"] == "text/calendar; charset=utf-8"
    text = calendar.content.decode()
    assert "SUMMARY:Call: Demo\\; with\\, commas\r\n" in text
    assert "DTSTART:20300107T090000Z\r\n" in text
    assert "RRULE:FREQ=MONTHLY\r\n" in text
    assert "TRIGGER:-PT10M\r\n" in text
    assert "Not yours" not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    second = agent.post("/v1/calendar-feed").data["url"].partition("/v1/")[2]
    assert stranger.get(f"/v1/{first}").status_code == 404
    assert stranger.get(f"/v1/{second}").status_code == 200
    agent.delete("/v1/calendar-feed")
    assert stranger.get(f"/v1/{second}").status_code == 404
    assert agent.delete("/v1/calendar-feed").status == 404


def test_a_calendar_ends_with_the_membership(agent: Person):
    address = agent.post("/v1/calendar-feed").data["url"].partition("/v1/")[2]
    agent.user.memberships.update(is_active=False)
    assert Client(SERVER_NAME="localhost").get(f"/v1/{address}").status_code == 404


def test_activities_of_another_organization_cannot_be_tied_in(agent: Person, outsider: Person):
    foreign = make_contact(outsider)
    refused = agent.post("/v1/sales-activities", {"kind": "call", "subject": "x", "contactId": foreign})
    assert (refused.status, refused.error["details"]["field"]) == (422, "contactId")
    with organization_scope(agent.organization.id):
        assert Activity.objects.count() == 0
        assert not Contact.objects.filter(pk=foreign).exists()


def test_activities_of_another_team_are_nobodys_business_on_list_detail_day_and_figures(manager: Person):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save()
    north, south = (make_person(manager.organization, Role.AGENT, team) for team in ("north", "south"))
    path = "/v1/sales-activities"
    mine = north.post(path, {"kind": "task", "subject": "Northern"}).data
    theirs = south.post(path, {"kind": "task", "subject": "Southern"}).data
    assert [each["id"] for each in north.get(path).data] == [mine["id"]]
    assert north.get(f"{path}/{theirs['id']}").status == 404
    assert north.put(f"{path}/{theirs['id']}", {"subject": "Mine"}).status == 404
    assert north.put(f"{path}/{theirs['id']}/complete", {}).status == 404
    for person, activity in ((north, mine), (south, theirs)):
        assert person.put(f"{path}/{activity['id']}/complete", {}).status == 200
    assert north.get("/v1/sales-analytics/activities").data["totals"]["total"] == 1
    assert manager.get("/v1/sales-analytics/activities").data["totals"]["total"] == 2
