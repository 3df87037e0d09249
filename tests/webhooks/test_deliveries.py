"""What fails is tried again for three days, what a dead worker sent goes out again, and a person may replay."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from tests.factories import Person, phone_number, run_jobs, wait_until
from tests.mortal import dying_at_statement, run_mortal
from tests.webhooks.receiver import Receiver
from vocelio.jobs.models import Doorbell
from vocelio.organizations.scope import organization_scope
from vocelio.webhooks.events import _types, all_types, without_values
from vocelio.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from vocelio.webhooks.services.fan_out import fan_out
from vocelio.webhooks.services.sending import DELAYS, send_deliveries

Tell = Callable[[], None]


def contact(person: Person) -> Any:
    return person.post("/v1/contacts", {"firstName": "Ada", "phone": phone_number()}).data


def let_pass(person: Person, **changes: Any) -> None:
    """Let the waits of an organization's deliveries and endpoints be over."""
    with organization_scope(person.organization.id):
        WebhookDelivery.objects.get_queryset().waiting().update(next_attempt_at=timezone.now())
        WebhookEndpoint.objects.update(resting_until=None, lease_until=None, **changes)


def raising_for(contact_id: str) -> Any:
    """Return a shape of events that one contact's data breaks, as a record no serializer expects would."""

    def shape(data: Any) -> dict[str, Any]:
        if data["contactId"] == contact_id:
            raise TypeError("Not what was expected")
        return without_values(data)

    return shape


def only_delivery(person: Person) -> Any:
    (delivery,) = person.get("/v1/webhook-deliveries").data
    return person.get(f"/v1/webhook-deliveries/{delivery['id']}").data


def test_a_delivery_that_fails_is_tried_again_and_every_attempt_is_shown(
    admin: Person, endpoint: Any, receiver: Receiver, tell: Tell
):
    receiver.answers = [500, 302]
    contact(admin)
    for _ in range(3):
        tell()
        let_pass(admin)
    shown = only_delivery(admin)
    assert (shown["status"], shown["attempts"], shown["responseStatus"]) == ("delivered", 3, 204)
    assert [each["responseStatus"] for each in shown["attemptLog"]] == [500, 302, 204]
    assert "redirects" in shown["attemptLog"][1]["error"]
    assert len({each.id for each in receiver.received}) == 1
    assert shown["request"]["headers"]["webhook-id"] == shown["event"]["id"] == receiver.received[0].id
    assert shown["request"]["body"].encode() == receiver.received[0].body
    assert "signature" not in str(shown)
    assert not Doorbell.objects.filter(pk=endpoint["id"]).exists()


def test_an_endpoint_is_deleted_while_its_answers_are_noted(admin: Person, endpoint: Any, tell: Tell):
    contact(admin)
    tell()

    def delete() -> int:
        try:
            return admin.delete(f"/v1/webhook-endpoints/{endpoint['id']}").status
        finally:
            connection.close()

    def is_waited_for() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))")
            return cursor.fetchone()[0]

    with ThreadPoolExecutor(1) as pool:
        with organization_scope(admin.organization.id):
            # In the order of who notes answers: the endpoint, then the attempts.
            WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint["id"])
            deleted = pool.submit(delete)
            wait_until(is_waited_for)
            assert WebhookAttempt.objects.update(error="") == 1
        assert deleted.result() == 200


def test_a_record_that_cannot_be_shown_is_set_aside_and_tried_again_while_others_go_out(
    admin: Person, endpoint: Any, receiver: Receiver, tell: Tell, monkeypatch: pytest.MonkeyPatch
):
    bad, good = contact(admin), contact(admin)
    created = next(each for each in all_types() if each.name == "contact.created")
    monkeypatch.setitem(_types, created.name, replace(created, shape=raising_for(bad["id"])))
    tell()
    tell()
    assert [each.json["data"]["contactId"] for each in receiver.received] == [good["id"]]
    (waiting,) = admin.get("/v1/webhook-deliveries?status=pending").data
    assert "could not be shown" in waiting["error"]
    monkeypatch.setitem(_types, created.name, created)
    let_pass(admin)
    tell()
    assert receiver.received[-1].json["data"]["contact"]["id"] == bad["id"]


def test_waits_grow_to_three_days_and_then_it_has_failed(admin: Person, endpoint: Any, receiver: Receiver, tell: Tell):
    receiver.answers = [500] * 10
    contact(admin)
    waits = []
    for _ in range(len(DELAYS)):
        tell()
        with organization_scope(admin.organization.id):
            waits.append((WebhookDelivery.objects.get().next_attempt_at - timezone.now()).total_seconds())
        let_pass(admin)
    tell()
    assert only_delivery(admin)["status"] == "failed"
    assert all(0.79 * delay - 5 < wait < 1.21 * delay for delay, wait in zip(DELAYS, waits, strict=True))
    assert sum(DELAYS) > 3 * 86_400
    assert len(receiver.received) == 10


def test_retry_after_is_honoured(admin: Person, endpoint: Any, receiver: Receiver, tell: Tell):
    receiver.answers = [(429, {"Retry-After": "900"})]
    contact(admin)
    tell()
    with organization_scope(admin.organization.id):
        assert WebhookDelivery.objects.get().next_attempt_at > timezone.now() + timedelta(minutes=14)
        assert WebhookEndpoint.objects.get().resting_until > timezone.now() + timedelta(minutes=14)
    contact(admin)
    tell()
    assert len(receiver.received) == 1


def test_an_endpoint_that_fails_for_three_days_is_switched_off_and_admins_are_told(
    admin: Person, agent: Person, endpoint: Any, receiver: Receiver, tell: Tell
):
    receiver.answers = [500, 500]
    contact(admin)
    tell()
    let_pass(admin, failing_since=F("failing_since") - timedelta(days=3))
    tell()
    shown = admin.get(f"/v1/webhook-endpoints/{endpoint['id']}").data
    assert shown["isEnabled"] is False
    assert "3 days" in shown["disabledReason"]
    assert [each["kind"] for each in admin.get("/v1/notifications").data] == ["webhook.disabled"]
    assert agent.get("/v1/notifications").data == []
    contact(admin)
    tell()
    assert len(receiver.received) == 2
    assert admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/test").status == 409
    # Enabled again, what waited goes on.
    let_pass(admin)
    admin.patch(f"/v1/webhook-endpoints/{endpoint['id']}", {"isEnabled": True})
    run_jobs(admin.organization)
    assert only_delivery(admin)["status"] == "delivered"


def test_410_gone_switches_it_off_at_once(admin: Person, endpoint: Any, receiver: Receiver, tell: Tell):
    receiver.answers = [410]
    contact(admin)
    tell()
    assert admin.get(f"/v1/webhook-endpoints/{endpoint['id']}").data["isEnabled"] is False
    assert only_delivery(admin)["status"] == "failed"


def test_a_delivery_is_replayed_under_the_same_id(admin: Person, endpoint: Any, receiver: Receiver, tell: Tell):
    contact(admin)
    tell()
    delivery = only_delivery(admin)
    again = admin.post(f"/v1/webhook-deliveries/{delivery['id']}/replay")
    assert (again.status, again.data["status"]) == (202, "pending")
    run_jobs(admin.organization)
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert len(only_delivery(admin)["attemptLog"]) == 2


def test_what_failed_since_a_time_is_sent_again(admin: Person, endpoint: Any, receiver: Receiver, tell: Tell):
    for _ in range(3):
        contact(admin)
    tell()
    with organization_scope(admin.organization.id):
        old, *_ = rows = list(WebhookDelivery.objects.order_by("created_at"))
        failed = {"status": "failed", "next_attempt_at": None}
        WebhookDelivery.objects.filter(pk__in=[each.pk for each in rows[:2]]).update(**failed)
        WebhookDelivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    since = (timezone.now() - timedelta(days=1)).isoformat()
    answer = admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/replay", {"since": since})
    assert (answer.status, answer.json["count"]) == (202, 1)
    run_jobs(admin.organization)
    assert len(receiver.received) == 4


@pytest.mark.parametrize(
    ("query", "found"),
    [("event=contact.created", 1), ("event=contact.deleted", 0), ("status=delivered", 1), ("status=failed", 0)],
)
def test_deliveries_are_found_by_event_status_and_endpoint(
    admin: Person, endpoint: Any, tell: Tell, query: str, found: int
):
    contact(admin)
    tell()
    assert len(admin.get(f"/v1/webhook-deliveries?{query}&endpointId={endpoint['id']}").data) == found


def die_sending(organization_id: Any, endpoint_id: str, trusted: str, moment: int) -> None:
    from django.conf import settings

    settings.OUTBOUND_TRUSTED = [trusted]
    with dying_at_statement(moment):
        send_deliveries(organization_id, endpoint_id)  # type: ignore[arg-type]


def test_a_worker_killed_at_any_moment_loses_nothing_and_repeats_under_the_same_id(
    admin: Person, endpoint: Any, receiver: Receiver
):
    for _ in range(2):
        contact(admin)
    fan_out(admin.organization.id)
    moment, killed = 1, True
    while killed:
        killed = run_mortal(die_sending, admin.organization.id, endpoint["id"], receiver.host, moment)
        let_pass(admin)
        moment += 2
    assert moment > 10
    run_jobs(admin.organization)
    assert {each["status"] for each in admin.get("/v1/webhook-deliveries").data} == {"delivered"}
    assert len({each.id for each in receiver.received}) == 2
    assert len(receiver.received) >= 2
