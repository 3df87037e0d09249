"""A new master key, while everything runs."""

import secrets
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from comms.services.tokens import UNSUBSCRIBE, make_token, read_token
from contacts.models import Contact
from tests.factories import Person, make_organization, phone_number
from vocelio.crypto import rotation
from vocelio.crypto.envelope import Undecryptable
from vocelio.crypto.rotation import count_keys, rewrap_batches
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

pytestmark = pytest.mark.upkeep

CANARY = "canary-4711"


@pytest.fixture
def old(settings: Any) -> Iterator[list[str]]:
    """The master keys before the rotation; afterwards they wrap everything again, for the tests that follow."""
    before = settings.MASTER_KEYS
    yield before
    settings.MASTER_KEYS = [*before, *settings.MASTER_KEYS]
    for _ in rewrap_batches():
        pass


def keep_secret(organization: Organization) -> Any:
    with organization_scope(organization.id):
        return Contact.objects.create(first_name="Ada", phone=phone_number(), private_notes=CANARY).pk


def read_secret(organization: Organization, pk: Any) -> str:
    with organization_scope(organization.id):
        notes: str = Contact.objects.get(pk=pk).private_notes
        return notes


def test_rotation_accepts_two_master_keys_and_ends_with_the_new_one(organization, settings, old):
    new = secrets.token_urlsafe(32)
    contact = keep_secret(organization)
    settings.MASTER_KEYS = [new, *old]
    assert read_secret(organization, contact) == CANARY
    assert count_keys().older >= 1
    call_command("rotate_master_key")
    assert count_keys().older == 0
    settings.MASTER_KEYS = [new]
    assert read_secret(organization, contact) == CANARY
    settings.MASTER_KEYS = old
    with pytest.raises(Undecryptable):
        read_secret(organization, contact)
    assert count_keys().unreadable >= 1
    settings.MASTER_KEYS = [new]


def test_a_rotation_that_was_stopped_goes_on(settings, old, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 2)
    organizations = [make_organization() for _ in range(5)]
    contacts = [keep_secret(organization) for organization in organizations]
    settings.MASTER_KEYS = [secrets.token_urlsafe(32), *old]
    stopped = rewrap_batches()
    next(stopped)
    stopped.close()
    assert count_keys().older >= 3
    for _ in rewrap_batches():
        pass
    settings.MASTER_KEYS = settings.MASTER_KEYS[:1]
    assert [read_secret(*each) for each in zip(organizations, contacts, strict=True)] == [CANARY] * 5


def test_nothing_fails_to_be_read_or_written_while_keys_are_rotated(settings, old, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 1)
    organizations = [make_organization() for _ in range(4)]
    contacts = [keep_secret(organization) for organization in organizations]
    settings.MASTER_KEYS = [secrets.token_urlsafe(32), *old]
    done, wrong = threading.Event(), []

    def work() -> None:
        try:
            while not done.is_set():
                for organization, contact in zip(organizations, contacts, strict=True):
                    if read_secret(organization, contact) != CANARY:
                        wrong.append("another text")
                    keep_secret(organization)
        except Undecryptable as error:
            wrong.append(str(error))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for _ in rewrap_batches():
        pass
    done.set()
    for worker in workers:
        worker.join()
    assert wrong == []
    assert count_keys().older == 0


def test_with_one_master_key_there_is_nothing_to_rotate():
    with pytest.raises(CommandError, match="MASTER_KEYS=new,old"):
        call_command("rotate_master_key")


def test_tokens_and_links_of_the_secrets_before_are_accepted_until_those_are_taken_out(admin: Person, settings: Any):
    access, link = admin.token, make_link(admin)
    settings.JWT_SECRET_FALLBACKS, settings.JWT_SECRET = [settings.JWT_SECRET], secrets.token_urlsafe(48)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], secrets.token_urlsafe(48)
    assert status(admin, access) == status(admin, admin.token) == 200
    assert access != admin.token
    assert read_token(UNSUBSCRIBE, link) == read_token(UNSUBSCRIBE, make_link(admin))
    assert link != make_link(admin)
    settings.JWT_SECRET_FALLBACKS = settings.SECRET_KEY_FALLBACKS = []
    assert status(admin, access) == 401
    assert status(admin, admin.token) == 200
    assert read_token(UNSUBSCRIBE, link) is None


def make_link(person: Person) -> str:
    with organization_scope(person.organization.id):
        return make_token(UNSUBSCRIBE, person.user.id)


def status(person: Person, token: str) -> int:
    answer = person.client.get("/v1/contacts?limit=1", headers={"Authorization": f"Bearer {token}"})
    return int(answer.status_code)
