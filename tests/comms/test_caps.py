"""How often and at what hour people are written to: by the organization's rules and by law."""

from datetime import datetime
from uuid import uuid4

import pytest

from comms.models import CommsSettings
from comms.services.schedule import next_open
from tests.comms.fakes import SmsFake
from tests.comms.lines import Line
from tests.comms.test_batches import people, show, start
from tests.factories import unique


def put_rules(desk, **fields):
    answer = desk.person.put("/v1/communications/settings", fields)
    assert answer.status == 200, answer
    return answer.data


def test_nobody_gets_more_bulk_messages_than_the_rules_allow(desk):
    put_rules(desk, capDay=1)
    tag = unique("tag")
    (address,) = people(desk, 1, tag)
    start(desk, tag)
    second = start(desk, tag)
    desk.send()
    desk.send()
    assert desk.mailbox.recipients == [address]
    (waiting,) = desk.rows(batch_id=second)
    assert (waiting.status, waiting.error_code) == ("queued", "FREQUENCY_CAP")
    before = desk.rows(status="sent")[0].attempted_at
    assert round((waiting.scheduled_at - before).total_seconds() / 60) == 24 * 60, "When the first is a day old."
    contact = desk.person.get(f"/v1/contacts?search={address}").data[0]
    desk.write(contact)
    assert desk.send() == 1, "What one person writes to another is not bulk."
    put_rules(desk, capDay=None, capWeek=None)
    desk.change({"id": str(waiting.pk)}, scheduled_at="2020-01-01T00:00Z")
    assert desk.send() == 1
    assert show(desk, second)["state"] == "finished"


def test_bulk_waits_for_the_recipients_hours(desk, monkeypatch):
    tag = unique("tag")
    people(desk, 1, tag)
    put_rules(desk, windowStart="00:00", windowEnd="00:01", timeZone="Pacific/Kiritimati")
    batch_id = start(desk, tag, inWindow=True)
    if desk.send() == 0:
        (waiting,) = desk.rows(batch_id=batch_id)
        assert (waiting.error_code, waiting.scheduled_at.strftime("%H:%M")) == ("OUTSIDE_WINDOW", "10:00")


def test_a_batch_is_spread_over_its_period(desk):
    tag = unique("tag")
    people(desk, 4, tag)
    batch_id = start(desk, tag, batch={"spreadMinutes": 40})
    moments = sorted(row.scheduled_at for row in desk.rows(batch_id=batch_id))
    assert [round((moment - moments[0]).total_seconds() / 60) for moment in moments] == [0, 10, 20, 30]
    assert desk.send() == 1


@pytest.fixture
def line(admin, settings, any_hour):
    fake = SmsFake()
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, f"127.0.0.1:{fake.server_port}"]
    values = {"url": f"{fake.url}/send", "from": "+12125550000"}
    # Florida: three contacts within 24 hours (Florida Statutes 501.616(6)(b)).
    line = Line(admin, "sms_http", values, {"token": "sms-token"}, code="305")
    line.consent(channel="sms")
    yield line
    fake.stop()


def test_texts_count_as_attempts_and_the_laws_cap_lets_the_next_wait(line):
    messages = [line.write(channel="sms", bodyText=f"Number {n}").data for n in range(4)]
    assert line.send() == 3, "One after the other: each counts before the next is judged."
    shown = [line.show(message) for message in messages]
    assert sorted(each["status"] for each in shown) == ["queued", "sent", "sent", "sent"]
    assert {each["errorCode"] for each in shown if each["status"] == "queued"} == {"FREQUENCY_LAW"}
    attempts = line.person.get("/v1/dnc/attempts").data
    assert [(each["phoneNumber"], each["channel"], each["caller"]) for each in attempts] == [
        (line.number, "sms", "+12125550000")
    ] * 3
    verdict = line.person.post("/v1/dnc/check", {"phoneNumbers": [line.number]}).data[0]
    assert verdict["contactedLast24Hours"] == 3
    assert verdict["isCallable"] is False, "A dialer must not call a fourth time either."


@pytest.mark.parametrize(
    ("zones", "at", "opens"),
    [
        # The hours are those of the clock on the wall, before and after it is changed.
        (("Europe/Berlin",), "2026-10-23T20:00Z", "2026-10-24T07:00Z"),
        (("Europe/Berlin",), "2026-10-24T20:00Z", "2026-10-25T08:00Z"),
        (("America/New_York",), "2026-03-07T23:30Z", "2026-03-08T13:00Z"),
        # Within them nothing waits; where a number may be in two zones, both must be open.
        (("Europe/Berlin",), "2026-10-26T12:00Z", "2026-10-26T12:00Z"),
        (("America/New_York", "America/Los_Angeles"), "2026-06-01T14:00Z", "2026-06-01T16:00Z"),
    ],
)
def test_the_recipients_hours_survive_a_change_of_the_clocks(zones, at, opens):
    rules = CommsSettings(organization_id=uuid4(), window_weekends=True)
    assert next_open(zones, rules, datetime.fromisoformat(at)) == datetime.fromisoformat(opens)


def test_nobody_is_written_to_at_the_weekend_unless_the_rules_say_so():
    saturday = datetime.fromisoformat("2026-10-24T12:00Z")
    assert next_open(("UTC",), CommsSettings(organization_id=uuid4()), saturday) == datetime.fromisoformat(
        "2026-10-26T09:00Z"
    )
