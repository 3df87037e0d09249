"""One contact at a time, through the API."""

import threading
import uuid

import pytest
from django.db import connection

from tests.factories import Person, make_person, phone_number
from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event

FULL = {
    "firstName": "Jane",
    "lastName": "Smith",
    "email": "Jane@Example.com",
    "company": "Tech Inc",
    "title": "Marketing Director",
    "address": "456 Oak Ave",
    "city": "Los Angeles",
    "state": "CA",
    "zip": "90210",
    "country": "us",
    "tags": ["new-lead", " marketing ", "new-lead"],
    "customFields": {"leadScore": 75, "nested_key": {"camel_case": True}},
    "notes": "Met at tech conference 2025",
    "source": "conference",
}


def make_list(person: Person, name: str = "VIP Customers") -> str:
    return person.post("/v1/contact-lists", {"name": name}).data["id"]


def make_contact(person: Person, **fields):
    answer = person.post("/v1/contacts", {"phone": phone_number(), **fields})
    assert answer.status == 201, answer
    return answer.data


def test_create_answers_the_whole_contact(manager: Person):
    lists = [make_list(manager, "One"), make_list(manager, "Two")]
    phone = phone_number()
    answer = manager.post(
        "/v1/contacts", {**FULL, "phone": f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}", "listIds": lists}
    )
    assert answer.status == 201
    contact = answer.data
    assert contact["phone"] == phone
    assert contact["phoneFormatted"] == f"+1 ({phone[2:5]}) {phone[5:8]}-{phone[8:]}"
    assert contact["email"] == "jane@example.com"
    assert contact["country"] == "US"
    assert contact["tags"] == ["new-lead", "marketing"]
    assert contact["customFields"] == FULL["customFields"]
    assert contact["status"] == "active"
    assert contact["contactCount"] == 0
    assert contact["lastContactDate"] is None
    assert contact["createdBy"] == {"id": str(manager.user.id), "name": manager.user.name}
    assert {entry["id"] for entry in contact["lists"]} == set(lists)
    assert set(contact["lists"][0]) == {"id", "name", "addedAt"}
    assert contact["lists"][0]["addedAt"].endswith("Z")
    assert manager.get(f"/v1/contacts/{contact['id']}").data == contact


def test_agents_write_contacts_but_do_not_delete_them(agent: Person):
    contact = make_contact(agent)
    assert agent.patch(f"/v1/contacts/{contact['id']}", {"title": "CTO"}).status == 200
    assert agent.delete(f"/v1/contacts/{contact['id']}").status == 403


def test_a_phone_that_is_none_is_refused_with_the_reason(manager: Person):
    answer = manager.post("/v1/contacts", {"phone": "555-CALL", "email": "nonsense", "firstName": "x" * 101})
    assert answer.status == 422
    assert {problem["field"] for problem in answer.error["details"]["errors"]} == {"phone", "email", "firstName"}
    assert manager.post("/v1/contacts", {"phone": "+1 555"}).error["details"]["field"] == "phone"


def test_the_organizations_region_decides_how_a_phone_is_read(manager: Person):
    manager.organization.default_region = "GB"
    manager.organization.save()
    contact = make_contact(manager, phone="020 7946 0958")
    assert (contact["phone"], contact["phoneFormatted"]) == ("+442079460958", "+44 20 7946 0958")


def test_a_contact_needs_a_phone_or_an_email(manager: Person):
    assert manager.post("/v1/contacts", {"firstName": "Nobody"}).status == 422
    only_email = manager.post("/v1/contacts", {"email": "only@example.com", "phone": None})
    assert only_email.status == 201
    assert only_email.data["phone"] is None
    assert only_email.data["phoneFormatted"] is None
    assert manager.patch(f"/v1/contacts/{only_email.data['id']}", {"email": ""}).status == 422


def test_a_second_contact_with_the_phone_is_refused_and_the_first_named(manager: Person, outsider: Person):
    contact = make_contact(manager)
    answer = manager.post("/v1/contacts", {"phone": contact["phone"]})
    assert (answer.status, answer.error["code"]) == (409, "CONTACT_EXISTS")
    assert answer.error["details"]["existingId"] == contact["id"]
    other = make_contact(manager)
    assert manager.put(f"/v1/contacts/{other['id']}", {"phone": contact["phone"]}).status == 409
    assert outsider.post("/v1/contacts", {"phone": contact["phone"]}).status == 201


def test_a_duplicate_does_not_name_a_contact_the_caller_may_not_see(manager: Person, agent: Person):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save()
    contact = make_contact(manager, assignedTo=str(manager.user.id))
    answer = agent.post("/v1/contacts", {"phone": contact["phone"]})
    assert answer.status == 409
    assert "existingId" not in answer.error["details"]


def test_of_parallel_creations_of_one_phone_one_wins(manager: Person):
    phone, statuses = phone_number(), []

    def create():
        statuses.append(manager.post("/v1/contacts", {"phone": phone}).status)
        connection.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409, 409, 409]
    assert manager.get("/v1/contacts").json["pagination"]["total"] == 1


def test_put_and_patch_change_only_what_they_are_given(manager: Person):
    contact = make_contact(manager, firstName="Jane", tags=["a"], customFields={"leadScore": 1})
    answer = manager.put(
        f"/v1/contacts/{contact['id']}",
        {
            "firstName": "Jane Updated",
            "tags": ["updated", "vip"],
            "customFields": {"leadScore": 90, "priority": "high"},
        },
    )
    assert answer.status == 200
    assert answer.data["firstName"] == "Jane Updated"
    assert answer.data["tags"] == ["updated", "vip"]
    assert answer.data["customFields"] == {"leadScore": 90, "priority": "high"}
    assert answer.data["phone"] == contact["phone"]
    assert answer.data["updatedAt"] > contact["updatedAt"]
    assert manager.patch(f"/v1/contacts/{contact['id']}", {"status": "inactive"}).data["status"] == "inactive"
    assert manager.put(f"/v1/contacts/{contact['id']}", answer.data).status == 200


def test_list_ids_of_an_update_become_the_lists(manager: Person):
    one, two = make_list(manager, "One"), make_list(manager, "Two")
    contact = make_contact(manager, listIds=[one])
    changed = manager.put(f"/v1/contacts/{contact['id']}", {"listIds": [two]}).data
    assert [entry["id"] for entry in changed["lists"]] == [two]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "asleep"}, "status"),
        ({"nickname": "J"}, "nickname"),
        ({"country": "USA"}, "country"),
        ({"tags": "vip"}, "tags"),
        ({"tags": ["x" * 101]}, "tags.0"),
        ({"customFields": []}, "customFields"),
        ({"listIds": [str(uuid.uuid4())]}, "listIds"),
        ({"assignedTo": str(uuid.uuid4())}, "assignedTo"),
        ({"notes": "\0"}, "notes"),
    ],
)
def test_each_bad_field_is_named(manager: Person, body, field):
    answer = manager.post("/v1/contacts", {"phone": phone_number(), **body})
    assert answer.status == 422
    assert answer.error["details"]["field"] == field


def test_lists_and_members_of_another_organization_do_not_exist(manager: Person, outsider: Person):
    foreign = make_list(outsider)
    assert manager.post("/v1/contacts", {"phone": phone_number(), "listIds": [foreign]}).status == 422
    answer = manager.post("/v1/contacts", {"phone": phone_number(), "assignedTo": str(outsider.user.id)})
    assert answer.error["details"]["field"] == "assignedTo"


def test_a_foreign_contact_reads_like_an_unknown_one(manager: Person, outsider: Person):
    contact = make_contact(manager)
    foreign, unknown = f"/v1/contacts/{contact['id']}", f"/v1/contacts/{uuid.uuid4()}"
    for method in ("get", "delete"):
        assert outsider.call(method, foreign).status == outsider.call(method, unknown).status == 404
    assert outsider.put(foreign, {"title": "x"}).status == outsider.put(unknown, {"title": "x"}).status == 404


def test_the_manual_form_takes_one_list(manager: Person):
    contact_list = make_list(manager)
    answer = manager.post(
        "/v1/contacts/manual",
        {"firstName": "Manual", "phone": phone_number(), "company": "Corp", "listId": contact_list},
    )
    assert answer.status == 201
    assert answer.data["source"] == "Manual Entry"
    assert [entry["id"] for entry in answer.data["lists"]] == [contact_list]


def test_private_notes_rest_encrypted_and_show_by_role(manager: Person, agent: Person):
    contact = make_contact(manager, privateNotes="Owes us a favour")
    assert contact["privateNotes"] == "Owes us a favour"
    path = f"/v1/contacts/{contact['id']}"
    assert "privateNotes" not in agent.get(path).data
    assert agent.patch(path, {"privateNotes": "mine"}).status == 422
    assert "privateNotes" not in manager.get("/v1/contacts").data[0]
    with organization_scope(manager.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT private_notes FROM contacts WHERE id = %s", [contact["id"]])
        assert cursor.fetchone()[0].startswith("v1|")


def test_an_extension_is_kept_apart_from_the_number(manager: Person):
    phone = phone_number()
    contact = make_contact(manager, phone=f"{phone} ext. 42")
    assert (contact["phone"], contact["phoneExtension"]) == (phone, "42")


def test_agents_of_a_team_see_their_teams_contacts_only(manager: Person):
    organization = manager.organization
    organization.visibility = Visibility.TEAM
    organization.save()
    north, south = make_person(organization, Role.AGENT, "north"), make_person(organization, Role.AGENT, "south")
    mine = make_contact(north, assignedTo=str(north.user.id))
    theirs = make_contact(south, assignedTo=str(south.user.id))
    answer = north.get("/v1/contacts")
    assert [contact["id"] for contact in answer.data] == [mine["id"]]
    assert (answer.json["pagination"]["total"], answer.json["filters"]["totalContacts"]) == (1, 1)
    assert north.get(f"/v1/contacts/{theirs['id']}").status == 404
    assert north.patch(f"/v1/contacts/{theirs['id']}", {"title": "x"}).status == 404
    assert len(manager.get("/v1/contacts").data) == 2


def test_writes_are_audited_by_ids_and_field_names_only(manager: Person):
    contact = make_contact(manager, firstName="Jane")
    manager.patch(f"/v1/contacts/{contact['id']}", {"lastName": "Secret"})
    manager.delete(f"/v1/contacts/{contact['id']}")
    with organization_scope(manager.organization.id):
        entries = AuditEntry.objects.filter(resource_id=contact["id"]).order_by("created_at")
        assert [entry.action for entry in entries] == ["contact.created", "contact.updated", "contact.deleted"]
        assert entries[1].details == {"fields": ["last_name"]}


def test_changes_are_announced_to_sockets(manager: Person):
    contact_list = make_list(manager)
    contact = make_contact(manager, listIds=[contact_list])
    manager.patch(f"/v1/contacts/{contact['id']}", {"status": "inactive", "privateNotes": "hush"})
    manager.delete(f"/v1/contacts/{contact['id']}")
    with organization_scope(manager.organization.id):
        events = list(Event.objects.filter(topic="contacts").order_by("sequence"))
    assert [event.type for event in events] == ["contact_created", "contact_updated", "contact_deleted"]
    assert events[1].data == {
        "contactId": contact["id"],
        "changes": {"status": "inactive"},
        "updatedBy": str(manager.user.id),
        "listIds": [contact_list],
    }
    assert events[2].data["listIds"] == [contact_list]
