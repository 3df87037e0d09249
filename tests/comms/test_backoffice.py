"""The back office of messages: what was caught, batches, sequences, rules, accounts, previews."""

import re

import pytest
from django.urls import reverse

from comms.models import ChannelAccount, CommsSettings, Communication, Enrolment, MessageBatch, Sequence
from comms.services import outbox
from contacts.models import Contact, ContactList
from dnc.models import EmailOptOut
from tests.backoffice.conftest import enter
from tests.factories import Person, make_organization, make_person, run_jobs, unique
from vocelio.organizations.models import Role
from vocelio.organizations.scope import organization_scope


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EMAIL_FILE_PATH = tmp_path


@pytest.fixture
def account(admin: Person):
    body = {"provider": "catch_all", "name": "Demo mail", "settings": {"fromEmail": "sales@acme.test"}}
    answer = admin.post("/v1/communications/accounts", body)
    assert answer.status == 201, answer
    return answer.data


@pytest.fixture
def contact(admin: Person):
    return admin.post("/v1/contacts", {"firstName": "Zoë", "email": f"{unique('z')}@example.test"}).data


@pytest.fixture
def admin(organization):
    return enter(make_person(organization, Role.ADMIN))


@pytest.fixture
def manager(organization):
    return enter(make_person(organization, Role.MANAGER))


@pytest.fixture
def outsider():
    return enter(make_person(make_organization(), Role.ADMIN))


def page(person: Person, name: str, *args, data=None, **query):
    address = reverse(f"admin:{name}", args=args)
    return person.client.get(address, query) if data is None else person.client.post(address, data)


def template(person: Person, **fields):
    body = {"name": unique("t"), "channel": "email", "subject": "Hello", "bodyText": "Dear {{first_name|there}}"}
    return person.post("/v1/communications/templates", body | fields).data


def rows(person: Person, model):
    with organization_scope(person.organization.id):
        return list(model.objects.all())


def test_a_newcomer_writes_and_sees_what_would_have_been_sent(admin: Person, account, contact, outsider: Person):
    data = {"contact": contact["email"], "channel": "email", "subject": "Grüße", "body_text": "Dear {Zoë}"}
    seen = page(admin, "comms_communication_preview", data=data).json()
    assert (seen["to"], seen["subject"], seen["problems"]) == (contact["email"], "Grüße", [])
    answer = page(admin, "comms_communication_add", data=data)
    (message,) = rows(admin, Communication)
    assert answer["Location"] == reverse("admin:comms_communication_change", args=[message.pk])
    assert outbox.send_account(admin.organization.id, account["id"]) == 1
    assert contact["email"] in page(admin, "comms_caught").content.decode()
    shown = page(admin, "comms_caught_mail", message.pk).content.decode()
    assert "Grüße" in shown
    assert "Dear {Zoë}" in shown
    assert page(outsider, "comms_caught_mail", message.pk).status_code == 404
    assert contact["email"] not in page(outsider, "comms_caught").content.decode()


def test_a_batch_is_seen_before_it_is_started(admin: Person, account, contact):
    with organization_scope(admin.organization.id):
        people = ContactList.objects.create(name=unique("list"))
        people.memberships.create(contact=Contact.objects.get(pk=contact["id"]))
    chosen = template(admin)
    data = {"contact_list": people.pk, "template": chosen["id"], "share_a": 50, "spread_minutes": 0}
    seen = page(admin, "comms_messagebatch_preview", data=data).json()
    assert seen["note"].startswith("Reaches 1 of 1 people, for about 0.00 USD.")
    assert seen["body_text"] == "Dear Zoë"
    assert rows(admin, MessageBatch) == []
    refused = page(admin, "comms_messagebatch_add", data={**data, "version_b": 1})
    assert "Compare two different versions." in refused.content.decode()
    assert page(admin, "comms_messagebatch_add", data=data).status_code == 302
    run_jobs(admin.organization)
    outbox.send_account(admin.organization.id, account["id"])
    (batch,) = rows(admin, MessageBatch)
    assert "1 sent" in page(admin, "comms_messagebatch_change", batch.pk).content.decode()
    answer = page(admin, "comms_messagebatch_changelist", data={"action": "pause", "_selected_action": [batch.pk]})
    assert answer.status_code == 302


def test_a_template_shows_its_words_as_they_arrive(admin: Person, account, contact):
    data = {"channel": "email", "subject": "{{first_name}}", "body_text": "{{offer}}", "body_html": ""}
    seen = page(admin, "comms_communicationtemplate_preview", data=data).json()
    assert (seen["subject"], seen["note"]) == ("Zoë", "For Zoë:")
    assert seen["problems"][0]["code"] == "MISSING_VARIABLE"
    assert "data-form" in page(admin, "comms_communicationtemplate_add").content.decode()


def test_a_sequence_is_made_changed_and_people_sent_through(admin: Person, account, contact):
    first, second = template(admin), template(admin)
    forms = {"steps-TOTAL_FORMS": 2, "steps-INITIAL_FORMS": 0}
    steps = {"steps-0-template": first["id"], "steps-0-wait_hours": 0, "steps-0-times": 1}
    more = {"steps-1-template": second["id"], "steps-1-wait_hours": 72, "steps-1-times": 3}
    data = {"name": "Outreach", "is_active": "on", **forms, **steps, **more}
    assert page(admin, "comms_sequence_add", data=data).status_code == 302
    (sequence,) = rows(admin, Sequence)
    shown = page(admin, "comms_sequence_change", sequence.pk).content.decode()
    assert re.search(r'name="steps-1-wait_hours"[^>]*value="72"|value="72"[^>]*name="steps-1-wait_hours"', shown)
    again = page(admin, "comms_sequence_add", data=data)
    assert "There is a sequence of this name already." in again.content.decode()
    with organization_scope(admin.organization.id):
        people = ContactList.objects.create(name=unique("list"))
        people.memberships.create(contact=Contact.objects.get(pk=contact["id"]))
    page(admin, "comms_sequence_change", sequence.pk, data={"enrol": 1, "contact_list": people.pk})
    (enrolment,) = rows(admin, Enrolment)
    page(admin, "comms_enrolment_changelist", data={"action": "stop", "_selected_action": [enrolment.pk]})
    assert rows(admin, Enrolment)[0].stopped_by == "person"


def test_rules_are_one_set(admin: Person):
    data = {"window_start": "08:00", "window_end": "17:00", "time_zone": "Europe/Berlin", "cap_day": 2, "cap_week": ""}
    assert page(admin, "comms_commssettings_add", data=data).status_code == 302
    (rules,) = rows(admin, CommsSettings)
    assert (rules.cap_day, rules.cap_week, rules.time_zone) == (2, None, "Europe/Berlin")
    assert page(admin, "comms_commssettings_add")["Location"].endswith(f"{rules.pk}/change/")
    shown = page(admin, "comms_commssettings_change", rules.pk, data={**data, "time_zone": "Mars/Base"})
    assert "There is no such time zone." in shown.content.decode()


def test_an_account_is_connected_and_its_secret_never_shown(admin: Person, manager: Person):
    data = {
        "name": "Mail", "settings.host": "mail.example.com", "settings.port": "587", "settings.username": "me",
        "settings.fromEmail": "sales@acme.test", "secrets.password": "s3cret-pass",
    }  # fmt: skip
    assert page(manager, "comms_channelaccount_connect", "smtp").status_code == 403
    broken = page(admin, "comms_channelaccount_connect", "smtp", data={**data, "settings.port": "x"})
    assert "port is a number" in broken.content.decode()
    assert page(admin, "comms_channelaccount_connect", "smtp", data=data).status_code == 302
    (account,) = rows(admin, ChannelAccount)
    shown = page(admin, "comms_channelaccount_connection", account.pk).content.decode()
    assert "mail.example.com" in shown
    assert "s3cret" not in shown
    del data["secrets.password"]
    page(admin, "comms_channelaccount_connection", account.pk, data={**data, "settings.fromName": "Acme"})
    kept = admin.get(f"/v1/communications/accounts/{account.pk}").data
    assert (kept["settings"]["fromName"], kept["secretsSet"]) == ("Acme", {"password": ""})
    moved = page(admin, "comms_channelaccount_connection", account.pk, data={**data, "settings.host": "evil.example"})
    assert "needs the secrets again" in moved.content.decode()
    assert page(admin, "comms_channelaccount_connect", "pigeon").status_code == 404


def test_an_e_mail_opt_out_is_entered_found_and_taken_back(admin: Person, contact):
    page(admin, "dnc_emailoptout_add", data={"email": contact["email"].upper(), "reason": "By phone"})
    (row,) = rows(admin, EmailOptOut)
    assert (row.email, row.reason) == (contact["email"], "By phone")
    (listed,) = admin.get(f"/v1/dnc/email-opt-outs?email={contact['email'].upper()}").data
    assert (listed["email"], listed["source"]) == (contact["email"], "back office")
    assert admin.delete(f"/v1/dnc/email-opt-outs/{row.pk}").status == 200
    assert admin.get("/v1/dnc/email-opt-outs").data == []
