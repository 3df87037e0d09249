"""Wrong guesses are limited per account and address, without locking the owner out."""

import threading

import pytest
import redis
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client

from tests.factories import PASSWORD, Answer, Person, make_organization, make_person, unique
from tests.users.test_auth import actions
from vocelio.api import throttles
from vocelio.audit.models import AuditEntry
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import LoginAttempt
from vocelio.users.services.attempts import PER_ACCOUNT, PER_ADDRESS, account_key

WRONG = "not the password"
HOME, OFFICE = "192.0.2.10", "192.0.2.20"


@pytest.fixture
def person() -> Person:
    return make_person(make_organization())


def guess(email: str, address: str = HOME, password: str = WRONG) -> Answer:
    client = Client(SERVER_NAME="localhost", REMOTE_ADDR=address)
    body = {"email": email, "password": password}
    return Answer(client.post("/v1/auth/login", body, content_type="application/json"))


def botnet(email: str, guesses: int) -> list[int]:
    """Guess once from each of many addresses."""
    return [guess(email, f"203.0.113.{number}").status for number in range(1, guesses + 1)]


def grow_old(email: str, minutes: int) -> None:
    """Let the attempts at an account be this much older."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE login_attempts SET created_at = created_at - make_interval(mins => %s) WHERE account = %s",
            [minutes, account_key(email)],
        )


def test_ten_wrong_guesses_from_one_address_are_enough(person: Person) -> None:
    email = person.user.email
    assert [guess(email).status for _ in range(PER_ADDRESS)] == [401] * PER_ADDRESS
    refused = guess(email, password=PASSWORD)
    assert (refused.status, refused.error["code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(refused.headers["Retry-After"]) <= 15 * 60
    assert guess(email, OFFICE, PASSWORD).status == 200
    assert actions(person) == ["login.failed"] * PER_ADDRESS + ["login.succeeded"]


def test_guesses_are_allowed_again_after_a_quarter_of_an_hour(person: Person) -> None:
    email = person.user.email
    for _ in range(PER_ADDRESS):
        guess(email)
    grow_old(email, 16)
    assert guess(email, password=PASSWORD).status == 200


def test_a_success_forgives_the_mistakes_before_it(person: Person) -> None:
    email = person.user.email
    for _ in range(PER_ADDRESS - 1):
        guess(email)
    assert guess(email, password=PASSWORD).status == 200
    assert guess(email).status == 401


def test_a_botnet_gets_fifty_guesses_and_the_owner_enters_from_a_known_address(person: Person) -> None:
    email = person.user.email
    assert guess(email, OFFICE, PASSWORD).status == 200
    statuses = botnet(email, PER_ACCOUNT + 5)
    assert statuses == [401] * PER_ACCOUNT + [429] * 5
    assert guess(email, HOME, PASSWORD).status == 429
    assert guess(email, OFFICE, PASSWORD).status == 200


def test_an_unknown_account_is_limited_like_a_known_one() -> None:
    email = f"{unique('nobody')}@example.test"
    assert botnet(email, PER_ACCOUNT + 1)[-1] == 429
    assert not LoginAttempt.objects.filter(account__contains="nobody").exists()


def test_addresses_of_one_ipv6_customer_count_as_one(person: Person) -> None:
    email = person.user.email
    statuses = [guess(email, f"2001:db8:1:2::{number:x}").status for number in range(1, PER_ADDRESS + 2)]
    assert statuses[-1] == 429
    assert guess(email, "2001:db8:1:3::1", PASSWORD).status == 200
    assert guess(email, "2001:db8:1:3::2", PASSWORD).status == 200


def test_callers_of_ipv4_on_a_dual_stack_socket_are_told_apart(person: Person) -> None:
    email = person.user.email
    assert [guess(email, "::ffff:192.0.2.1").status for _ in range(PER_ADDRESS + 1)][-1] == 429
    assert guess(email, "::ffff:192.0.2.2", PASSWORD).status == 200
    with organization_scope(person.organization.id):
        assert AuditEntry.objects.get(action="login.succeeded").ip_address == "192.0.2.2"


def test_parallel_guesses_do_not_outrun_the_count(person: Person) -> None:
    statuses: list[int] = []
    barrier = threading.Barrier(14)

    def run() -> None:
        try:
            barrier.wait()
            statuses.append(guess(person.user.email).status)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(401) <= PER_ADDRESS
    assert set(statuses) <= {401, 429}


def test_guesses_are_limited_while_redis_is_down(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = redis.Redis(host="127.0.0.1", port=9)
    monkeypatch.setattr(throttles, "_redis", nowhere)
    statuses = [guess(person.user.email).status for _ in range(PER_ADDRESS + 1)]
    assert statuses == [401] * PER_ADDRESS + [429]
    monkeypatch.setattr(throttles, "_redis_back_at", 0.0)


def test_the_current_password_cannot_be_guessed_by_a_stolen_session(person: Person) -> None:
    body = {"currentPassword": "wrong", "newPassword": "a staple of horses"}
    statuses = [person.post("/v1/auth/password-change", body).status for _ in range(PER_ADDRESS + 1)]
    assert statuses == [422] * PER_ADDRESS + [429]


def test_an_unknown_address_costs_as_many_password_hashes_as_a_known_one(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def count(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)
    for email in (person.user.email, f"{unique('nobody')}@example.test"):
        hashed.clear()
        assert guess(email, "198.51.100.1").status == 401
        assert len(hashed) == 1
