"""Text messages by Twilio: sent through a fake that keeps a state, reported on by signed webhooks."""

from urllib.parse import urlencode

import pytest

from tests.comms.fakes import TwilioFake
from tests.comms.lines import Line

pytestmark = pytest.mark.usefixtures("any_hour")


@pytest.fixture
def twilio(settings):
    fake = TwilioFake()
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, f"127.0.0.1:{fake.server_port}"]
    yield fake
    fake.stop()


@pytest.fixture
def line(admin, twilio):
    values = {"accountSid": twilio.account, "from": "+12125550000", "apiUrl": twilio.url}
    line = Line(admin, "twilio", values, {"authToken": twilio.token})
    line.consent(channel="sms")
    return line


def call(line, twilio, fields, token=""):
    signature = twilio.signature(line.account["webhookUrl"], fields, token)
    answer = line.hook(urlencode(fields), "application/x-www-form-urlencoded", **{"X-Twilio-Signature": signature})
    return answer.status_code


def test_a_text_is_sent_and_its_reports_are_heard_once_and_in_any_order(line, twilio):
    message = line.write(channel="sms", bodyText="Your order is here").data
    assert line.send() == 1
    (sent,) = twilio.sent
    assert (sent["To"], sent["From"], sent["Body"]) == (line.number, "+12125550000", "Your order is here")
    assert sent["StatusCallback"] == line.account["webhookUrl"]
    assert call(line, twilio, twilio.report(sent, "delivered"), token="x" * 32) == 401
    assert line.show(message)["status"] == "sent"
    for status in ("delivered", "sent", "delivered"):
        assert call(line, twilio, twilio.report(sent, status)) == 200
        assert line.show(message)["status"] == "delivered"


def test_a_number_that_is_gone_is_not_written_to_again(line, twilio):
    message = line.write(channel="sms", bodyText="Hello").data
    line.send()
    assert call(line, twilio, twilio.report(twilio.sent[0], "undelivered", ErrorCode="30005")) == 200
    shown = line.show(message)
    assert (shown["status"], shown["errorCode"]) == ("failed", "30005")
    assert shown["errorMessage"]
    again = line.write(channel="sms", bodyText="Hello?").data
    assert line.send() == 0
    assert line.show(again)["errorCode"] == "ADDRESS_BOUNCED"


def test_twilios_refusals_are_told_and_a_refused_account_rests(line, twilio):
    twilio.stopped.add(line.number)
    message = line.write(channel="sms", bodyText="Hello").data
    assert line.send() == 0
    assert line.show(message)["errorCode"] == "21610"
    twilio.token = "another"
    second = line.write(channel="sms", bodyText="Hello").data
    assert line.send() == 0
    assert line.show(second)["status"] == "queued", "It waits until the account works again."
    account = line.person.get(f"/v1/communications/accounts/{line.account['id']}").data
    assert (account["health"], account["lastErrorCode"]) == ("resting", "20003")


def test_a_lost_answer_is_unknown_and_not_repeated(line, twilio):
    message = line.write(channel="sms", bodyText="Hello").data
    twilio.faults.append(None)
    assert line.send() == 0
    assert line.send() == 0
    assert (line.show(message)["status"], len(twilio.sent)) == ("unknown", 1)


def test_a_stop_word_is_heard_once_and_confirmed_once(line, twilio):
    wrote = {"AccountSid": twilio.account, "MessageSid": "SM1", "From": line.number, "Body": "STOP", "NumMedia": "0"}
    assert call(line, twilio, wrote, token="x" * 32) == 401
    for _ in range(2):
        assert call(line, twilio, wrote) == 200
    (inbound, confirmation) = line.thread()
    assert (inbound["direction"], confirmation["purpose"]) == ("inbound", "confirmation")
    verdict = line.person.post("/v1/dnc/check", {"phoneNumbers": [line.number]}).data[0]
    assert verdict["modes"]["sms"]["allowed"] is False
