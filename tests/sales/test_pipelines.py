"""Pipelines and stages: made, ordered under two people at once, and protected while deals are in them."""

from tests.factories import Person, make_person, unique
from tests.sales.selling import at_once, make_deal, make_pipeline, make_reason
from vocelio.organizations.models import Role


def test_a_pipeline_without_stages_gets_the_usual_ones(manager: Person):
    answer = manager.post("/v1/pipelines", {"name": "Usual"})
    names = [stage["name"] for stage in answer.data["stages"]]
    assert names == ["New", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
    assert answer.data["isDefault"] is True
    assert manager.post("/v1/pipelines", {"name": "Usual"}).error["code"] == "PIPELINE_EXISTS"
    assert manager.get("/v1/pipelines").data[0]["id"] == answer.data["id"]


def test_stages_are_added_changed_and_put_in_order(manager: Person):
    pipeline, stages = make_pipeline(manager)
    added = manager.post(f"/v1/pipelines/{pipeline['id']}/stages", {"name": "Demo", "rottingDays": 7}).data
    assert added["position"] == 2
    changed = manager.put(f"/v1/pipeline-stages/{added['id']}", {"probability": 30, "requiredFields": ["client"]})
    assert (changed.data["probability"], changed.data["requiredFields"]) == (30, ["client"])
    order = [added["id"], stages["New"], stages["Offer"], stages["Lost"], stages["Won"]]
    path = f"/v1/pipelines/{pipeline['id']}/stage-order"
    assert [stage["id"] for stage in manager.put(path, {"stageIds": order}).data["stages"]] == order
    assert manager.put(path, {"stageIds": order[1:]}).status == 422


def test_of_two_people_who_reorder_one_pipeline_one_wins_and_the_other_sees_the_order(manager: Person):
    pipeline, stages = make_pipeline(manager)
    colleague = make_person(manager.organization, Role.MANAGER)
    path = f"/v1/pipelines/{pipeline['id']}/stage-order"
    orders = [list(stages.values()), list(reversed(stages.values()))]
    answers = at_once(
        lambda: manager.put(path, {"stageIds": orders[0], "version": pipeline["version"]}),
        lambda: colleague.put(path, {"stageIds": orders[1], "version": pipeline["version"]}),
    )
    assert sorted(answer.status for answer in answers) == [200, 409]
    winner = orders[0] if answers[0].status == 200 else orders[1]
    loser = next(answer for answer in answers if answer.status == 409)
    assert [stage["id"] for stage in loser.error["details"]["current"]["stages"]] == winner
    shown = manager.get(f"/v1/pipelines/{pipeline['id']}").data
    assert [stage["id"] for stage in shown["stages"]] == winner
    assert [stage["position"] for stage in shown["stages"]] == [0, 1, 2, 3]


def test_a_stage_with_deals_goes_only_when_they_have_somewhere_to_go(manager: Person):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["Offer"], amount="5")
    address = f"/v1/pipeline-stages/{stages['Offer']}"
    assert manager.delete(address).error["code"] == "STAGE_IN_USE"
    assert manager.put(address, {"kind": "won"}).error["code"] == "STAGE_IN_USE"
    gate = manager.delete(f"{address}?moveTo={stages['Lost']}")
    assert (gate.status, gate.error["code"]) == (422, "STAGE_GATE")
    gone = manager.delete(f"{address}?moveTo={stages['New']}")
    assert (gone.status, gone.json["moved"]) == (200, 1)
    assert manager.get(f"/v1/deals/{deal['id']}").data["stage"]["name"] == "New"
    history = manager.get(f"/v1/deals/{deal['id']}/history").data
    assert history[0]["fromStage"]["name"] == "Offer"
    assert manager.get(address).status == 404
    assert manager.delete(f"/v1/pipeline-stages/{stages['New']}").status == 409


def test_a_pipeline_with_deals_and_the_default_one_stay(manager: Person):
    default, _ = make_pipeline(manager)
    other, stages = make_pipeline(manager)
    assert manager.delete(f"/v1/pipelines/{default['id']}").error["code"] == "DEFAULT_PIPELINE"
    deal = make_deal(manager, stages["New"])
    assert manager.delete(f"/v1/pipelines/{other['id']}").error["code"] == "PIPELINE_IN_USE"
    manager.delete(f"/v1/deals/{deal['id']}")
    assert manager.delete(f"/v1/pipelines/{other['id']}").status == 200
    assert manager.post("/v1/deals", {"name": "x", "stageId": stages["New"]}).status == 422


def test_a_lost_reason_in_use_is_archived_rather_than_deleted(manager: Person):
    _, stages = make_pipeline(manager)
    reason, unused = make_reason(manager), make_reason(manager)
    make_deal(manager, stages["Lost"], lostReasonId=reason)
    assert manager.delete(f"/v1/lost-reasons/{reason}").error["code"] == "LOST_REASON_IN_USE"
    assert manager.put(f"/v1/lost-reasons/{reason}", {"isArchived": True}).data["isArchived"] is True
    assert manager.delete(f"/v1/lost-reasons/{unused}").status == 200


def test_agents_read_pipelines_and_do_not_change_them(manager: Person, agent: Person):
    pipeline, _ = make_pipeline(manager)
    assert agent.get(f"/v1/pipelines/{pipeline['id']}").status == 200
    assert agent.put(f"/v1/pipelines/{pipeline['id']}", {"name": unique("x")}).status == 403


def test_counting_in_another_currency_needs_the_rates_first(manager: Person):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["New"], amount="110")
    refused = manager.put("/v1/sales-settings", {"currency": "EUR"})
    assert (refused.status, refused.error["code"]) == (422, "RATE_MISSING")
    assert manager.get("/v1/sales-settings").data["currency"] == "USD"
    assert make_deal(manager, stages["New"])["currency"] == deal["currency"] == "USD"
