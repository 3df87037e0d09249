"""Contacts as people who may buy, through the API."""

from typing import Any

from tests.contacts.test_clients import at_once, make_client
from tests.contacts.test_contacts import make_contact
from tests.factories import Person, make_person, phone_number
from vocelio.organizations.models import Role, Visibility

FULL: dict[str, Any] = {
    "headline": "Head of purchasing for three plants",
    "buyingRole": "economic_buyer",
    "leadStatus": "qualified",
    "leadSource": "Trade show",
    "score": 80,
    "budget": "250000.00",
    "lifetimeValue": "1000000.00",
    "currency": "eur",
    "territory": "North",
    "interests": "Sensors",
    "notes": "Prefers e-mail",
}


def make_profile(person: Person, contact_id: str, **fields: Any) -> Any:
    answer = person.post(f"/v1/contacts/{contact_id}/sales-profile", fields)
    assert answer.status == 201, answer
    return answer.data


def primaries(person: Person, contact_id: str) -> list[str]:
    profiles = person.get(f"/v1/contacts/{contact_id}/profiles").data["sales"]
    return [profile["id"] for profile in profiles if profile["isPrimary"]]


def test_a_sales_profile_is_added_read_changed_and_deleted(manager: Person):
    contact, client = make_contact(manager), make_client(manager)
    profile = make_profile(manager, contact["id"], **FULL, clientId=client["id"])
    assert profile["isPrimary"] is True
    assert profile["client"] == {"id": client["id"], "name": client["name"]}
    assert {name: profile[name] for name in FULL} == {**FULL, "currency": "EUR"}
    path = f"/v1/sales-profiles/{profile['id']}"
    assert manager.get(path).data == profile
    assert manager.put(path, {"leadStatus": "customer"}).data["leadStatus"] == "customer"
    assert manager.patch(path, {"clientId": None}).data["client"] is None
    assert manager.delete(path).json == {"message": "Sales profile deleted successfully"}
    assert manager.get(path).status == 404


def test_each_bad_field_of_a_sales_profile_is_named(manager: Person, outsider: Person):
    contact = make_contact(manager)
    path = f"/v1/contacts/{contact['id']}/sales-profile"
    body = {"score": 101, "buyingRole": "king", "leadStatus": "odd", "currency": "EURO", "budget": "-1"}
    answer = manager.post(path, body)
    assert answer.status == 422
    assert {error["field"] for error in answer.error["details"]["errors"]} == set(body)
    assert manager.post(path, {"budget": 5}).error["details"]["errors"][0]["field"] == "currency"
    assert manager.post(path, {"clientId": make_client(outsider)["id"]}).status == 422
    assert manager.post(path, {"isPrimary": True, "unknown": 1}).status == 422


def test_the_first_profile_is_primary_and_the_flag_moves(manager: Person):
    contact = make_contact(manager)
    first, second = (make_profile(manager, contact["id"]) for _ in range(2))
    assert primaries(manager, contact["id"]) == [first["id"]]
    assert manager.post(f"/v1/sales-profiles/{second['id']}/make-primary").data["isPrimary"] is True
    assert primaries(manager, contact["id"]) == [second["id"]]
    third = make_profile(manager, contact["id"], isPrimary=True)
    assert primaries(manager, contact["id"]) == [third["id"]]
    assert manager.patch(f"/v1/sales-profiles/{first['id']}", {"isPrimary": True}).data["isPrimary"] is False
    manager.delete(f"/v1/sales-profiles/{third['id']}")
    assert primaries(manager, contact["id"]) == [second["id"]], "The newest of those left takes over."


def test_of_two_made_primary_at_the_same_moment_one_wins(manager: Person):
    contact = make_contact(manager)
    _, one, two = (make_profile(manager, contact["id"]) for _ in range(3))
    for _ in range(3):
        answers = at_once(
            *[
                lambda profile=profile: manager.post(f"/v1/sales-profiles/{profile['id']}/make-primary")
                for profile in (one, two)
            ]
        )
        assert {answer.status for answer in answers} <= {200, 409}
        assert 200 in {answer.status for answer in answers}
        (winner,) = primaries(manager, contact["id"])
        for answer in answers:
            if answer.status == 409:
                assert answer.error["code"] == "PRIMARY_CHANGED"
                assert answer.error["details"]["primaryId"] == winner


def test_of_two_first_profiles_at_the_same_moment_one_is_primary(manager: Person):
    contact = make_contact(manager)
    path = f"/v1/contacts/{contact['id']}/sales-profile"
    answers = at_once(*[lambda: manager.post(path, {})] * 3)
    assert [answer.status for answer in answers] == [201] * 3
    assert len(primaries(manager, contact["id"])) == 1


def test_sales_profiles_are_listed_and_filtered(manager: Person):
    one, two = make_contact(manager), make_contact(manager)
    first = make_profile(manager, one["id"], **FULL)
    make_profile(manager, two["id"], leadStatus="lost")
    for query in (
        "leadStatus=qualified", "buyingRole=economic_buyer", "scoreFrom=50", "territory=north", "leadSource=trade show",
        f"contactId={one['id']}",
    ):  # fmt: skip
        assert [row["id"] for row in manager.get(f"/v1/sales-profiles?{query}").data] == [first["id"]], query
    assert len(manager.get("/v1/sales-profiles?isPrimary=true&sort=leadStatus").data) == 2
    assert manager.get("/v1/sales-profiles?leadStatus=odd").status == 422


def test_whoever_may_not_see_the_contact_does_not_see_its_profiles(manager: Person):
    organization = manager.organization
    organization.visibility = Visibility.TEAM
    organization.save()
    west, east = make_person(organization, Role.AGENT, "West"), make_person(organization, Role.AGENT, "East")
    contact = make_contact(manager, assignedTo=str(east.user.id))
    profile = make_profile(east, contact["id"])
    assert west.get("/v1/sales-profiles").data == []
    assert west.get("/v1/contact-profiles").data == []
    assert west.get(f"/v1/sales-profiles/{profile['id']}").status == 404
    assert west.post(f"/v1/sales-profiles/{profile['id']}/make-primary").status == 404
    for path in ("profiles", "profile-summary", "profile-audit-log", "insights"):
        assert west.get(f"/v1/contacts/{contact['id']}/{path}").status == 404
        assert east.get(f"/v1/contacts/{contact['id']}/{path}").status == 200
    assert east.delete(f"/v1/sales-profiles/{profile['id']}").status == 403


def test_profiles_of_a_contact_in_the_trash_are_out_of_sight(manager: Person):
    contact = make_contact(manager)
    profile = make_profile(manager, contact["id"])
    manager.delete(f"/v1/contacts/{contact['id']}")
    assert manager.get(f"/v1/sales-profiles/{profile['id']}").status == 404
    assert manager.get("/v1/contact-profiles").data == []
    manager.post(f"/v1/contacts/{contact['id']}/restore")
    assert manager.get(f"/v1/sales-profiles/{profile['id']}").status == 200


def test_a_contact_is_made_together_with_its_profiles(manager: Person):
    body: dict[str, Any] = {
        "phone": phone_number(),
        "profiles": {"sales": {"leadStatus": "new"}, "candidate": {"headline": "Engineer", "skills": [{"name": "Go"}]}},
    }
    contact = manager.post("/v1/contacts", body)
    assert contact.status == 201, contact
    profiles = manager.get(f"/v1/contacts/{contact.data['id']}/profiles").data
    assert profiles["isDual"] is True
    assert profiles["sales"][0]["leadStatus"] == "new"
    assert profiles["candidate"][0]["skills"][0]["name"] == "Go"
    broken: dict[str, Any] = {"phone": phone_number(), "profiles": {"sales": {"score": 101}}}
    assert manager.post("/v1/contacts", broken).status == 422
    assert manager.get(f"/v1/contacts?search={broken['phone'][-10:]}").data == []
    refused = manager.put(f"/v1/contacts/{contact.data['id']}", {"profiles": {"sales": {}}})
    assert refused.status == 422


def test_every_change_of_a_profile_is_in_the_log(manager: Person, agent: Person):
    contact = make_contact(manager)
    first = make_profile(agent, contact["id"], notes="hidden words")
    second = make_profile(manager, contact["id"])
    agent.patch(f"/v1/sales-profiles/{first['id']}", {"territory": "South", "score": 5})
    manager.post(f"/v1/sales-profiles/{second['id']}/make-primary")
    manager.delete(f"/v1/sales-profiles/{first['id']}")
    log = manager.get(f"/v1/contacts/{contact['id']}/profile-audit-log")
    assert [(each["action"], each["profileId"] == first["id"]) for each in reversed(log.data)] == [
        ("created", True),
        ("created", False),
        ("updated", True),
        ("replaced_as_primary", True),
        ("made_primary", False),
        ("deleted", True),
    ]
    assert log.data[3]["changed"] == ["score", "territory"]
    assert log.data[3]["user"] == agent.user.name
    assert b"hidden words" not in log.response.content
    path = f"/v1/contacts/{contact['id']}/profile-audit-log?action=created&kind=sales&profileId={second['id']}"
    assert len(manager.get(path).data) == 1
