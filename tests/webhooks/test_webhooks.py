"""Endpoints are told what happens, signed, once for each fact, and of nobody else's."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks import WebhookVerificationError

from contacts.models import Contact
from tests.factories import Person, make_organization, make_person, phone_number, run_jobs, unique, wait_until
from tests.rows import make_row
from tests.webhooks.receiver import Receiver
from vocelio.organizations.models import Role
from vocelio.organizations.scope import organization_scope
from vocelio.webhooks.events import all_types
from vocelio.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from vocelio.webhooks.payloads import show, view_of
from vocelio.webhooks.services.deliveries import purge_deliveries
from vocelio.webhooks.services.fan_out import fan_out, organizations_behind

Tell = Callable[[], None]


def contact(person: Person, **fields: Any) -> Any:
    return person.post("/v1/contacts", {"firstName": "Ada", "phone": phone_number(), **fields}).data


def types(receiver: Receiver) -> list[str]:
    return [each.json["type"] for each in receiver.received]


def test_a_new_contact_is_told_signed_as_the_specification_says(
    admin: Person, endpoint: Any, receiver: Receiver, tell: Tell
):
    made = contact(admin, privateNotes="Owes us a favour")
    tell()
    (request,) = receiver.received
    payload = request.verified(endpoint["secret"])
    assert payload["type"] == "contact.created"
    assert payload["id"] == request.id
    assert payload["organizationId"] == str(admin.organization.id)
    assert payload["data"]["contactId"] == made["id"]
    shown = admin.get(f"/v1/contacts/{made['id']}").data
    assert payload["data"]["contact"] == {name: value for name, value in shown.items() if name != "privateNotes"}
    assert b"favour" not in request.body
    # By hand, as a receiver without the library would.
    key = base64.b64decode(endpoint["secret"].removeprefix("whsec_"))
    content = f"{request.id}.{request.headers['webhook-timestamp']}.".encode() + request.body
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{digest}"
    with pytest.raises(WebhookVerificationError):
        request.verified("whsec_" + base64.b64encode(b"x" * 32).decode())


def test_an_endpoint_is_told_what_it_asked_for_and_other_organizations_nothing(
    admin: Person, outsider: Person, receiver: Receiver, tell: Tell
):
    admin.post("/v1/webhook-endpoints", {"url": receiver.url, "events": ["contact.deleted", "member.*"]})
    made = contact(admin)
    contact(outsider)
    admin.delete(f"/v1/contacts/{made['id']}")
    member = make_person(admin.organization, Role.AGENT)
    membership = member.user.memberships.get()
    admin.patch(f"/v1/members/{membership.pk}", {"role": "manager"})
    admin.delete(f"/v1/members/{membership.pk}")
    tell()
    assert sorted(types(receiver)) == ["contact.deleted", "member.removed", "member.updated"]
    deleted = next(each.json for each in receiver.received if each.json["type"] == "contact.deleted")
    assert deleted["data"]["contact"] is None


def test_fifty_contacts_changed_at_once_are_one_event(admin: Person, endpoint: Any, receiver: Receiver, tell: Tell):
    with organization_scope(admin.organization.id):
        ids = [str(make_row(Contact).pk) for _ in range(50)]
    admin.post("/v1/contacts/bulk-operations", {"action": "delete", "contactIds": ids})
    tell()
    (told,) = [each.json for each in receiver.received]
    assert (told["type"], told["data"]["action"], told["data"]["count"]) == ("contacts.changed", "delete", 50)


def test_a_merge_names_who_stays_and_who_went(admin: Person, endpoint: Any, receiver: Receiver, tell: Tell):
    kept, gone = contact(admin), contact(admin)
    answer = admin.post("/v1/contacts/merge", {"contactId": kept["id"], "mergeIds": [gone["id"]]})
    assert answer.status == 200, answer
    tell()
    (told,) = [each.json["data"] for each in receiver.received if each.json["type"] == "contact.merged"]
    assert (told["survivorId"], told["absorbedIds"]) == (kept["id"], [gone["id"]])


def test_an_erased_person_leaves_no_trace_in_deliveries(admin: Person, endpoint: Any, receiver: Receiver, tell: Tell):
    name = unique("Name")
    made = contact(admin, lastName=name)
    tell()
    answer = admin.post(f"/v1/contacts/{made['id']}/erase", {"confirm": True})
    assert answer.status < 300, answer
    with organization_scope(admin.organization.id):
        assert [each for each in WebhookEvent.objects.all() if name in each.body] == []
    tell()
    (told,) = [each.json for each in receiver.received if each.json["type"] == "contact.erased"]
    assert told["data"] == {"contactId": made["id"], "updatedBy": str(admin.user.id), "listIds": []}


def test_each_event_is_told_once_however_often_workers_look(
    admin: Person, endpoint: Any, receiver: Receiver, tell: Tell
):
    contact(admin)
    assert admin.organization.id in organizations_behind()
    for _ in range(3):
        tell()
    assert types(receiver) == ["contact.created"]
    assert admin.organization.id not in organizations_behind()


def test_what_happened_before_an_endpoint_was_enabled_is_not_told(
    admin: Person, endpoint: Any, receiver: Receiver, tell: Tell
):
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    assert admin.patch(path, {"isEnabled": False}).data["isEnabled"] is False
    contact(admin)
    tell()
    admin.patch(path, {"isEnabled": True})
    after = contact(admin)
    tell()
    (told,) = receiver.received
    assert told.json["data"]["contactId"] == after["id"]


def test_a_rotated_secret_signs_beside_the_one_before_for_a_day(
    admin: Person, endpoint: Any, receiver: Receiver, tell: Tell
):
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    rotated = admin.post(f"{path}/rotate-secret").data
    assert rotated["secret"] != endpoint["secret"]
    assert "secret" not in admin.get(path).data
    contact(admin)
    tell()
    for secret in (endpoint["secret"], rotated["secret"]):
        assert receiver.received[0].verified(secret)["type"] == "contact.created"
    with organization_scope(admin.organization.id):
        WebhookEndpoint.objects.update(previous_until=timezone.now())
    contact(admin)
    tell()
    assert receiver.received[1].verified(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        receiver.received[1].verified(endpoint["secret"])


def test_the_secret_rests_encrypted_and_shows_once(admin: Person, endpoint: Any):
    with organization_scope(admin.organization.id):
        stored = WebhookEndpoint.objects.values_list("secret", flat=True).get(pk=endpoint["id"])
    assert endpoint["secret"] not in str(stored)
    assert "secret" not in json.dumps(admin.get("/v1/webhook-endpoints").json)


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "https://example.com:8443/x", "https://me:you@example.com/", "ftp://example.com"]
)
def test_an_address_that_is_not_plain_https_is_refused(admin: Person, url: str):
    answer = admin.post("/v1/webhook-endpoints", {"url": url, "events": ["*"]})
    assert answer.status == 422
    assert "url" in str(answer.error["details"])


def test_an_address_that_leads_inside_is_never_called(admin: Person, endpoint: Any, settings: Any, tell: Tell):
    settings.OUTBOUND_TRUSTED = []
    with organization_scope(admin.organization.id):
        WebhookEndpoint.objects.update(url="https://localhost/hook")
    delivery = admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/test").data
    tell()
    shown = admin.get(f"/v1/webhook-deliveries/{delivery['id']}").data
    assert (shown["status"], shown["responseStatus"]) == ("pending", None)
    assert "OutboundRefused" in shown["error"]


def test_unknown_events_are_named(admin: Person, receiver: Receiver):
    answer = admin.post("/v1/webhook-endpoints", {"url": receiver.url, "events": ["contact.created", "cat.*"]})
    assert answer.status == 422
    assert "cat.*" in answer.error["message"]


def test_the_catalogue_has_an_example_of_every_type(admin: Person):
    catalogue = {each["name"]: each["example"] for each in admin.get("/v1/webhook-endpoints/events").data}
    assert set(catalogue) == {each.name for each in all_types()}
    assert catalogue["contact.created"]["data"]["contact"]["firstName"]
    assert "privateNotes" not in catalogue["contact.created"]["data"]["contact"]


@pytest.mark.parametrize("event_type", [each for each in all_types() if each.shows], ids=lambda each: each.name)
def test_every_type_shows_its_record_as_get_does(event_type: Any, admin: Person):
    shown = event_type.shows
    view = view_of(shown)
    if view.model.__name__ == "Membership":
        record = admin.user.memberships.get()
    else:
        with organization_scope(admin.organization.id):
            record = make_row(view.model)
    with organization_scope(admin.organization.id):
        assert str(show(shown, {shown.key: str(record.pk)})["id"]) == str(record.pk)
        assert show(shown, {shown.key: str(admin.user.id)}) is None


def test_events_are_told_at_once_when_redis_says_somebody_listens(
    admin: Person, endpoint: Any, monkeypatch: pytest.MonkeyPatch
):
    rung: list[str] = []
    monkeypatch.setattr("vocelio.webhooks.receivers.ring", lambda *args: rung.append(args[2]))
    contact(admin)
    contact(admin)
    assert rung == ["vocelio.webhooks.tasks.fan_out"]
    contact(make_person(make_organization()))
    assert len(rung) == 1


@pytest.mark.upkeep
def test_deliveries_older_than_thirty_days_are_forgotten(admin: Person, endpoint: Any, tell: Tell):
    for _ in range(2):
        contact(admin)
    tell()
    with organization_scope(admin.organization.id):
        old = WebhookEvent.objects.first()
        WebhookEvent.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    purge_deliveries()
    with organization_scope(admin.organization.id):
        assert WebhookEvent.objects.count() == WebhookDelivery.objects.count() == 1


def test_a_slow_endpoint_holds_up_nobody_else(admin: Person, endpoint: Any, receiver: Receiver, settings: Any):
    slow = Receiver()
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, slow.host]
    slow.gate.clear()
    admin.post("/v1/webhook-endpoints", {"url": slow.url, "events": ["*"]})
    for _ in range(6):
        contact(admin)
    fan_out(admin.organization.id)

    def work() -> None:
        run_jobs(admin.organization)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    workers[0].start()
    wait_until(lambda: len(slow.received) == 4)
    workers[1].start()
    wait_until(lambda: len(receiver.received) == 6)
    assert len(slow.received) == 4
    slow.gate.set()
    for worker in workers:
        worker.join()
    slow.shutdown()
    slow.server_close()
