"""Sequences: steps with waits over channels, ended by whatever the person does."""

from datetime import timedelta

import pytest
from django.db.models import F

from comms.models import Enrolment
from comms.tasks import advance_sequences
from tests.comms.test_mail import post_signed
from tests.factories import unique
from vocelio.organizations.scope import organization_scope


def make_sequence(desk, *steps, **fields):
    body = {"name": unique("sequence"), "inWindow": False, "steps": list(steps)} | fields
    answer = desk.person.post("/v1/communications/sequences", body)
    assert answer.status == 201, answer
    return answer.data


def enrol(desk, sequence, *contacts):
    path = f"/v1/communications/sequences/{sequence['id']}/enrol"
    answer = desk.person.post(path, {"contactIds": [contact["id"] for contact in contacts]})
    assert answer.status == 200, answer
    return answer.data


def later(desk, hours=0):
    """Let so many hours pass, then do what the schedule and a worker do."""
    with organization_scope(desk.person.organization.id):
        Enrolment.objects.filter(status="active").update(next_at=F("next_at") - timedelta(hours=hours, seconds=1))
    advance_sequences.run.__wrapped__()
    desk.send()


def standing(desk, contact):
    return desk.person.get(f"/v1/communications/enrolments?contactId={contact['id']}").data[0]


@pytest.fixture
def two_steps(desk):
    first, second = desk.template(subject="One"), desk.template(subject="Two")
    return make_sequence(desk, {"templateId": first["id"]}, {"templateId": second["id"], "waitHours": 72})


def test_steps_follow_each_other_after_their_waits(desk, two_steps):
    contact = desk.contact()
    assert enrol(desk, two_steps, contact) == {"enrolled": 1, "already": 0}
    assert enrol(desk, two_steps, contact) == {"enrolled": 0, "already": 1}
    later(desk)
    later(desk, hours=71)
    assert [mail["Subject"] for mail in desk.mailbox.to(contact["email"])] == ["One"]
    later(desk, hours=1)
    later(desk, hours=100)
    assert [mail["Subject"] for mail in desk.mailbox.to(contact["email"])] == ["One", "Two"]
    assert standing(desk, contact)["status"] == "finished"
    (mail, _) = desk.mailbox.to(contact["email"])
    assert mail["List-Unsubscribe-Post"], "What goes by itself can be left by one click."


def test_a_reply_ends_a_follow_up_that_repeats(desk):
    template = desk.template(subject="Did you see it?")
    sequence = make_sequence(desk, {"templateId": template["id"], "waitHours": 48, "times": 5})
    assert sequence["stepsShown"][0]["times"] == 5
    contact = desk.contact()
    enrol(desk, sequence, contact)
    for _ in range(2):
        later(desk, hours=48)
    mails = desk.mailbox.to(contact["email"])
    assert len(mails) == 2
    reply = (
        f"From: {contact['email']}\r\nSubject: Re\r\nIn-Reply-To: {mails[1]['Message-ID']}\r\n"
        f"Message-ID: <{unique('r')}@example.test>\r\nContent-Type: text/plain\r\n\r\nYes.\r\n"
    ).encode()
    assert post_signed(desk, reply, "message/rfc822").status_code == 200
    for _ in range(2):
        later(desk, hours=48)
    assert len(desk.mailbox.to(contact["email"])) == 2
    assert (standing(desk, contact)["status"], standing(desk, contact)["stoppedBy"]) == ("stopped", "reply")


def test_an_out_of_office_note_ends_nothing(desk, two_steps):
    contact = desk.contact()
    enrol(desk, two_steps, contact)
    later(desk)
    note = (
        f"From: {contact['email']}\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n"
        f"Message-ID: <{unique('r')}@example.test>\r\nContent-Type: text/plain\r\n\r\nBack on Monday.\r\n"
    ).encode()
    assert post_signed(desk, note, "message/rfc822").status_code == 200
    assert standing(desk, contact)["status"] == "active"


def test_an_opt_out_a_bounce_and_a_person_end_it(desk, two_steps):
    leaving, gone, stopped = desk.contact(), desk.contact(), desk.contact()
    enrol(desk, two_steps, leaving, gone, stopped)
    desk.mailbox.answer = lambda address: "550 5.1.1 No such user" if address == gone["email"] else "250 OK"
    later(desk)
    later(desk, hours=72)
    with organization_scope(desk.person.organization.id):
        Enrolment.objects.filter(status="finished").update(status="active", position=1)
    desk.person.post("/v1/dnc/opt-outs", {"emails": [leaving["email"]]})
    path = f"/v1/communications/enrolments/{standing(desk, stopped)['id']}/stop"
    assert desk.person.post(path).data["stoppedBy"] == "person"
    assert desk.person.post(path).status == 409
    assert standing(desk, gone)["stoppedBy"] == "bounce"


def test_a_step_over_another_channel_waits_for_a_person(desk):
    fields = {"name": unique("t"), "channel": "linkedin", "bodyText": "Dear {{first_name}}"}
    template = desk.person.post("/v1/communications/templates", fields).data
    sequence = make_sequence(
        desk, {"templateId": desk.template()["id"]}, {"templateId": template["id"], "waitHours": 1}
    )
    contact = desk.contact()
    enrol(desk, sequence, contact)
    later(desk)
    later(desk, hours=1)
    waiting = desk.person.get(f"/v1/communications?contactId={contact['id']}&channel=linkedin").data
    assert [(each["status"], each["bodyText"]) for each in waiting] == [("queued", "Dear Ada")]


def test_steps_can_be_changed_and_a_deleted_sequence_sends_nothing_more(desk, two_steps):
    contact = desk.contact()
    enrol(desk, two_steps, contact)
    path = f"/v1/communications/sequences/{two_steps['id']}"
    other = desk.template(subject="Other")
    changed = desk.person.put(path, {"steps": [{"templateId": other["id"]}]})
    assert [each["template"]["id"] for each in changed.data["stepsShown"]] == [other["id"]]
    assert desk.person.put(path, {"steps": []}).status == 422
    assert desk.person.delete(path).status == 200
    later(desk)
    assert desk.mailbox.mails == []
