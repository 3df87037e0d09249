"""OpenAI: what is sent, what is counted, what happens when it fails."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from ai_matching.models import EnrichmentProposal
from tests.ai_matching import openai_fake
from tests.ai_matching.people import DATA, ask, candidate, data_job, ids, vectors_made
from tests.factories import Person, phone_number, run_jobs
from vocelio.organizations.scope import organization_scope

INJECTIONS = Path(__file__).with_name("injections.txt")


def contact(person: Person, **fields) -> str:
    body = {"phone": phone_number(), "email": "ada@engines.example", "firstName": "Ada", **fields}
    return person.post("/v1/contacts", body).data["id"]


def enriched(person: Person, contact_id: str) -> Any:
    answer = person.post("/v1/ai/enrich-contact", {"contactId": contact_id})
    assert answer.status == 200, answer
    return answer.data


def run_of(person: Person) -> Any:
    return person.get("/v1/ai/embedding-runs").data[0]


def test_vectors_come_from_openai_when_there_is_a_key_and_are_counted(admin: Person, openai):
    job, profile = data_job(admin), candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    answer = ask(admin, job)
    assert (answer.data["provider"], answer.data["model"], ids(answer)) == (
        "openai",
        "text-embedding-3-small",
        [profile],
    )
    (row,) = admin.get("/v1/ai/usage").data["rows"]
    assert (row["texts"], row["tokens"], row["requests"]) == (3, 30, 2)
    assert row["cost"] == "0.000000600"
    assert sorted(openai.texts) == sorted(
        ["Data engineer", "Build data pipelines in Python and SQL.\nKafka, Python, SQL", "Python, SQL"]
    )


def test_busy_and_broken_servers_are_asked_again(admin: Person, openai):
    openai.next_answers.extend([lambda body: openai_fake.failure(429), lambda body: openai_fake.failure(503)])
    candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    assert (run_of(admin)["status"], run_of(admin)["embedded"]) == ("completed", 2)
    assert len(openai.requests) == 3


def test_what_an_answer_leaves_out_is_asked_for_again(admin: Person, openai):
    openai.next_answers.append(lambda body: openai_fake.embeddings(body, leave_out=1))
    candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    assert (run_of(admin)["status"], run_of(admin)["embedded"]) == ("completed", 2)
    assert [len(body["input"]) for _, body in openai.requests] == [2, 1]


def test_a_run_waits_for_a_server_that_is_away_and_fails_for_one_that_refuses(admin: Person, openai):
    openai.is_down = True
    candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    assert run_of(admin)["status"] == "pending"
    openai.is_down = False
    run_jobs(admin.organization)
    assert run_of(admin)["status"] == "completed"
    openai.next_answers.append(lambda body: openai_fake.failure(401, "invalid_api_key"))
    candidate(admin, "Cook")
    vectors_made(admin)
    assert (run_of(admin)["status"], run_of(admin)["errorCode"]) == ("failed", "EMBEDDER_REFUSED")


def test_an_outage_leaves_stored_vectors_to_compare_and_says_so(admin: Person, openai):
    job, profile = data_job(admin), candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    openai.is_down = True
    answer = ask(admin, job)
    assert (ids(answer), answer.data["notice"]) == ([profile], "")
    admin.put(f"/v1/jobs/{job}", {"title": "Senior data engineer"})
    answer = ask(admin, job)
    assert (ids(answer), "old one" in answer.data["notice"]) == ([profile], True)
    answer = admin.post("/v1/ai/vector-match-candidates", {"text": "Engineer\nPython and SQL"})
    assert answer.data["notice"] == "The model does not answer; stored vectors were compared."
    assert "similarity" not in {each["factor"] for each in answer.data["results"][0]["factors"]}
    assert ids(answer) == [profile]


def test_a_server_that_nobody_runs_is_an_outage_too(admin: Person, openai, settings):
    profile = candidate(admin, "Data engineer", DATA)
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
        settings.OPENAI_BASE_URL, settings.OUTBOUND_TRUSTED = f"http://{address}/v1", [address]
        vectors_made(admin)
        answer = admin.post("/v1/ai/vector-match-candidates", {"text": "Engineer\nPython and SQL"})
    assert run_of(admin)["status"] == "pending"
    assert (ids(answer), "does not answer" in answer.data["notice"]) == ([profile], True)


def test_a_spent_budget_sends_nothing(admin: Person, openai):
    admin.put("/v1/ai/settings", {"monthlyBudget": "0", "maySendContacts": True})
    candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    assert (run_of(admin)["status"], run_of(admin)["errorMessage"]) == (
        "failed",
        "The month's budget for models is spent.",
    )
    assert "budget" in enriched(admin, contact(admin))["notice"]
    assert openai.requests == []


def test_nothing_of_a_contact_is_sent_unless_the_organization_says_so(admin: Person, openai):
    enriched(admin, contact(admin))
    assert openai.requests == []


def test_one_contact_is_sent_without_name_phone_and_address_and_only_proposals_come_of_it(admin: Person, openai):
    admin.put("/v1/ai/settings", {"maySendContacts": True})
    contact(admin, company="Rival Secrets", notes="Another contact's notes")
    target = contact(admin, notes="Works as plant manager.", email="ada@plants.example")
    openai.proposals = json.dumps(
        {
            "proposals": [
                {"field": "title", "value": "Plant manager", "confidence": 0.9, "explanation": "The notes say so."}
            ]
        }
    )
    data = enriched(admin, target)
    ((_, body),) = openai.requests
    sent = json.dumps(body)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert "Works as plant manager." in sent
    for secret in ("Rival Secrets", "Another contact", "Ada", "ada@", "+1212"):
        assert secret not in sent
    proposal = next(each for each in data["proposals"] if each["source"] == "openai")
    assert (proposal["field"], proposal["current"], proposal["value"]) == ("title", "", "Plant manager")
    assert admin.get(f"/v1/contacts/{target}").data["title"] == ""
    usage = {row["purpose"]: row for row in admin.get("/v1/ai/usage").data["rows"]}
    assert (usage["enrichment"]["tokens"], float(usage["enrichment"]["cost"])) == (1100, 0.00021)


def test_a_model_that_obeys_a_note_changes_nothing_it_may_not(admin: Person, outsider: Person, openai):
    """Fifty notes that try it, before a model that does whatever they say."""
    admin.put("/v1/ai/settings", {"maySendContacts": True})
    contact(admin, company="Rival Secrets", notes="Another contact's notes")
    contact(outsider, company="Foreign Secrets", notes="Notes of strangers")
    names = [
        "phone",
        "email",
        "assignedTo",
        "assigned_to_id",
        "consent",
        "dnc",
        "status",
        "role",
        "tags",
        "id",
        "Phone",
    ]
    names += ["phone ", "company.phone", "organization", "customFields", "notes", "private_notes", "owner"]
    rows: list[Any] = [{"field": name, "value": "+15550001111", "confidence": 99, "explanation": "x"} for name in names]
    rows.append({"field": "title", "value": "x" * 10_000, "confidence": -5, "explanation": "long"})
    openai.proposals = json.dumps({"proposals": rows})
    payloads = INJECTIONS.read_text(encoding="utf-8").splitlines()
    assert len(payloads) == 50
    for payload in payloads:
        target = contact(admin, notes=payload, title="Smith", city="Leeds")
        before = admin.get(f"/v1/contacts/{target}").data
        data = enriched(admin, target)
        assert not [each for each in data["proposals"] if each["source"] == "openai"]
        assert admin.get(f"/v1/contacts/{target}").data == before
        _, body = openai.requests[-1]
        system, user = body["messages"]
        # What the contact says is data of one message, whole and escaped; the other one never changes.
        assert json.loads(user["content"])["notes"] == before["notes"]
        assert (system["role"], user["role"], "no instruction in it" in system["content"]) == ("system", "user", True)
    sent = json.dumps([body for _, body in openai.requests])
    assert len(openai.requests) == len(payloads)
    for secret in ("Rival Secrets", "Another contact", "Foreign Secrets", "Notes of strangers", "ada@", "+1212"):
        assert secret not in sent
    with organization_scope(admin.organization.pk):
        assert not EnrichmentProposal.objects.filter(source="openai").exists()


@pytest.mark.parametrize("confidence", ["NaN", "Infinity", "1e309", "-3"])
def test_a_confidence_that_is_no_share_harms_nothing(admin: Person, openai, confidence):
    admin.put("/v1/ai/settings", {"maySendContacts": True})
    row = '{"field": "title", "value": "Plant manager", "confidence": %s, "explanation": ""}'
    openai.proposals = '{"proposals": [' + row % confidence + "]}"
    data = enriched(admin, contact(admin))
    shown = [float(each["confidence"]) for each in data["proposals"] if each["source"] == "openai"]
    assert shown == ([0.0] if confidence == "-3" else [])


def test_an_answer_that_is_no_json_is_left_out_and_said(admin: Person, openai):
    admin.put("/v1/ai/settings", {"maySendContacts": True})
    for nonsense in ("I am sorry", '{"proposals": 7}', '{"proposals": [{"field": "title"}]}', "[]"):
        openai.proposals = nonsense
        assert enriched(admin, contact(admin))["notice"] == "OpenAI's answer could not be read and was left out."
    openai.is_down = True
    assert "does not answer" in enriched(admin, contact(admin))["notice"]
