"""Idempotency-Key on an unsafe route."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connections
from django.utils import timezone

from contacts.models import ContactList
from tests.factories import Person
from vocelio.api.idempotency import purge_keys
from vocelio.api.models import IdempotencyKey
from vocelio.organizations.scope import organization_scope

KEY = {"Idempotency-Key": "order-1"}


def lists_of(person: Person) -> int:
    with organization_scope(person.organization.id):
        return ContactList.objects.count()


def test_the_same_key_and_body_replays_the_first_answer(admin):
    first = admin.post("/v1/contact-lists", {"name": "Leads"}, **KEY)
    second = admin.post("/v1/contact-lists", {"name": "Leads"}, **KEY)
    assert (first.status, second.status) == (201, 201)
    assert second.json == first.json
    assert second.headers["Idempotency-Replayed"] == "true"
    assert lists_of(admin) == 1


def test_the_same_key_with_another_body_is_refused(admin):
    admin.post("/v1/contact-lists", {"name": "Leads"}, **KEY)
    refused = admin.post("/v1/contact-lists", {"name": "Others"}, **KEY)
    assert (refused.status, refused.error["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert lists_of(admin) == 1


def test_keys_are_forgotten_after_a_day(admin):
    admin.post("/v1/contact-lists", {"name": "Leads"}, **KEY)
    admin.post("/v1/contact-lists", {"name": "Others"}, **{"Idempotency-Key": "order-2"})
    with organization_scope(admin.organization.id):
        IdempotencyKey.objects.filter(key="order-1").update(created_at=timezone.now() - timedelta(hours=25))
    purge_keys()
    with organization_scope(admin.organization.id):
        assert [entry.key for entry in IdempotencyKey.objects.all()] == ["order-2"]


def test_a_failed_request_frees_its_key(admin):
    assert admin.post("/v1/contact-lists", {"name": ""}, **KEY).status == 422
    assert admin.post("/v1/contact-lists", {"name": "Leads"}, **KEY).status == 201


def test_keys_belong_to_the_person_who_sent_them(admin, manager):
    assert admin.post("/v1/contact-lists", {"name": "Leads"}, **KEY).status == 201
    assert manager.post("/v1/contact-lists", {"name": "Leads"}, **KEY).status == 409


def test_parallel_requests_with_one_key_have_one_effect(admin):
    def send(_: int) -> tuple[int, str]:
        try:
            answer = admin.post("/v1/contact-lists", {"name": "Leads"}, **KEY)
            return answer.status, answer.data["id"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(16)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert lists_of(admin) == 1
