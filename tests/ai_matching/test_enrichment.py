"""Proposals of what the organization itself holds; a person accepts or rejects them."""

from typing import Any

from tests.factories import Person, phone_number


def contact(person: Person, **fields) -> str:
    return person.post("/v1/contacts", {"phone": phone_number(), "firstName": "Ada", **fields}).data["id"]


def enrich(person: Person, contact_id: str) -> dict[str, Any]:
    answer = person.post("/v1/ai/enrich-contact", {"contactId": contact_id})
    assert answer.status == 200, answer
    return {each["field"]: each for each in answer.data["proposals"]}


def test_company_country_and_post_are_proposed_with_their_source(agent: Person):
    agent.post("/v1/clients", {"name": "Engine Works", "domain": "engines.example"})
    target = contact(agent, email="ada@engines.example")
    post = {"company": "Old Mill", "title": "Foreman", "since": "2020-01"}
    agent.post(f"/v1/contacts/{target}/candidate-profile", {"headline": "x", "city": "Leeds", "experience": [post]})
    found = enrich(agent, target)
    assert (found["company"]["value"], found["company"]["source"]) in {
        ("Engine Works", "domain"),
        ("Old Mill", "profile"),
    }
    assert (found["title"]["value"], found["title"]["source"]) == ("Foreman", "profile")
    assert (found["city"]["value"], found["country"]["value"]) == ("Leeds", "US")
    assert "America/New_York" in found["country"]["explanation"]
    assert agent.get(f"/v1/contacts/{target}").data["title"] == ""


def test_colleagues_tell_the_company_and_free_mail_tells_nothing(agent: Person):
    contact(agent, email="bob@mill.example", company="The Mill")
    assert enrich(agent, contact(agent, email="ada@mill.example"))["company"]["value"] == "The Mill"
    contact(agent, email="bob@gmail.com", company="The Mill")
    assert "company" not in enrich(agent, contact(agent, email="ada@gmail.com"))


def test_accepting_writes_once_and_rejecting_never_proposes_again(agent: Person):
    contact(agent, email="bob@mill.example", company="The Mill")
    target = contact(agent, email="ada@mill.example")
    found = enrich(agent, target)
    done = agent.post(f"/v1/ai/proposals/{found['company']['id']}/accept")
    assert (done.status, done.data["status"], done.data["decidedBy"]["id"]) == (200, "accepted", str(agent.user.pk))
    assert agent.get(f"/v1/contacts/{target}").data["company"] == "The Mill"
    again = agent.post(f"/v1/ai/proposals/{found['company']['id']}/reject")
    assert (again.status, again.error["code"]) == (409, "PROPOSAL_DECIDED")
    for field in ("country", "state"):
        assert agent.post(f"/v1/ai/proposals/{found[field]['id']}/reject").data["status"] == "rejected"
    assert enrich(agent, target) == {}
    assert len(agent.get(f"/v1/ai/proposals?contactId={target}&status=rejected").data) == 2


def test_contacts_of_others_are_422(agent: Person, outsider: Person):
    foreign = contact(outsider)
    assert agent.post("/v1/ai/enrich-contact", {"contactId": foreign}).status == 422
