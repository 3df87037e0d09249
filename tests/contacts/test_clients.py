"""Companies and the people who belong to them, through the API."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import Client, ClientContact
from contacts.tasks import purge_clients
from tests.contacts.test_contacts import make_contact
from tests.factories import Answer, Person, make_person, phone_number, unique
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event

FULL: dict[str, Any] = {
    "name": "Müller & Söhne GmbH",
    "legalName": "Müller & Söhne Maschinenbau GmbH",
    "website": "www.Mueller.example/about",
    "linkedinUrl": "https://www.linkedin.com/company/mueller",
    "industry": "Machinery",
    "size": "51-200",
    "annualRevenue": "12500000.50",
    "currency": "eur",
    "taxId": "DE123456789",
    "email": "Office@mueller.example",
    "phone": "+49 30 901820",
    "address": "Hauptstr. 1",
    "city": "Berlin",
    "country": "de",
    "tags": ["key-account", " key-account "],
    "customFields": {"erp_system": {"isOld": True}},
    "status": "prospect",
    "source": "Trade show",
    "notes": "Family business",
}


def make_client(person: Person, **fields: Any) -> Any:
    answer = person.post("/v1/clients", {"name": unique("Company"), **fields})
    assert answer.status == 201, answer
    return answer.data


def names(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [row["name"] for row in answer.data]


def at_once(*calls: Any) -> list[Answer]:
    """Make the calls at the same moment, each on a connection of its own."""
    barrier, answers = threading.Barrier(len(calls)), []

    def run(call: Any) -> None:
        barrier.wait()
        answers.append(call())
        connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_client_is_made_shown_changed_and_deleted(manager: Person):
    client = make_client(manager, **FULL)
    assert client["domain"] == "mueller.example"
    assert client["website"] == "https://www.Mueller.example/about"
    assert (client["currency"], client["country"], client["email"]) == ("EUR", "DE", "office@mueller.example")
    assert (client["phone"], client["phoneFormatted"]) == ("+4930901820", "+49 30 901820")
    assert client["annualRevenue"] == "12500000.50"
    assert client["tags"] == ["key-account"]
    assert client["customFields"] == FULL["customFields"]
    assert client["verification"] == "unverified"
    assert client["createdBy"] == {"id": str(manager.user.id), "name": manager.user.name}
    assert manager.get(f"/v1/clients/{client['id']}").data == client
    changed = manager.put(f"/v1/clients/{client['id']}", {"industry": "Robots", "website": "robots.example"}).data
    assert (changed["industry"], changed["domain"], changed["name"]) == ("Robots", "robots.example", FULL["name"])
    assert manager.patch(f"/api/clients/{client['id']}", {"status": "active"}).data["status"] == "active"
    assert manager.delete(f"/v1/clients/{client['id']}").json == {"message": "Client deleted successfully"}
    assert manager.get(f"/v1/clients/{client['id']}").status == 404


def test_each_bad_field_of_a_client_is_named(manager: Person):
    answer = manager.post(
        "/v1/clients",
        {
            "name": "",
            "website": "not a site",
            "email": "x@",
            "phone": "12",
            "size": "huge",
            "domain": "a b",
            "wrong": 1,
        },
    )
    assert answer.status == 422
    fields = {error["field"] for error in answer.error["details"]["errors"]}
    assert fields >= {"wrong"}
    body = {"name": "", "website": "not a site", "email": "x@", "phone": "12", "size": "huge", "domain": "a b"}
    answer = manager.post("/v1/clients", body)
    assert {error["field"] for error in answer.error["details"]["errors"]} == set(body)
    answer = manager.post("/v1/clients", {"name": "A", "annualRevenue": 5})
    assert answer.error["details"]["errors"][0]["field"] == "currency"


def test_a_name_and_domain_are_taken_once_however_they_are_spelt(manager: Person):
    first = make_client(manager, name="Müller", domain="mueller.example")
    answer = manager.post("/v1/clients", {"name": "MULLER", "website": "https://www.mueller.example"})
    assert (answer.status, answer.error["code"]) == (409, "CLIENT_EXISTS")
    assert answer.error["details"]["existingId"] == first["id"]
    make_client(manager, name="Müller", domain="mueller.test")
    other = make_client(manager, name="Other", domain="mueller.example")
    assert manager.patch(f"/v1/clients/{other['id']}", {"name": "mueller"}).status == 200
    assert manager.patch(f"/v1/clients/{other['id']}", {"name": "müller"}).status == 409


def test_of_parallel_creations_of_one_client_one_wins(manager: Person):
    name = unique("Race")
    answers = at_once(*[lambda: manager.post("/v1/clients", {"name": name})] * 4)
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]


def test_a_company_never_stands_above_itself(manager: Person):
    top, middle, low = (make_client(manager) for _ in range(3))
    for child, parent in ((middle, top), (low, middle)):
        answer = manager.patch(f"/v1/clients/{child['id']}", {"parentId": parent["id"]})
        assert answer.data["parent"] == {"id": parent["id"], "name": parent["name"]}
    answer = manager.patch(f"/v1/clients/{top['id']}", {"parentId": low["id"]})
    assert answer.status == 422
    assert answer.error["details"]["errors"][0]["constraint"] == "cycle"
    assert manager.patch(f"/v1/clients/{top['id']}", {"parentId": top["id"]}).status == 422
    assert manager.patch(f"/v1/clients/{top['id']}", {"parentId": str(uuid.uuid4())}).status == 422
    assert names(manager.get(f"/v1/clients?parentId={top['id']}")) == [middle["name"]]
    assert top["name"] in names(manager.get("/v1/clients?parentId=none"))


def test_two_who_make_each_others_company_the_parent_leave_no_circle(manager: Person):
    one, two = make_client(manager), make_client(manager)
    answers = at_once(
        lambda: manager.patch(f"/v1/clients/{one['id']}", {"parentId": two["id"]}),
        lambda: manager.patch(f"/v1/clients/{two['id']}", {"parentId": one["id"]}),
    )
    assert sorted(answer.status for answer in answers) == [200, 422]


def test_search_finds_names_domains_mail_and_phones(manager: Person):
    make_client(manager, **FULL)
    make_client(manager, name="Other Works", domain="works.example")
    for text in ("mull", "sohne masch", "mueller.ex", "@mueller.example", "office@mueller", "901820", "DE1234"):
        assert names(manager.get(f"/v1/clients?search={text}")) == [FULL["name"]], text
    assert names(manager.get("/v1/clients?search=nobody")) == []


@pytest.mark.parametrize(
    "query",
    [
        "status=active",
        "verification=unverified&status=active",
        "size=51-200",
        "industry=ENERGY",
        "domain=north.example",
        "tags=a,b",
        "city=oslo",
        "country=no",
        "source=fair",
        "assignedTo=me",
        "createdFrom=2020-01-01&search=north",
        "sort=name&city=Oslo",
    ],
)
def test_clients_are_filtered(manager: Person, query: str):
    make_client(
        manager, name="North", domain="north.example", status="active", size="51-200", industry="Energy",
        tags=["a", "b"], city="Oslo", country="NO", source="Fair", assignedTo=str(manager.user.id),
    )  # fmt: skip
    make_client(manager, name="South", domain="south.example", status="prospect", tags=["a"], city="Rome")
    assert names(manager.get(f"/v1/clients?{query}")) == ["North"]


def test_filters_that_make_no_sense_are_refused(manager: Person):
    for query in ("status=odd", "assignedTo=x", "parentId=x", "size=3", "unknown=1", "sort=notes", "contactId=x"):
        assert manager.get(f"/v1/clients?{query}").status == 422, query


def test_pages_and_cursors_cover_the_clients_once_and_names_sort_as_people_expect(manager: Person):
    for name in ("Zeta", "alpha", "Ångström", "Beta", "älg"):
        make_client(manager, name=name)
    assert names(manager.get("/v1/clients?sort=name")) == ["älg", "alpha", "Ångström", "Beta", "Zeta"]
    page = manager.get("/v1/clients?limit=2&page=2")
    assert page.json["pagination"] == {"page": 2, "limit": 2, "total": 5, "pages": 3}
    seen, cursor = [], ""
    while cursor is not None:
        answer = manager.get(f"/v1/clients?limit=2&cursor={cursor}&search=a")
        seen += names(answer)
        cursor = answer.json["pagination"]["nextCursor"]
    assert sorted(seen) == sorted(["alpha", "Ångström", "älg"])


def test_a_manager_verifies_and_another_name_takes_it_back(manager: Person, agent: Person):
    client = make_client(agent)
    assert agent.post(f"/v1/clients/{client['id']}/verify", {"verification": "verified"}).status == 403
    answer = manager.post(f"/v1/clients/{client['id']}/verify", {"verification": "verified", "note": "In the register"})
    assert answer.data["verification"] == "verified"
    assert answer.data["verifiedBy"]["id"] == str(manager.user.id)
    assert answer.data["verifiedAt"] is not None
    assert agent.patch(f"/v1/clients/{client['id']}", {"city": "Bonn"}).data["verification"] == "verified"
    changed = agent.patch(f"/v1/clients/{client['id']}", {"name": unique("New")}).data
    assert (changed["verification"], changed["verifiedBy"], changed["verifiedAt"]) == ("unverified", None, None)
    assert agent.patch(f"/v1/clients/{client['id']}", {"verification": "verified"}).data["verification"] == "unverified"


def test_people_belong_to_companies_with_role_and_dates(manager: Person):
    one, two = make_client(manager), make_client(manager)
    person = make_contact(manager, firstName="Ada", lastName="Lovelace")
    path = f"/v1/contacts/{person['id']}/client-relationships"
    body = [
        {"clientId": one["id"], "role": "buyer", "title": "Buyer", "isPrimary": True, "startedOn": "2024-02-01"},
        {"clientId": two["id"], "role": "employee", "startedOn": "2020-01-01", "endedOn": "2024-01-31"},
    ]
    answer = manager.put(path, {"relationships": body})
    assert answer.status == 200, answer
    current = next(each for each in answer.data["relationships"] if each["clientId"] == one["id"])
    assert current["client"] == {"id": one["id"], "name": one["name"]}
    assert (current["role"], current["isPrimary"], current["endedOn"]) == ("buyer", True, None)
    (there,) = manager.get(f"/v1/clients/{one['id']}/contacts").data
    assert (there["contactId"], there["name"], there["isPrimary"]) == (person["id"], "Ada Lovelace", True)
    assert manager.get(f"/v1/clients/{one['id']}").data["primaryContact"]["name"] == "Ada Lovelace"
    assert len(manager.get(f"/v1/clients/{two['id']}/contacts").data) == 1
    assert manager.get(f"/v1/clients/{two['id']}/contacts?current=true").data == []
    assert names(manager.get(f"/v1/clients?contactId={person['id']}")) == [one["name"]]
    kept = [{"id": current["id"], "clientId": one["id"], "role": "decision_maker"}]
    (left,) = manager.put(path, {"relationships": kept}).data["relationships"]
    assert (left["id"], left["role"], left["title"]) == (current["id"], "decision_maker", "Buyer")
    assert manager.get(path).data["relationships"] == [left]


def test_relations_that_make_no_sense_change_nothing(manager: Person, outsider: Person):
    client, person = make_client(manager), make_contact(manager)
    path = f"/v1/contacts/{person['id']}/client-relationships"
    good = {"clientId": client["id"], "role": "buyer"}
    assert manager.put(path, {"relationships": [good]}).status == 200
    bad: list[tuple[Any, int]] = [
        ([{**good, "role": "king"}], 422),
        ([good, {"clientId": make_client(outsider)["id"]}], 422),
        ([good, {**good, "id": str(uuid.uuid4())}], 422),
        ([{**good, "startedOn": "2024-01-02", "endedOn": "2024-01-01"}], 422),
        ([{**good, "isPrimary": True, "endedOn": "2024-01-01"}], 422),
        ([good, good], 409),
    ]
    before = manager.get(path).data
    for relations, status in bad:
        assert manager.put(path, {"relationships": relations}).status == status, relations
        assert manager.get(path).data == before


def test_a_new_primary_contact_takes_over_from_the_old_one(manager: Person):
    client, old, new = make_client(manager), make_contact(manager), make_contact(manager)
    for person in (old, new):
        body = {"contactId": person["id"], "role": "buyer", "isPrimary": True}
        assert manager.post(f"/v1/clients/{client['id']}/contacts", body).status == 201
    primary = manager.get(f"/v1/clients/{client['id']}/contacts?isPrimary=true").data
    assert [each["contactId"] for each in primary] == [new["id"]]
    answer = manager.post(f"/v1/clients/{client['id']}/contacts", {"contactId": new["id"], "role": "buyer"})
    assert (answer.status, answer.error["code"]) == (409, "RELATION_EXISTS")


def test_of_two_primary_contacts_at_the_same_moment_one_wins(manager: Person):
    client = make_client(manager)
    people = [make_contact(manager) for _ in range(2)]
    answers = at_once(
        *[
            lambda person=person: manager.put(
                f"/v1/contacts/{person['id']}/client-relationships",
                {"relationships": [{"clientId": client["id"], "isPrimary": True}]},
            )
            for person in people
        ]
    )
    assert {answer.status for answer in answers} <= {200, 409}
    assert 200 in {answer.status for answer in answers}
    assert all(answer.error["code"] == "PRIMARY_TAKEN" for answer in answers if answer.status == 409)
    assert len(manager.get(f"/v1/clients/{client['id']}/contacts?isPrimary=true").data) == 1


def test_the_summary_counts_people_and_subsidiaries(manager: Person):
    client = make_client(manager)
    make_client(manager, parentId=client["id"])
    person = make_contact(manager, firstName="Ada")
    manager.post(f"/v1/clients/{client['id']}/contacts", {"contactId": person["id"], "isPrimary": True})
    manager.post(f"/v1/clients/{client['id']}/contacts", {"contactId": person["id"], "role": "billing"})
    summary = manager.get(f"/v1/clients/{client['id']}/summary").data
    assert (summary["people"], summary["subsidiaries"]) == (1, 1)
    assert summary["primaryContact"]["id"] == person["id"]
    assert summary["lastActivityAt"]


def test_the_audit_trail_names_who_changed_which_fields_and_no_values(manager: Person, agent: Person):
    client = make_client(manager)
    agent.patch(f"/v1/clients/{client['id']}", {"notes": "secret words"})
    manager.post(f"/v1/clients/{client['id']}/verify", {"verification": "rejected"})
    entries = agent.get(f"/v1/clients/{client['id']}/audit-trail")
    assert [each["action"] for each in entries.data] == ["client.verified", "client.updated", "client.created"]
    assert entries.data[1]["user"] == agent.user.name
    assert entries.data[1]["details"]["fields"] == ["notes"]
    assert b"secret words" not in entries.response.content


def test_a_deleted_client_rests_in_the_trash_and_comes_back(manager: Person, agent: Person):
    client = make_client(manager, name="Gone")
    assert agent.delete(f"/v1/clients/{client['id']}").status == 403
    manager.delete(f"/v1/clients/{client['id']}")
    (trashed,) = manager.get("/v1/clients/trash").data
    assert (trashed["id"], trashed["deletedAt"] is not None) == (client["id"], True)
    assert names(manager.get("/v1/clients")) == []
    make_client(manager, name="gone")
    assert manager.post(f"/v1/clients/{client['id']}/restore").error["code"] == "CLIENT_EXISTS"
    assert manager.get(f"/v1/clients/{client['id']}/contacts").status == 404
    (other,) = manager.get("/v1/clients").data
    manager.delete(f"/v1/clients/{other['id']}")
    assert manager.post(f"/v1/clients/{client['id']}/restore").data["name"] == "Gone"
    assert names(manager.get("/v1/clients?search=gone")) == ["Gone"]


@pytest.mark.upkeep
def test_the_trash_is_emptied_after_30_days(manager: Person):
    old, young = make_client(manager), make_client(manager)
    for client in (old, young):
        manager.delete(f"/v1/clients/{client['id']}")
    with organization_scope(manager.organization.id):
        Client.objects.filter(pk=old["id"]).update(deleted_at=timezone.now() - timedelta(days=31))
    purge_clients()
    with organization_scope(manager.organization.id):
        assert [str(pk) for pk in Client.objects.in_trash().values_list("pk", flat=True)] == [young["id"]]


@pytest.mark.parametrize(
    ("action", "data", "field", "value"),
    [
        ("add-tags", {"tags": ["b"]}, "tags", ["a", "b"]),
        ("remove-tags", {"tags": ["a"]}, "tags", []),
        ("set-status", {"status": "inactive"}, "status", "inactive"),
        ("assign", {"assignedTo": None}, "assignedTo", None),
    ],
)
def test_clients_are_changed_in_bulk(manager: Person, action: str, data: Any, field: str, value: Any):
    clients = [make_client(manager, tags=["a"], assignedTo=str(manager.user.id)) for _ in range(2)]
    unknown = str(uuid.uuid4())
    body = {"action": action, "clientIds": [each["id"] for each in clients] + [unknown], "data": data}
    result = manager.post("/v1/clients/bulk-operations", body).json
    assert (result["processed"], result["successful"], result["failed"]) == (3, 2, 1)
    assert result["errors"] == [{"clientId": unknown, "error": "There is no such client.", "code": "NOT_FOUND"}]
    assert [manager.get(f"/v1/clients/{each['id']}").data[field] for each in clients] == [value, value]


def test_clients_are_trashed_and_restored_in_bulk(manager: Person, agent: Person):
    ids = [make_client(manager)["id"] for _ in range(3)]
    body = {"action": "delete", "clientIds": ids}
    assert agent.post("/v1/clients/bulk-operations", body).status == 403
    assert manager.post("/v1/clients/bulk-operations", body).json["successful"] == 3
    assert names(manager.get("/v1/clients")) == []
    assert manager.post("/v1/clients/bulk-operations", {**body, "action": "restore"}).json["successful"] == 3
    assert manager.post("/v1/clients/bulk-operations", {**body, "action": "add-tags"}).status == 422
    assert manager.post("/v1/clients/bulk-operations", {**body, "data": {"status": "active"}}).status == 422


def test_agents_of_a_team_see_their_teams_clients_only(manager: Person):
    organization = manager.organization
    organization.visibility = Visibility.TEAM
    organization.save()
    west, east = make_person(organization, Role.AGENT, "West"), make_person(organization, Role.AGENT, "East")
    mine, theirs = (make_client(manager, assignedTo=str(each.user.id)) for each in (west, east))
    nobodys = make_client(manager)
    assert set(names(west.get("/v1/clients"))) == {mine["name"], nobodys["name"]}
    assert set(names(west.get("/v1/clients?search=company"))) == {mine["name"], nobodys["name"]}
    for path in ("", "/summary", "/contacts", "/audit-trail"):
        assert west.get(f"/v1/clients/{theirs['id']}{path}").status == 404
        assert west.get(f"/v1/clients/{mine['id']}{path}").status == 200
    assert west.patch(f"/v1/clients/{theirs['id']}", {"city": "X"}).status == 404
    assert west.patch(f"/v1/clients/{mine['id']}", {"parentId": theirs["id"]}).status == 422
    person = make_contact(west)
    path = f"/v1/contacts/{person['id']}/client-relationships"
    hidden = {"relationships": [{"clientId": theirs["id"]}]}
    assert west.put(path, hidden).status == 422
    assert manager.put(path, hidden).status == 200
    assert west.get(path).data["relationships"] == []
    # What the caller may not see stays as it is.
    assert west.put(path, {"relationships": [{"clientId": mine["id"]}]}).status == 200
    assert len(manager.get(path).data["relationships"]) == 2


def test_changes_of_clients_are_announced_to_those_who_may_see_them(manager: Person, agent: Person):
    client = make_client(manager, assignedTo=str(manager.user.id), annualRevenue="10.00", currency="EUR")
    manager.patch(f"/v1/clients/{client['id']}", {"assignedTo": str(agent.user.id)})
    with organization_scope(manager.organization.id):
        created, updated = Event.objects.filter(topic="clients").order_by("sequence")
    assert created.type == "client_created"
    assert created.data["changes"]["annualRevenue"] == "10.00"
    assert set(updated.owners) == {manager.user.id, agent.user.id}


def test_a_primary_contact_in_the_trash_is_not_shown(manager: Person):
    client, person = make_client(manager), make_contact(manager, phone=phone_number())
    manager.post(f"/v1/clients/{client['id']}/contacts", {"contactId": person["id"], "isPrimary": True})
    manager.delete(f"/v1/contacts/{person['id']}")
    assert manager.get(f"/v1/clients/{client['id']}").data["primaryContact"] is None
    assert manager.get(f"/v1/clients/{client['id']}/contacts").data == []
    with organization_scope(manager.organization.id):
        assert ClientContact.objects.filter(created_at__lte=Now()).count() == 1


def test_a_summary_names_the_primary_contact(manager: Person):
    client, person = make_client(manager), make_contact(manager, firstName="Ada", phone=phone_number())
    manager.post(f"/v1/clients/{client['id']}/contacts", {"contactId": person["id"], "isPrimary": True})
    named = manager.get(f"/v1/clients/{client['id']}/summary").data["primaryContact"]
    assert (named["id"], named["name"][:3]) == (person["id"], "Ada")
