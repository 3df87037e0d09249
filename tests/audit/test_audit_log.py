"""GET /audit-log"""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import Person
from vocelio.audit.context import Actor, acting
from vocelio.audit.services import record
from vocelio.organizations.scope import organization_scope


@pytest.fixture
def written(manager: Person) -> list[uuid.UUID]:
    """Three entries of two people about two contacts; return the contacts' ids."""
    contacts = [uuid.uuid4(), uuid.uuid4()]
    browser = Actor(user_id=manager.user.id, door="api", ip_address="192.168.1.1", user_agent="Mozilla/5.0")
    with organization_scope(manager.organization.id):
        with acting(browser):
            record("contact.created", "contact", contacts[0], fields=["phone"])
            record("contact.deleted", "contact", contacts[0])
        record("contact.deleted", "contact", contacts[1])
    return contacts


def test_entries_have_the_documents_shape(manager: Person, written: list[uuid.UUID]) -> None:
    (entry,) = manager.get("/v1/audit-log?action=contact.created").data
    assert uuid.UUID(entry.pop("id")).version == 7
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "organizationId": str(manager.organization.id),
        "userId": str(manager.user.id),
        "action": "contact.created",
        "resource": "contact",
        "resourceId": str(written[0]),
        "details": {"fields": ["phone"]},
        "ipAddress": "192.168.1.1",
        "userAgent": "Mozilla/5.0",
        "door": "api",
        "requestId": "",
    }


def test_filters_narrow(manager: Person, written: list[uuid.UUID]) -> None:
    before, after = (f"{timezone.now() + timedelta(minutes=m):%Y-%m-%dT%H:%M:%SZ}" for m in (-1, 1))
    for query, count in [
        ("", 3),
        ("action=contact.deleted", 2),
        ("resource=contact", 3),
        ("resource=list", 0),
        (f"resourceId={written[0]}", 2),
        (f"userId={manager.user.id}", 2),
        (f"from={before}", 3),
        (f"from={after}", 0),
        (f"to={before}", 0),
        (f"from={before}&to={after}&action=contact.created", 1),
    ]:
        assert len(manager.get(f"/v1/audit-log?{query}").data) == count, query


@pytest.mark.parametrize("query", ["from=yesterday", "userId=1", "who=me", "sort=action"])
def test_bad_filters_are_422(manager: Person, query: str) -> None:
    assert manager.get(f"/v1/audit-log?{query}").status == 422


def test_newest_first_and_by_cursor(manager: Person, written: list[uuid.UUID]) -> None:
    entries = manager.get("/v1/audit-log").data
    ids, times = [entry["id"] for entry in entries], [entry["timestamp"] for entry in entries]
    assert times == sorted(times, reverse=True)
    first = manager.get("/v1/audit-log?cursor=&limit=2").json
    rest = manager.get(f"/v1/audit-log?limit=2&cursor={first['pagination']['nextCursor']}").json
    assert [entry["id"] for entry in first["data"] + rest["data"]] == ids


def test_one_entry_by_its_id(manager: Person, outsider: Person, written: list[uuid.UUID]) -> None:
    entry = manager.get("/v1/audit-log").data[0]
    assert manager.get(f"/v1/audit-log/{entry['id']}").data == entry
    assert outsider.get(f"/v1/audit-log/{entry['id']}").status == 404


def test_agents_may_not_read_it(agent: Person) -> None:
    assert agent.get("/v1/audit-log").status == 403
