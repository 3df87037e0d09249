"""Mails through a real server: what they hold, what is kept back, what comes back."""

import hashlib
import hmac
import json
import re
import time

import pytest

from dnc.models import EmailOptOut
from tests.factories import unique
from vocelio.organizations.scope import organization_scope


def post_signed(desk, body, content_type="application/json", *, at=None, secret="s" * 32):
    """Call the webhook of the desk's account as its mail server would."""
    address = desk.person.get(f"/v1/communications/accounts/{desk.account_id}").data["webhookUrl"]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    moment = str(int(at if at is not None else time.time()))
    mac = hmac.new(secret.encode(), moment.encode() + b"." + raw, hashlib.sha256).hexdigest()
    path = address[address.index("/v1/") :]
    return desk.person.client.post(
        path, raw, content_type=content_type, headers={"X-Vocelio-Signature": f"t={moment},v1={mac}"}
    )


def test_a_mail_goes_out_once_with_text_html_and_attachment(desk):
    from django.core.files.uploadedfile import SimpleUploadedFile

    contact = desk.contact(firstName="Zoë", lastName="Ng")
    file = SimpleUploadedFile("offer.pdf", b"%PDF-1.4 offer", "application/pdf")
    stored = desk.person.post("/v1/communications/attachments", {"file": file})
    assert stored.status == 201, stored
    message = desk.write(
        contact,
        subject="Angebot für Zoë",
        bodyHtml="<p>Hi <b>Zoë</b></p><script>x()</script>",
        attachments=[stored.data],
    )
    assert (message["status"], message["address"]) == ("queued", contact["email"])
    assert desk.send() == 1
    assert desk.send() == 0
    (mail,) = desk.mailbox.to(contact["email"])
    assert mail["Subject"] == "Angebot für Zoë"
    assert mail["From"].startswith("Acme Sales <sales@acme")
    assert mail["To"] == f"Zoë Ng <{contact['email']}>"
    assert mail["Message-ID"] == f"<{message['id'].replace('-', '')}.v@{mail['From'].rpartition('@')[2].rstrip('>')}>"
    assert mail["List-Unsubscribe"] is None, "Between two people there is nothing to unsubscribe from."
    assert mail.get_body(("plain",)).get_content().strip() == "Dear Ada"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Hi <b>Zoë</b></p>"
    assert [part.get_content() for part in mail.iter_attachments()] == [b"%PDF-1.4 offer"]
    shown = desk.show(message)
    assert (shown["status"], shown["attempts"], shown["errorCode"]) == ("sent", 1, "")
    assert shown["sentAt"]
    timeline = desk.person.get(f"/v1/contacts/{contact['id']}/timeline").data
    assert [each["kind"] for each in timeline].count("message") == 1


def test_a_waiting_message_is_changed_and_called_off_and_a_sent_one_is_not(desk):
    contact = desk.contact()
    message = desk.write(contact, scheduledAt="2099-01-01T09:00:00Z")
    path = f"/v1/communications/{message['id']}"
    assert desk.send() == 0
    assert desk.person.put(path, {"subject": "New\r\nBcc: all@example.test"}).status == 422
    changed = desk.person.put(path, {"subject": "Better", "scheduledAt": "2020-01-01T09:00:00Z"})
    assert (changed.status, changed.data["subject"]) == (200, "Better")
    assert desk.send() == 1
    answer = desk.person.put(path, {"subject": "Too late"})
    assert (answer.status, answer.error["code"]) == (409, "ALREADY_SENT")
    other = desk.write(contact, scheduledAt="2099-01-01T09:00:00Z")
    cancelled = desk.person.put(f"/v1/communications/{other['id']}", {"status": "cancelled"})
    assert cancelled.data["status"] == "cancelled"
    again = desk.person.post(f"/v1/communications/{other['id']}/retry")
    assert again.data["status"] == "queued"
    assert desk.send() == 1


def test_a_no_that_was_said_while_it_waited_is_heard_when_it_is_sent(desk):
    contact = desk.contact()
    message = desk.write(contact)
    # Not by the signal that withdraws what waits: as a list that was loaded meanwhile.
    with organization_scope(desk.person.organization.id):
        EmailOptOut.objects.create(email=contact["email"], source="list")
    assert desk.send() == 0
    shown = desk.show(message)
    assert (shown["status"], shown["errorCode"]) == ("cancelled", "OPTED_OUT")
    assert desk.mailbox.mails == []


def test_an_opt_out_withdraws_what_waits_in_its_own_transaction(desk):
    contact = desk.contact()
    message = desk.write(contact, scheduledAt="2099-01-01T09:00:00Z")
    assert desk.person.post("/v1/dnc/opt-outs", {"emails": [contact["email"].upper()]}).status in (200, 201)
    assert desk.show(message)["errorCode"] == "OPTED_OUT"


def unsubscribe_path(mail):
    return re.search(r"/m/u/[^>]+", mail["List-Unsubscribe"])[0]


def bulk_mail(desk, contact):
    """Send a mail to a list of one and return it."""
    template = desk.template()
    answer = desk.person.post(
        "/v1/communications",
        {"filter": {"search": contact["email"]}, "templateId": template["id"], "inWindow": False},
    )
    assert answer.status == 202, answer
    desk.jobs()
    assert desk.send() == 1
    return desk.mailbox.to(contact["email"])[-1]


def test_one_click_unsubscribes_and_looking_at_the_link_does_not(desk):
    contact = desk.contact()
    mail = bulk_mail(desk, contact)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = unsubscribe_path(mail)
    assert path in mail.get_body(("plain",)).get_content()
    page = desk.person.client.get(path)
    assert page.status_code == 200
    assert contact["email"].encode() not in page.content
    later = desk.write(contact, scheduledAt="2099-01-01T09:00:00Z")
    assert desk.show(later)["status"] == "queued", "A GET changes nothing."
    for _ in range(2):
        assert desk.person.client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert desk.show(later)["errorCode"] == "OPTED_OUT"
    assert desk.person.client.post(path[:-3] + "abc").status_code == 404
    (sent,) = desk.rows(status="sent")
    assert sent.unsubscribed_at is not None


def test_a_refused_mailbox_bounces_and_is_not_written_to_again(desk):
    contact = desk.contact()
    desk.mailbox.answer = lambda address: "550 5.1.1 No such user"
    message = desk.write(contact)
    desk.send()
    shown = desk.show(message)
    assert (shown["status"], shown["errorCode"]) == ("bounced", "5.1.1")
    assert shown["errorMessage"] == "There is no such mailbox."
    (bounce,) = desk.person.get("/v1/communications/bounces").data
    assert (bounce["address"], bounce["isSuppressed"]) == (contact["email"], True)
    desk.mailbox.answer = lambda address: "250 OK"
    second = desk.write(contact)
    desk.send()
    assert desk.show(second)["errorCode"] == "ADDRESS_BOUNCED"
    assert desk.person.delete(f"/v1/communications/bounces/{bounce['id']}").status == 200
    assert desk.person.post(f"/v1/communications/{second['id']}/retry").status == 200
    assert desk.send() == 1


def test_a_busy_mailbox_is_tried_again_later_and_a_refused_text_is_not(desk):
    contact = desk.contact()
    desk.mailbox.after_data = lambda address: "451 4.7.1 Greylisted"
    message = desk.write(contact)
    desk.send()
    shown = desk.show(message)
    assert (shown["status"], shown["errorCode"], shown["attempts"]) == ("queued", "4.7.1", 1)
    assert desk.send() == 0, "Not before its time."
    desk.change(message, scheduled_at="2020-01-01T00:00Z")
    desk.mailbox.after_data = lambda address: "554 5.7.1 Spam"
    desk.send()
    assert desk.show(message)["status"] == "bounced"


def test_a_server_that_is_away_lets_messages_wait_and_says_so(desk, settings):
    message = desk.write(desk.contact())
    path = f"/v1/communications/accounts/{desk.account_id}"
    closed = desk.person.get(path).data["settings"] | {"port": "1"}
    assert desk.person.put(path, {"settings": closed}).status == 200
    desk.send()
    shown = desk.person.get(path).data
    assert (shown["health"], shown["lastErrorCode"]) == ("resting", "SMTP_UNREACHABLE")
    assert (desk.show(message)["status"], desk.show(message)["attempts"]) == ("queued", 0)
    opened = closed | {"port": str(desk.mailbox.port)}
    assert desk.person.put(path, {"settings": opened}).data["health"] == "working"
    assert desk.send() == 1


def dsn(message_id, address, status="5.1.1", action="failed"):
    return (
        "From: mailer-daemon@mx.example.test\r\nTo: bounces@acme.test\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.test\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


def test_delivery_reports_come_in_any_order_and_more_than_once(desk):
    contact = desk.contact()
    message = desk.write(contact)
    desk.send()
    name = desk.mailbox.to(contact["email"])[0]["Message-ID"]
    mail = dsn(name, contact["email"])
    for _ in range(2):
        assert post_signed(desk, mail, "message/rfc822").status_code == 200
    assert desk.show(message)["status"] == "bounced"
    (bounce,) = desk.person.get("/v1/communications/bounces").data
    assert bounce["bounces"] == 1, "The same report twice is one bounce."
    delivered = {"events": [{"messageId": name, "event": "delivered"}]}
    assert post_signed(desk, delivered).status_code == 200
    assert desk.show(message)["status"] == "delivered", "Proof of arrival is stronger."
    post_signed(desk, mail, "message/rfc822")
    assert desk.show(message)["status"] == "delivered"


def test_webhooks_unsigned_old_or_of_another_secret_are_refused(desk):
    body = {"events": []}
    assert post_signed(desk, body).status_code == 200
    assert post_signed(desk, body, secret="x" * 32).status_code == 401
    assert post_signed(desk, body, at=time.time() - 600).status_code == 401
    assert post_signed(desk, body, at=time.time() + 600).status_code == 401
    assert post_signed(desk, {"events": [{"event": "eaten", "messageId": "1"}]}).status_code == 401
    assert (
        desk.person.client.post("/v1/webhooks/comms/nobody", b"{}", content_type="application/json").status_code == 404
    )


def test_an_answer_is_threaded_and_ends_what_would_have_followed(desk):
    contact = desk.contact()
    message = desk.write(contact)
    desk.send()
    name = desk.mailbox.to(contact["email"])[0]["Message-ID"]
    raw = (
        f"From: Ada <{contact['email'].upper()}>\r\nTo: sales@acme.test\r\nSubject: Re: Hello\r\nIn-Reply-To: {name}\r\n"
        f"Message-ID: <{unique('reply')}@example.test>\r\nContent-Type: text/plain\r\n\r\nYes please.\r\n"
    ).encode()
    for _ in range(2):
        assert post_signed(desk, raw, "message/rfc822").status_code == 200
    thread = desk.person.get(f"/v1/communications?contactId={contact['id']}&sort=createdAt").data
    assert [(each["direction"], each["status"]) for each in thread] == [
        ("outbound", "replied"),
        ("inbound", "received"),
    ]
    assert (thread[1]["replyToId"], thread[1]["bodyText"]) == (message["id"], "Yes please.")
    back = desk.write(contact, replyToId=thread[1]["id"])
    desk.send()
    assert desk.mailbox.to(contact["email"])[-1]["In-Reply-To"] == thread[1]["providerId"]
    assert desk.show(back)["status"] == "sent"


def test_a_mail_that_lost_its_answer_is_unknown_until_a_person_decides(desk):
    contact = desk.contact()
    message = desk.write(contact)

    def hang_up(address):
        raise ConnectionResetError

    desk.mailbox.after_data = lambda address: "421 hanging up"
    desk.send()
    assert desk.show(message)["status"] == "queued"
    desk.change(message, status="sending", attempted_at="2020-01-01T00:00Z", claimed_until="2020-01-01T00:00Z")
    desk.rest_over()
    desk.mailbox.after_data = lambda address: "250 OK"
    assert desk.send() == 0
    shown = desk.show(message)
    assert (shown["status"], shown["errorCode"]) == ("unknown", "WORKER_LOST")
    refused = desk.person.post(f"/v1/communications/{message['id']}/retry")
    assert (refused.status, refused.error["code"]) == (409, "MAY_HAVE_ARRIVED")
    assert desk.person.post(f"/v1/communications/{message['id']}/retry", {"confirm": True}).status == 200
    assert desk.send() == 1


@pytest.mark.parametrize("field", ["subject", "bodyText", "bodyHtml"])
def test_template_literals_stay_literal(desk, field):
    text = "{{7*7}} {% debug %} {x.__class__}"
    template = desk.template(**{field: text}, **({} if field == "subject" else {"subject": "s"}))
    contact = desk.contact()
    desk.write(contact, templateId=template["id"])
    assert desk.send() == 1
    mail = desk.mailbox.to(contact["email"])[-1]
    kind = {"bodyText": "plain", "bodyHtml": "html"}
    shown = mail["Subject"] if field == "subject" else mail.get_body((kind[field],)).get_content()
    assert text in shown
