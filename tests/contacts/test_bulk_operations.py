"""One change to many contacts; each that fails says why."""

import uuid

import pytest

from contacts.models import Contact
from contacts.signals import contacts_changed
from tests.contacts.test_contacts import make_contact, make_list
from tests.factories import Person
from vocelio.organizations.models import Visibility
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event


def bulk(person: Person, action: str, contact_ids: list[str], **data):
    return person.post("/v1/contacts/bulk-operations", {"action": action, "contactIds": contact_ids, "data": data})


def tags(person: Person, contact_id: str) -> list[str]:
    return person.get(f"/v1/contacts/{contact_id}").data["tags"]


def test_tags_are_added_once_and_removed(manager: Person):
    one, two = (make_contact(manager, tags=["old"])["id"] for _ in range(2))
    answer = bulk(manager, "add-tags", [one, two, one], tags=["2025-campaign", "old"])
    assert answer.json == {
        "message": "Bulk operation completed",
        "processed": 2,
        "successful": 2,
        "failed": 0,
        "errors": [],
    }
    assert tags(manager, one) == ["old", "2025-campaign"]
    bulk(manager, "remove-tags", [one], tags=["old", "never there"])
    assert (tags(manager, one), tags(manager, two)) == (["2025-campaign"], ["old", "2025-campaign"])
    assert [contact["id"] for contact in manager.get("/v1/contacts?tags=old").data] == [two]


def test_each_id_that_fails_is_listed_with_the_reason(manager: Person, outsider: Person):
    mine, foreign, unknown = make_contact(manager)["id"], make_contact(outsider)["id"], str(uuid.uuid4())
    full = make_contact(manager, tags=[str(number) for number in range(100)])["id"]
    result = bulk(manager, "add-tags", [mine, foreign, unknown, full], tags=["x"]).json
    assert (result["processed"], result["successful"], result["failed"]) == (4, 1, 3)
    codes = {error["contactId"]: error["code"] for error in result["errors"]}
    assert codes == {foreign: "NOT_FOUND", unknown: "NOT_FOUND", full: "TOO_MANY_TAGS"}


def test_moving_leaves_the_named_list_or_every_other(manager: Person):
    one, two, three = (make_list(manager, name) for name in ("One", "Two", "Three"))
    contact = make_contact(manager, listIds=[one, two])["id"]

    def lists() -> set[str]:
        return {entry["id"] for entry in manager.get(f"/v1/contacts/{contact}").data["lists"]}

    bulk(manager, "move-to-list", [contact], listId=three, fromListId=one)
    assert lists() == {two, three}
    bulk(manager, "move-to-list", [contact], listId=one)
    assert lists() == {one}
    bulk(manager, "add-to-list", [contact], listId=two)
    assert lists() == {one, two}
    bulk(manager, "remove-from-list", [contact], listId=one)
    assert lists() == {two}
    again = bulk(manager, "remove-from-list", [contact], listId=one).json
    assert again["errors"][0]["code"] == "NOT_ON_LIST"


def test_delete_and_restore(manager: Person):
    one, two = make_contact(manager), make_contact(manager)
    ids = [one["id"], two["id"]]
    assert bulk(manager, "delete", ids).json["successful"] == 2
    assert bulk(manager, "delete", ids).json["failed"] == 2
    make_contact(manager, phone=one["phone"])
    result = bulk(manager, "restore", [*ids, str(uuid.uuid4())]).json
    assert result["successful"] == 1
    assert {error["code"] for error in result["errors"]} == {"CONTACT_EXISTS", "NOT_FOUND"}
    assert bulk(manager, "restore", [two["id"]]).json["errors"][0]["code"] == "NOT_IN_TRASH"


def test_of_deleted_contacts_with_one_phone_the_last_comes_back(manager: Person):
    first = make_contact(manager)
    manager.delete(f"/v1/contacts/{first['id']}")
    second = make_contact(manager, phone=first["phone"])
    manager.delete(f"/v1/contacts/{second['id']}")
    result = bulk(manager, "restore", [first["id"], second["id"]]).json
    assert [error["contactId"] for error in result["errors"]] == [first["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "explode"}, "action"),
        ({"action": "add-tags", "data": {}}, "data.tags"),
        ({"action": "add-tags", "data": {"tags": []}}, "data.tags"),
        ({"action": "move-to-list"}, "data.listId"),
        ({"action": "move-to-list", "data": {"listId": str(uuid.uuid4())}}, "data.listId"),
        ({"action": "delete", "contactIds": []}, "contactIds"),
        ({"action": "delete", "contactIds": ["x"]}, "contactIds.0"),
        ({"action": "delete", "contactIds": [str(uuid.uuid4()) for _ in range(10_001)]}, "contactIds"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(manager: Person, body, field):
    answer = manager.post("/v1/contacts/bulk-operations", {"contactIds": [str(uuid.uuid4())], **body})
    assert answer.status == 422
    assert answer.error["details"]["field"] == field


def test_agents_change_no_contacts_in_bulk(agent: Person):
    assert bulk(agent, "delete", [str(uuid.uuid4())]).status == 403


def test_ownership_holds_in_bulk(manager: Person, agent: Person):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save()
    contact = make_contact(manager, assignedTo=str(manager.user.id))["id"]
    assert bulk(manager, "add-tags", [contact], tags=["x"]).json["successful"] == 1
    assert agent.get("/v1/contacts?tags=x").data == []


def test_ten_thousand_contacts_are_one_event_and_one_signal(manager: Person):
    with organization_scope(manager.organization.id):
        contacts = Contact.objects.bulk_create([Contact(email=f"{number}@example.com") for number in range(10_000)])
    ids = [str(contact.pk) for contact in contacts]
    signals = []

    def receive(organization_id, contact_ids, **kwargs):
        signals.append((organization_id, len(contact_ids)))

    contacts_changed.connect(receive)
    try:
        answer = bulk(manager, "move-to-list", ids, listId=make_list(manager))
    finally:
        contacts_changed.disconnect(receive)
    assert answer.json["successful"] == 10_000
    assert signals == [(manager.organization.id, 10_000)]
    with organization_scope(manager.organization.id):
        event = Event.objects.get(topic="contacts")
    assert (event.type, event.data["action"], event.data["count"]) == ("contacts_changed", "move-to-list", 10_000)
