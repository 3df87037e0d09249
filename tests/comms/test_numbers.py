"""Messages to numbers: WhatsApp through a fake with a state, SMS through any provider, LinkedIn by hand."""

import hashlib
import hmac
import json
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.comms.fakes import ACCOUNT_ID, APP_SECRET, PHONE_NUMBER_ID, TOKEN, SmsFake, WhatsAppFake, signed
from tests.comms.lines import Line

pytestmark = pytest.mark.usefixtures("any_hour")


@pytest.fixture
def whatsapp(settings):
    fake = WhatsAppFake()
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, f"127.0.0.1:{fake.server_port}"]
    yield fake
    fake.stop()
    assert fake.violations == []


@pytest.fixture
def line(admin, whatsapp):
    settings = {"phoneNumberId": PHONE_NUMBER_ID, "businessAccountId": ACCOUNT_ID, "apiUrl": whatsapp.url}
    return Line(
        admin, "whatsapp", settings, {"accessToken": TOKEN, "appSecret": APP_SECRET, "webhookSecret": "verify-me"}
    )


def deliver(line, change, secret=APP_SECRET):
    raw, signature = signed(change, secret)
    return line.hook(raw, **{"X-Hub-Signature-256": signature}).status_code


def synced(line, whatsapp):
    """Sync three templates, and return the approved one with its places filled."""
    whatsapp.add_template("welcome", "Hello {{1}}, about {{2}}?")
    whatsapp.add_template("refused", "Buy now", status="REJECTED")
    whatsapp.add_template("waiting", "Soon", status="PENDING")
    answer = line.person.post(f"/v1/communications/accounts/{line.account['id']}/sync-templates")
    assert (answer.status, answer.data) == (200, {"templates": 3})
    rows = {each["remoteName"]: each for each in line.person.get("/v1/communications/templates?channel=whatsapp").data}
    assert {name: each["remoteStatus"] for name, each in rows.items()} == {
        "welcome": "approved", "refused": "rejected", "waiting": "pending"
    }  # fmt: skip
    path = f"/v1/communications/templates/{rows['welcome']['id']}"
    changed = line.person.put(path, {"parameters": ["{{first_name|there}}", "{{topic}}"]})
    assert (changed.status, changed.data["version"]) == (200, 2)
    assert line.person.put(path, {"bodyText": "Mine"}).status == 422
    return rows


def test_a_conversation_begins_with_an_approved_template_and_a_proof_of_consent(line, whatsapp):
    rows = synced(line, whatsapp)
    assert line.write(templateId=rows["refused"]["id"]).status == 422
    variables = {"topic": "your order"}
    without = line.write(templateId=rows["welcome"]["id"], variables=variables).data
    line.send()
    assert line.show(without)["errorCode"] == "NO_OPT_IN"
    line.consent()
    free = line.write(channel="whatsapp", bodyText="Hi").data
    line.send()
    assert line.show(free)["errorCode"] == "OUTSIDE_WINDOW"
    message = line.write(templateId=rows["welcome"]["id"], variables=variables).data
    assert line.send() == 1
    shown = line.show(message)
    assert (shown["status"], shown["bodyText"]) == ("sent", "Hello Ada, about your order?")
    assert shown["providerId"] == whatsapp.sent[0]["id"]
    # Within 24 hours of the person's own message anything may be written.
    assert deliver(line, whatsapp.message(line.number, "Tell me more")) == 200
    answer = line.write(channel="whatsapp", bodyText="Gladly").data
    assert line.send() == 1
    assert line.show(answer)["status"] == "sent"
    assert [(each["direction"], each["status"]) for each in line.thread()[-2:]] == [
        ("inbound", "received"),
        ("outbound", "sent"),
    ]
    assert line.show(message)["status"] == "replied"


def opened(line, whatsapp):
    """Let the person write first, so that answers are free."""
    assert deliver(line, whatsapp.message(line.number, "Hello?")) == 200


def test_statuses_never_move_backwards_whatever_order_they_come_in(line, whatsapp):
    opened(line, whatsapp)
    message = line.write(channel="whatsapp", bodyText="Hi").data
    line.send()
    sent = whatsapp.sent[0]
    for status in ("read", "sent", "delivered", "read", "failed"):
        assert deliver(line, whatsapp.status(sent, status, code=131026 if status == "failed" else 0)) == 200
        assert line.show(message)["status"] == "read"
    shown = line.show(message)
    assert shown["deliveredAt"]
    assert shown["errorCode"] == ""


def test_a_failure_is_told_in_plain_words(line, whatsapp):
    opened(line, whatsapp)
    message = line.write(channel="whatsapp", bodyText="Hi").data
    line.send()
    deliver(line, whatsapp.status(whatsapp.sent[0], "failed", code=131026))
    shown = line.show(message)
    assert (shown["status"], shown["errorCode"]) == ("failed", "131026")
    assert shown["errorMessage"] == "The number is not on WhatsApp, or the person has not accepted its terms."


def test_an_answer_that_was_lost_is_unknown_until_whatsapp_reports(line, whatsapp):
    opened(line, whatsapp)
    message = line.write(channel="whatsapp", bodyText="Hi").data
    whatsapp.faults.append(None)
    line.send()
    assert line.show(message)["status"] == "unknown"
    assert line.send() == 0, "It is not sent again."
    deliver(line, whatsapp.status(whatsapp.sent[0], "delivered"))
    assert (line.show(message)["status"], whatsapp.received.total()) == ("delivered", 1)


def test_a_file_is_uploaded_and_sent_by_its_name_there(line, whatsapp):
    opened(line, whatsapp)
    file = SimpleUploadedFile("offer.pdf", b"%PDF-1.4 offer", "application/pdf")
    stored = line.person.post("/v1/communications/attachments", {"file": file}).data
    attachment = {name: stored[name] for name in ("file", "name", "contentType")}
    message = line.write(channel="whatsapp", bodyText="Our offer", attachments=[attachment]).data
    assert line.send() == 1
    (sent,) = whatsapp.sent
    assert (sent["document"]["caption"], sent["document"]["filename"]) == ("Our offer", "offer.pdf")
    assert whatsapp.media[sent["document"]["id"]] == b"%PDF-1.4 offer"
    assert line.show(message)["status"] == "sent"


def test_a_used_up_quota_lets_the_account_rest(line, whatsapp):
    opened(line, whatsapp)
    message = line.write(channel="whatsapp", bodyText="Hi").data
    whatsapp.faults.append((400, {"error": {"code": 130429, "message": "Rate limit hit"}}))
    line.send()
    account = line.person.get(f"/v1/communications/accounts/{line.account['id']}").data
    assert (account["health"], account["lastErrorCode"]) == ("resting", "130429")
    assert line.show(message)["status"] == "queued"


def test_webhooks_of_whatsapp_are_proven_over_their_raw_bytes(line, whatsapp):
    change = whatsapp.message(line.number, "Hello")
    assert deliver(line, change, secret="wrong") == 401
    raw, signature = signed(change)
    assert line.hook(raw + b" ", **{"X-Hub-Signature-256": signature}).status_code == 401
    assert line.hook(raw).status_code == 401
    for _ in range(3):
        assert line.hook(raw, **{"X-Hub-Signature-256": signature}).status_code == 200
    assert len(line.thread()) == 1, "A replay changes nothing."
    path = line.account["webhookUrl"]
    path = path[path.index("/v1/") :]
    query = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    assert line.person.client.get(f"{path}{query}verify-me").content == b"1158201444"
    assert line.person.client.get(f"{path}{query}guess").status_code == 401


def test_a_stop_word_ends_everything_on_the_medium_and_is_confirmed_once(line, whatsapp):
    opened(line, whatsapp)
    waiting = line.write(channel="whatsapp", bodyText="Later", scheduledAt="2099-01-01T09:00:00Z").data
    for _ in range(2):
        assert deliver(line, whatsapp.message(line.number, " Stop! ")) == 200
    assert line.show(waiting)["errorCode"] == "OPTED_OUT"
    assert line.send() == 1
    assert "unsubscribed" in whatsapp.sent[-1]["text"]["body"]
    refused = line.write(channel="whatsapp", bodyText="But").data
    assert line.send() == 0
    assert line.show(refused)["errorCode"] == "OPTED_OUT"
    check = line.person.post("/v1/dnc/check", {"phoneNumbers": [line.number]}).data[0]
    assert check["modes"]["whatsapp"]["allowed"] is False


def test_a_template_that_whatsapp_pauses_is_not_sent(line, whatsapp):
    rows = synced(line, whatsapp)
    line.consent()
    message = line.write(templateId=rows["welcome"]["id"], variables={"topic": "x"}).data
    update = {
        "event": "PAUSED",
        "message_template_id": 1,
        "message_template_name": "welcome",
        "message_template_language": "en_US",
        "reason": "LOW_QUALITY",
    }
    assert deliver(line, {"field": "message_template_status_update", "value": update}) == 200
    line.send()
    assert line.show(message)["errorCode"] == "NOT_APPROVED"


def test_texts_go_through_any_provider_and_never_to_listed_numbers(admin, settings):
    fake = SmsFake()
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, f"127.0.0.1:{fake.server_port}"]
    values = {"url": f"{fake.url}/send", "from": "+12125550000"}
    line = Line(admin, "sms_http", values, {"token": "sms-token", "webhookSecret": "h" * 32})
    unasked = line.write(channel="sms", bodyText="Buy").data
    line.send()
    assert line.show(unasked)["errorMessage"] == "Needs written consent first."
    line.consent(channel="sms")
    message = line.write(channel="sms", bodyText="Your order is here").data
    assert line.send() == 1
    assert fake.sent == [{"id": message["id"], "to": line.number, "from": "+12125550000", "text": "Your order is here"}]
    event = {"events": [{"id": line.show(message)["providerId"], "status": "delivered"}]}
    raw, moment = json.dumps(event).encode(), str(int(time.time()))
    mac = hmac.new(b"h" * 32, moment.encode() + b"." + raw, hashlib.sha256).hexdigest()
    assert line.hook(raw, **{"X-Vocelio-Signature": f"t={moment},v1={mac}"}).status_code == 200
    assert line.show(message)["status"] == "delivered"
    listed = admin.post("/v1/contacts", {"phone": line.listed}).data
    refused = admin.post("/v1/communications", {"contactId": listed["id"], "channel": "sms", "bodyText": "Hi"}).data
    assert line.send() == 0
    assert line.show(refused)["errorCode"] == "DNC"
    fake.stop()
