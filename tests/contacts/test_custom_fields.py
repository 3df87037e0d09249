"""Custom field definitions, the values they let in, dynamic lists and saved views."""

from typing import Any

import pytest

from contacts.models import Contact
from tests.factories import Person, make_person, phone_number
from vocelio.organizations.scope import organization_scope


def define(person: Person, key: str, kind: str, **rest: Any) -> dict[str, Any]:
    answer = person.post("/v1/contact-fields", {"key": key, "label": key.title(), "type": kind, **rest})
    assert answer.status == 201, answer
    return answer.data


def add(person: Person, **fields: Any) -> Any:
    return person.post("/v1/contacts", {"phone": phone_number(), **fields})


def names(person: Person, query: str) -> list[str]:
    answer = person.get(f"/v1/contacts?{query}")
    assert answer.status == 200, answer
    return sorted(contact["firstName"] for contact in answer.data)


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("text", "  red ", "red"),
        ("number", "12.5", 12.5),
        ("number", 7, 7),
        ("date", "2026-02-28T10:00:00Z", "2026-02-28"),
        ("boolean", "Yes", True),
        ("choice", "GOLD", "gold"),
        ("multi-choice", "gold; silver,gold", ["gold", "silver"]),
        ("url", "https://example.com/a", "https://example.com/a"),
    ],
)
def test_values_are_kept_in_the_form_of_their_kind(admin: Person, kind: str, given: Any, kept: Any):
    options = ["gold", "silver"] if "choice" in kind else []
    define(admin, "it", kind, options=options)
    contact = add(admin, customFields={"it": given, "free": {"as": ["is"]}}).data
    assert contact["customFields"] == {"it": kept, "free": {"as": ["is"]}}


def test_every_value_that_does_not_fit_is_named_on_every_door(admin: Person):
    define(admin, "size", "number")
    define(admin, "born", "date")
    define(admin, "site", "url")
    define(admin, "metal", "choice", options=["gold"])
    bad = {"size": "big", "born": "31.12.", "site": "javascript:alert(1)", "metal": "tin"}
    contact_id = add(admin).data["id"]
    doors = [
        add(admin, customFields=bad),
        admin.post("/v1/contacts/manual", {"phone": phone_number(), "customFields": bad}),
        admin.patch(f"/v1/contacts/{contact_id}", {"customFields": bad}),
    ]
    for answer in doors:
        assert answer.status == 422
        named = {error["field"] for error in answer.error["details"]["errors"]}
        assert named == {f"customFields.{key}" for key in bad}


def test_required_fields_defaults_and_archived_ones(admin: Person):
    level = define(admin, "level", "choice", options=["a", "b"], isRequired=True)
    define(admin, "lang", "text", default="en")
    assert add(admin).status == 422
    contact = add(admin, customFields={"level": "b"}).data
    assert contact["customFields"] == {"level": "b", "lang": "en"}
    assert admin.patch(f"/v1/contacts/{contact['id']}", {"customFields": {}}).status == 422
    assert admin.patch(f"/v1/contacts/{contact['id']}", {"firstName": "Ada"}).status == 200
    assert admin.delete(f"/v1/contact-fields/{level['id']}").status == 200
    assert add(admin).status == 201
    assert admin.get(f"/v1/contacts/{contact['id']}").data["customFields"]["level"] == "b"


def test_definitions_that_make_no_sense_are_refused(admin: Person, agent: Person):
    field = define(admin, "metal", "choice", options=["gold"])
    path = f"/v1/contact-fields/{field['id']}"
    assert admin.post("/v1/contact-fields", {"key": "metal", "label": "M", "type": "text"}).status == 409
    assert admin.post("/v1/contact-fields", {"key": "a b", "label": "M", "type": "text"}).status == 422
    assert admin.post("/v1/contact-fields", {"key": "c", "label": "C", "type": "choice"}).status == 422
    assert admin.post("/v1/contact-fields", {"key": "n", "label": "N", "type": "number", "default": "x"}).status == 422
    assert admin.patch(path, {"type": "text"}).status == 422
    assert admin.patch(path, {"options": ["gold", "tin"]}).data["options"] == ["gold", "tin"]
    assert agent.patch(path, {"label": "x"}).status == 403
    assert agent.get(path).status == 200


def test_sensitive_values_rest_encrypted_and_show_by_role(admin: Person, agent: Person):
    define(admin, "salary", "number", isSensitive=True)
    contact = add(admin, customFields={"salary": 90000, "open": 1}).data
    path = f"/v1/contacts/{contact['id']}"
    assert contact["customFields"] == {"salary": 90000, "open": 1}
    assert agent.get(path).data["customFields"] == {"open": 1}
    assert agent.patch(path, {"customFields": {"salary": 1}}).status == 422
    assert agent.patch(path, {"customFields": {"open": 2}}).status == 200
    assert admin.get(path).data["customFields"] == {"salary": 90000, "open": 2}
    with organization_scope(admin.organization.id):
        stored = Contact.objects.get(pk=contact["id"])
        assert "90000" not in str(stored.private_fields)
        assert stored.custom_fields == {"open": 2}
    assert "90000" not in admin.get("/v1/contacts").response.content.decode()
    admin.patch(path, {"customFields": {"salary": None}})
    assert admin.get(path).data["customFields"] == {}


def test_contacts_are_found_by_their_custom_fields(admin: Person):
    define(admin, "size", "number")
    define(admin, "metals", "multi-choice", options=["gold", "tin"])
    define(admin, "born", "date")
    add(admin, firstName="Ada", customFields={"size": 5, "metals": ["gold", "tin"], "born": "2000-01-31", "free": "x"})
    add(admin, firstName="Bea", customFields={"size": 50, "metals": ["tin"], "born": "2001-01-31", "free": 7})
    add(admin, firstName="Cyd")
    assert names(admin, "custom=size>=6") == ["Bea"]
    assert names(admin, "custom=size<=50;size>=5") == ["Ada", "Bea"]
    assert names(admin, "custom=metals=tin;metals!=gold") == ["Bea"]
    assert names(admin, "custom=born<=2000-12-31") == ["Ada"]
    assert names(admin, "custom=free=x") == ["Ada"]
    assert names(admin, "custom=free=7") == ["Bea"]
    assert names(admin, "custom=!size") == ["Cyd"]
    assert names(admin, "custom=size&search=ada") == ["Ada"]
    assert admin.get("/v1/contacts?custom=size>=big").status == 422
    assert admin.get("/v1/contacts?custom==").status == 422


def test_a_dynamic_list_holds_whom_its_filter_finds_at_the_time(admin: Person):
    first = add(admin, firstName="Ada", state="CA", tags=["vip"]).data["id"]
    add(admin, firstName="Bea", state="NY", tags=["vip"])
    answer = admin.post("/v1/contact-lists", {"name": "West", "filter": {"state": "CA", "tags": "vip"}})
    assert answer.status == 201
    assert answer.data["isDynamic"] is True
    path = f"/v1/contact-lists/{answer.data['id']}"
    assert names(admin, f"listId={answer.data['id']}") == ["Ada"]
    assert admin.get(path).data["contactCount"] == 1
    admin.patch(f"/v1/contacts/{first}", {"state": "OR"})
    assert names(admin, f"listId={answer.data['id']}") == []
    assert admin.patch(path, {"filter": {"tags": "vip"}}).status == 200
    assert names(admin, f"listId={answer.data['id']}&state=NY") == ["Bea"]
    assert admin.post(f"{path}/contacts", {"contactIds": [first]}).status == 422
    assert admin.patch(f"/v1/contacts/{first}", {"listIds": [answer.data["id"]]}).status == 422
    assert admin.patch(path, {"filter": None}).status == 422
    assert admin.post("/v1/contact-lists", {"name": "x", "filter": {"nonsense": 1, "status": "odd"}}).status == 422
    nested = admin.post("/v1/contact-lists", {"name": "x", "filter": {"listId": answer.data["id"]}})
    assert nested.status == 422


def test_views_are_the_own_and_the_shared(admin: Person, agent: Person):
    made = admin.post("/v1/contact-views", {"name": "West", "filter": {"state": "CA"}, "columns": ["name", "phone"]})
    path = f"/v1/contact-views/{made.data['id']}"
    assert made.data["owner"]["id"] == str(admin.user.id)
    assert agent.get(path).status == 404
    assert admin.patch(path, {"isShared": True}).status == 200
    assert [view["name"] for view in agent.get("/v1/contact-views").data] == ["West"]
    assert agent.patch(path, {"name": "Mine"}).status == 403
    assert admin.post("/v1/contact-views", {"name": "West"}).status == 409
    assert agent.post("/v1/contact-views", {"name": "West"}).status == 201
    assert admin.post("/v1/contact-views", {"name": "Odd", "filter": {"status": "odd"}}).status == 422
    other = make_person(admin.organization, "agent")
    assert other.delete(path).status == 403
    assert admin.delete(path).status == 200
