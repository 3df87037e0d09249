"""Scores of leads: what adds to them, how they change, how well they told won deals from lost ones."""

from typing import Any

import pytest
from django.db import connection

from ai_matching import tasks
from ai_matching.models import LeadScore
from tests.factories import Person, phone_number
from tests.sales.selling import make_deal, make_pipeline, make_reason, move
from vocelio.organizations.scope import organization_scope


def lead(person: Person, title: str = "", **fields) -> str:
    contact = person.post("/v1/contacts", {"phone": phone_number(), "firstName": "Ada", "title": title}).data["id"]
    assert person.post(f"/v1/contacts/{contact}/sales-profile", fields).status == 201
    return str(contact)


def score(person: Person, *contacts: str) -> Any:
    answer = person.post("/v1/ai/lead-scoring", {"contactIds": list(contacts)})
    assert answer.status == 200, answer
    return answer.data


def call(person: Person, contact: str) -> None:
    body = {"kind": "call", "subject": "Talk", "contactId": contact}
    made = person.post("/v1/sales-activities", body)
    assert person.post(f"/v1/sales-activities/{made.data['id']}/complete", {}).status == 200


def test_a_score_is_the_sum_of_what_its_factors_add(agent: Person):
    good = lead(agent, "Chief executive", buyingRole="decision_maker", budget="50000", currency="USD")
    poor = lead(agent, "Intern")
    call(agent, good)
    first, second = score(agent, good, poor)
    assert (first["contactId"], second["contactId"]) == (good, poor)
    for each in (first, second):
        assert each["score"] == pytest.approx(sum(factor["points"] for factor in each["factors"]), abs=0.51)
        assert sum(factor["most"] for factor in each["factors"]) == 100
    reasons = {each["factor"]: each["reason"] for each in first["factors"]}
    assert reasons["fit"] == "decision maker, budget known"
    assert reasons["engagement"] == "1 activity in 90 days"
    assert reasons["recency"] == "last contact today"
    assert reasons["source"] == "no closed deals to judge sources by"
    assert {each["factor"]: each["reason"] for each in second["factors"]}["recency"] == "never contacted"


def test_the_history_grows_with_changes_only(agent: Person):
    contact = lead(agent)
    (first,) = score(agent, contact)
    score(agent, contact)
    assert len(agent.get(f"/v1/ai/lead-scores/{first['id']}/history").data) == 1
    # Heard of at once, since it was scored before.
    call(agent, contact)
    history = agent.get(f"/v1/ai/lead-scores/{first['id']}/history").data
    assert [each["score"] for each in history] == sorted((each["score"] for each in history), reverse=True)
    assert len(history) == 2
    (row,) = agent.get(f"/v1/ai/lead-scores?contactId={contact}&scoreFrom={history[0]['score']}").data
    assert row["score"] == history[0]["score"]


def test_every_lead_is_scored_at_night(agent: Person):
    lead(agent)
    lead(agent)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM schedule_ticks WHERE schedule = 'ai_matching.tasks.score_leads'")
    tasks.score_leads()
    with organization_scope(agent.organization.pk):
        assert LeadScore.objects.count() == 2


def test_leads_of_others_are_left_out(agent: Person, outsider: Person):
    assert score(agent, lead(outsider)) == []
    assert agent.post("/v1/ai/lead-scoring", {"contactIds": []}).status == 422


def test_scores_are_held_against_past_deals(manager: Person):
    _, stages = make_pipeline(manager)
    for stage, role in (("Won", "decision_maker"), ("Won", "champion"), ("Lost", "blocker")):
        contact = lead(manager, buyingRole=role)
        deal = make_deal(manager, stages["New"], amount="10", currency="USD")
        joined = manager.put(f"/v1/deals/{deal['id']}", {"contacts": [{"contactId": contact, "isPrimary": True}]})
        assert joined.status == 200, joined
        fields = {"lostReasonId": make_reason(manager)} if stage == "Lost" else {}
        assert move(manager, deal, stages[stage], **fields).status == 200
    figures = manager.get("/v1/ai/lead-scoring/backtest").data
    assert (figures["deals"], figures["won"], figures["auc"]) == (3, 2, 1.0)
    assert figures["lift"] == 1.5
