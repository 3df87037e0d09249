"""Contact lists and their members."""

import uuid

from tests.contacts.test_contacts import make_contact, make_list
from tests.factories import Person, unique


def test_a_list_is_made_shown_changed_and_deleted(manager: Person):
    body = {"name": "New Lead List", "description": "Fresh leads", "tags": ["website", "new-leads"]}
    created = manager.post("/v1/contact-lists", body)
    assert created.status == 201
    contact_list = created.data
    assert contact_list | body == contact_list
    assert (contact_list["status"], contact_list["contactCount"]) == ("active", 0)
    assert contact_list["createdBy"]["id"] == str(manager.user.id)
    path = f"/v1/contact-lists/{contact_list['id']}"
    assert manager.get(path).data == contact_list
    changed = manager.put(path, {"name": "Updated List Name", "tags": ["updated"]}).data
    assert (changed["name"], changed["tags"], changed["description"]) == (
        "Updated List Name",
        ["updated"],
        "Fresh leads",
    )
    assert manager.patch(path, {"status": "archived"}).data["status"] == "archived"
    answer = manager.delete(path)
    assert (answer.status, answer.json) == (200, {"message": "Contact list deleted successfully"})
    assert manager.get(path).status == 404


def test_deleting_a_list_keeps_its_contacts(manager: Person):
    contact_list = make_list(manager)
    contact = make_contact(manager, listIds=[contact_list])
    manager.delete(f"/v1/contact-lists/{contact_list}")
    assert manager.get(f"/v1/contacts/{contact['id']}").data["lists"] == []


def test_lists_are_found_and_sorted(manager: Person):
    first, second = make_list(manager, "Real Estate Leads"), make_list(manager, "Alpha")
    make_contact(manager, listIds=[first])

    def ids(query: str) -> list[str]:
        return [entry["id"] for entry in manager.get(f"/v1/contact-lists?{query}").data]

    assert ids("") == [second, first]
    assert ids("search=real%20estate&status=active") == [first]
    assert ids("sort=name") == [second, first]
    assert ids("sort=-contactCount") == [first, second]
    assert manager.get("/v1/contact-lists?page=1&limit=1").json["pagination"] == {
        "page": 1,
        "limit": 1,
        "total": 2,
        "pages": 2,
    }
    cursor = manager.get("/v1/contact-lists?sort=-contactCount&limit=1&cursor=").json["pagination"]["nextCursor"]
    assert ids(f"sort=-contactCount&cursor={cursor}") == [second]


def test_a_name_is_taken_once_in_an_organization(manager: Person, outsider: Person):
    name = unique("list")
    first = make_list(manager, name)
    answer = manager.post("/v1/contact-lists", {"name": name})
    assert (answer.status, answer.error["code"], answer.error["details"]["existingId"]) == (409, "LIST_EXISTS", first)
    assert outsider.post("/v1/contact-lists", {"name": name}).status == 201


def test_contacts_join_and_leave_a_list(manager: Person, outsider: Person):
    contact_list, contact, foreign = make_list(manager), make_contact(manager)["id"], make_contact(outsider)["id"]
    path = f"/v1/contact-lists/{contact_list}/contacts"
    result = manager.post(path, {"contactIds": [contact, foreign]}).json
    assert (result["successful"], result["errors"][0]["contactId"]) == (1, foreign)
    assert manager.get(f"/v1/contact-lists/{contact_list}").data["contactCount"] == 1
    assert manager.call("delete", path, {"contactIds": [contact]}).json["successful"] == 1
    assert manager.get(f"/v1/contacts?listId={contact_list}").data == []
    assert outsider.post(path, {"contactIds": [foreign]}).status == 404
    assert manager.post(f"/v1/contact-lists/{uuid.uuid4()}/contacts", {"contactIds": [contact]}).status == 404


def test_agents_read_lists_and_do_not_change_them(manager: Person, agent: Person):
    contact_list = make_list(manager)
    assert agent.get(f"/v1/contact-lists/{contact_list}").status == 200
    assert agent.post("/v1/contact-lists", {"name": "x"}).status == 403
    assert agent.put(f"/v1/contact-lists/{contact_list}", {"name": "x"}).status == 403
    assert agent.delete(f"/v1/contact-lists/{contact_list}").status == 403
    assert agent.post(f"/v1/contact-lists/{contact_list}/contacts", {"contactIds": [str(uuid.uuid4())]}).status == 403


def test_contacts_that_do_not_exist_are_listed_as_failed(manager):
    made = manager.post("/v1/contact-lists", {"name": unique("list")}).data
    stranger = str(uuid.uuid4())
    answer = manager.post(f"/v1/contact-lists/{made['id']}/contacts", {"contactIds": [stranger]})
    assert (answer.status, answer.json["successful"], answer.json["failed"]) == (200, 0, 1)
    assert answer.json["errors"][0]["contactId"] == stranger
