"""The match explorer, proposals for contacts, what lead scores are worth."""

import re
from html import unescape

from tests.ai_matching.people import candidate, data_job, vectors_made
from tests.factories import Person, phone_number

EXPLORER = "/admin/ai_matching/match/explorer/"
PROPOSALS = "/admin/ai_matching/enrichmentproposal/"


def test_the_explorer_shows_how_somebody_in_particular_suits_and_what_was_said(manager: Person):
    asked = {"job": data_job(manager), "name": "Zebul"}
    candidate(manager, "Baker", name="Zebulon")
    candidate(manager, "Data engineer", name="Ada")
    vectors_made(manager)
    page = manager.client.get(EXPLORER, asked).content.decode()
    assert ("Zebulon" in page, ". Ada" in page, "match-said" in page) == (True, False, False)
    assert "Lists no skills; asked for are Python, SQL" in page
    (say,) = set(re.findall(rf'action="({EXPLORER}[^"]+)"', page))
    said = manager.client.post(unescape(say), {"verdict": "bad"})
    assert "match-said" in manager.client.get(said.headers["Location"]).content.decode()
    assert "No candidate of that name" in manager.client.get(EXPLORER, {**asked, "name": "Nobody"}).content.decode()


def test_proposals_are_looked_for_and_accepted(manager: Person):
    target = manager.post("/v1/contacts", {"phone": phone_number(), "firstName": "Ada"}).data["id"]
    assert (
        "proposals wait" in manager.client.post(f"{PROPOSALS}add/", {"contact": target}, follow=True).content.decode()
    )
    (country,) = [each for each in manager.get("/v1/ai/proposals").data if each["field"] == "country"]
    manager.client.post(PROPOSALS, {"action": "accept", "_selected_action": [country["id"]]})
    assert manager.get(f"/v1/ai/proposals/{country['id']}").data["status"] == "accepted"


def test_without_past_deals_scores_are_not_said_to_be_worth_anything(manager: Person):
    page = manager.client.get("/admin/ai_matching/leadscore/backtest/").content.decode()
    assert "no won and lost deals yet" in page
