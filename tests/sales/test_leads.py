"""Leads become contacts, clients and deals: all of them or none, no ghosts, each to the next in turn."""

from contacts.models import Client, Contact
from sales.models import Deal
from tests.factories import Person, make_person, phone_number, unique
from tests.sales.selling import at_once, make_contact, make_deal, make_pipeline
from vocelio.organizations.models import Role
from vocelio.organizations.scope import organization_scope


def counts(person: Person) -> tuple[int, int, int]:
    with organization_scope(person.organization.id):
        return Contact.objects.count(), Client.objects.count(), Deal.objects.count()


def test_a_lead_becomes_a_contact_a_client_and_a_deal(manager: Person):
    _, stages = make_pipeline(manager)
    lead = {
        "contact": {"firstName": "Ada", "phone": phone_number(), "source": "Website"},
        "client": {"name": unique("Initech"), "website": "initech.example"},
        "deal": {"name": "Paper", "amount": "900", "stageId": stages["Offer"]},
        "role": "buyer",
    }
    answer = manager.post("/v1/leads/convert", lead)
    assert (answer.status, answer.data["created"]) == (201, ["contact", "client", "deal"])
    deal = manager.get(f"/v1/deals/{answer.data['deal']['id']}").data
    assert (deal["client"]["id"], deal["source"]) == (answer.data["client"]["id"], "Website")
    assert deal["contacts"][0]["contactId"] == answer.data["contact"]["id"]
    assert deal["assignedTo"]["id"] == str(manager.user.pk)
    people = manager.get(f"/v1/clients/{answer.data['client']['id']}/contacts").data
    assert len(people) == 1
    again = manager.post("/v1/leads/convert", {**lead, "deal": None, "dealId": deal["id"]} | {"deal": lead["deal"]})
    assert again.status == 422


def test_converting_again_finds_what_is_there_instead_of_making_ghosts(manager: Person):
    make_pipeline(manager)
    name, phone = unique("Initech"), phone_number()
    lead = {"contact": {"firstName": "Ada", "phone": phone}, "client": {"name": name}}
    first = manager.post("/v1/leads/convert", {**lead, "deal": {"name": "Paper"}}).data
    before = counts(manager)
    again = manager.post(
        "/v1/leads/convert",
        {"contact": {"phone": phone}, "client": {"name": name.upper()}, "dealId": first["deal"]["id"]},
    ).data
    assert again["created"] == []
    assert [again[noun]["id"] for noun in ("contact", "client", "deal")] == [
        first[noun]["id"] for noun in ("contact", "client", "deal")
    ]
    assert counts(manager) == before
    assert len(manager.get(f"/v1/deals/{first['deal']['id']}").data["contacts"]) == 1
    assert len(manager.get(f"/v1/clients/{first['client']['id']}/contacts").data) == 1


def test_an_error_anywhere_leaves_nothing_behind(manager: Person):
    _, stages = make_pipeline(manager)
    before = counts(manager)
    lead = {
        "contact": {"firstName": "Ada", "phone": phone_number()},
        "client": {"name": unique("Initech")},
        "deal": {"name": "Paper", "stageId": stages["Offer"]},
    }
    assert manager.post("/v1/leads/convert", lead).error["code"] == "STAGE_GATE"
    assert counts(manager) == before
    assert manager.post("/v1/leads/convert", {"client": {"name": "x"}}).error["details"]["field"] == "contactId"


def test_two_people_who_convert_one_lead_at_once_make_one_of_each(manager: Person):
    make_pipeline(manager)
    before = counts(manager)
    lead = {
        "contact": {"firstName": "Ada", "email": f"{unique('ada')}@example.test"},
        "client": {"name": unique("Initech")},
    }
    answers = at_once(*[lambda: manager.post("/v1/leads/convert", lead)] * 2)
    assert [answer.status for answer in answers] == [201, 201]
    assert counts(manager) == (before[0] + 1, before[1] + 1, before[2])


def test_a_lead_joins_an_existing_deal(manager: Person):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["New"])
    contact = make_contact(manager)
    answer = manager.post("/v1/leads/convert", {"contactId": contact, "dealId": deal["id"]})
    assert answer.data["created"] == []
    assert [each["contactId"] for each in manager.get(f"/v1/deals/{deal['id']}").data["contacts"]] == [contact]


def test_rules_choose_by_criteria_and_members_take_turns(manager: Person):
    make_pipeline(manager)
    west, east, away = (make_person(manager.organization, Role.AGENT) for _ in range(3))
    away.user.memberships.update(is_active=True)
    rule = {"name": "West", "criteria": {"state": ["ca", "OR"]}, "members": [str(west.user.pk)]}
    assert manager.post("/v1/assignment-rules", rule).status == 201
    members = [str(east.user.pk), str(away.user.pk), str(manager.user.pk)]
    assert manager.post("/v1/assignment-rules", {"name": "Rest", "position": 5, "members": members}).status == 201
    away.user.memberships.update(is_active=False)

    def assignee(state: str) -> str:
        lead = {"contact": {"firstName": "Ada", "phone": phone_number(), "state": state}, "deal": {"name": "Paper"}}
        converted = manager.post("/v1/leads/convert", lead).data
        return str(manager.get(f"/v1/deals/{converted['deal']['id']}").data["assignedTo"]["id"])

    assert assignee("CA") == str(west.user.pk)
    assert [assignee("NY") for _ in range(3)] == [str(east.user.pk), str(manager.user.pk), str(east.user.pk)]


def test_leads_at_the_same_moment_go_to_different_members(manager: Person):
    make_pipeline(manager)
    people = [make_person(manager.organization, Role.AGENT) for _ in range(3)]
    manager.post("/v1/assignment-rules", {"name": "All", "members": [str(each.user.pk) for each in people]})

    def lead() -> dict[str, object]:
        return {"contact": {"firstName": "Ada", "phone": phone_number()}}

    answers = at_once(*[lambda: manager.post("/v1/leads/convert", lead())] * 3)
    ids = [answer.data["contact"]["id"] for answer in answers]
    assigned = {manager.get(f"/v1/contacts/{contact}").data["assignedTo"]["id"] for contact in ids}
    assert assigned == {str(each.user.pk) for each in people}


def test_a_rule_that_cannot_work_is_refused(manager: Person, outsider: Person):
    bad = {"name": "x", "criteria": {"shoeSize": ["44"]}, "members": [str(outsider.user.pk)]}
    assert manager.post("/v1/assignment-rules", bad).error["details"]["field"] == "criteria"
    bad["criteria"] = {"state": ["CA"]}
    assert manager.post("/v1/assignment-rules", bad).error["details"]["field"] == "members"
