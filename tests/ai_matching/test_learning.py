"""Weights that judgements speak for, the decision log as a file, records without vectors."""

import csv

from django.utils import timezone

from ai_matching.models import AiSettings, Match, MatchedPerson, Verdict
from recruitment.models import CandidateProfile, JobOpening
from tests.ai_matching.people import DATA, ask, candidate, data_job, vectors_made
from tests.factories import Person
from vocelio.audit.models import AuditEntry
from vocelio.organizations.scope import organization_scope


def judge(person: Person, jobs: list[str], each: int) -> None:
    """Judge results so that nearness alone tells good ones from bad ones."""
    profiles = [candidate(person, f"Engineer {number}") for number in range(each)]
    with organization_scope(person.organization.pk):
        contacts = CandidateProfile.objects.filter(pk__in=profiles).values_list("contact_id", flat=True)
        for job in JobOpening.objects.filter(pk__in=jobs):
            match = Match.objects.create(
                kind="candidates", job=job, provider="esco", model="esco-words-692", total=each
            )
            rows = [
                MatchedPerson(
                    match=match,
                    rank=rank + 1,
                    job=job,
                    contact_id=contact,
                    score=50,
                    factors=[
                        {"factor": "skills", "value": 0.6 if rank % 2 else 0.9},
                        {"factor": "location", "value": 0.9 if rank % 2 else 0.1},
                    ],
                    verdict=Verdict.GOOD if rank % 2 else Verdict.BAD,
                    decided_at=timezone.now(),
                )
                for rank, contact in enumerate(contacts)
            ]
            MatchedPerson.objects.bulk_create(rows)


def log_of(person: Person) -> list[str]:
    return b"".join(person.get("/v1/ai/match-log/export").response.streaming_content).decode().splitlines()


def test_weights_are_proposed_from_judgements_and_a_person_decides(admin: Person, manager: Person):
    few = admin.get("/v1/ai/weights-proposal").data
    assert (few["isReady"], few["proposed"], few["neededJudged"]) == (False, None, 40)
    refused = admin.post("/v1/ai/weights-proposal/accept")
    assert (refused.status, refused.error["code"]) == (409, "NOT_ENOUGH_JUDGED")
    judge(admin, [data_job(admin) for _ in range(8)], 6)
    proposal = admin.get("/v1/ai/weights-proposal").data
    assert (proposal["isReady"], proposal["jobs"]) == (True, 8)
    assert proposal["proposed"]["weights"]["location"] > proposal["current"]["weights"]["location"]
    assert proposal["proposed"]["rightOrder"] > proposal["current"]["rightOrder"]
    assert admin.get("/v1/ai/weights-proposal").data == proposal
    assert admin.post("/v1/ai/weights-proposal/reject").data == proposal
    with organization_scope(admin.organization.pk):
        assert not AiSettings.objects.exists()
    admin.post("/v1/ai/weights-proposal/accept")
    assert admin.get("/v1/ai/settings").data["weights"] == proposal["proposed"]["weights"]
    assert admin.get("/v1/ai/weights-proposal").data["proposed"] is None
    assert admin.post("/v1/ai/weights-proposal/accept").error["code"] == "NO_BETTER_WEIGHTS"
    with organization_scope(admin.organization.pk):
        assert AuditEntry.objects.filter(action="weights_proposal.accepted").count() == 1
    assert manager.post("/v1/ai/weights-proposal/accept").status == 403


def test_the_decision_log_is_a_file(admin: Person, manager: Person, outsider: Person):
    job, profile = data_job(admin), candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    (result,) = ask(admin, job).data["results"]
    manager.post(f"/v1/ai/match-results/{result['id']}/verdict", {"verdict": "bad", "note": "=1+1"})
    rows = list(csv.DictReader(log_of(manager)))
    assert [(row["Job"], row["Candidate"], row["Rank"], row["Verdict"]) for row in rows] == [(job, profile, "1", "bad")]
    assert rows[0]["Note"] == "'=1+1"
    assert rows[0]["Reason"] == result["reason"]
    assert len(log_of(outsider)) == 1


def test_records_without_vectors_and_with_old_ones_are_listed(admin: Person):
    job = data_job(admin)
    (missing,) = admin.get("/v1/ai/missing-embeddings?kind=job").data
    assert (missing["id"], missing["name"], missing["state"]) == (job, "Data engineer", "missing")
    vectors_made(admin)
    assert admin.get("/v1/ai/missing-embeddings?kind=job").data == []
    admin.put(f"/v1/jobs/{job}", {"title": "Analyst"})
    assert [each["state"] for each in admin.get("/v1/ai/missing-embeddings?kind=job").data] == ["changed"]
    assert admin.get("/v1/ai/missing-embeddings?kind=nonsense").status == 422
