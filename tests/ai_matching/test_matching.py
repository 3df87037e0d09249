"""Candidates for jobs and jobs for candidates: order, reasons, conditions, log."""

from typing import Any

import pytest

from ai_matching.models import MatchedPerson
from ai_matching.services import vectors
from recruitment.models import Application
from tests.ai_matching.people import DATA, NURSING, ask, candidate, data_job, ids, vectors_made
from tests.factories import Person
from vocelio.organizations.scope import organization_scope


@pytest.fixture
def people(admin: Person) -> dict[str, str]:
    """Return a job and three candidates: one who fits, one near, one of another trade."""
    made = {
        "job": data_job(admin),
        "fits": candidate(
            admin,
            "Data engineer",
            DATA,
            city="Boston",
            state="MA",
            country="US",
            yearsOfExperience="6",
            noticePeriodDays=14,
        ),
        "near": candidate(admin, "Database developer", [{"name": "SQL"}], city="Austin", state="TX", country="US"),
        "other": candidate(admin, "Registered nurse", NURSING, yearsOfExperience="9"),
    }
    vectors_made(admin)
    return made


def test_candidates_are_ranked_with_their_factors_skills_and_a_sentence(admin: Person, people):
    answer = ask(admin, people["job"])
    assert ids(answer) == [people["fits"], people["near"], people["other"]]
    assert answer.json["pagination"] == {"page": 1, "limit": 20, "total": 3, "pages": 1}
    assert (answer.data["provider"], answer.data["model"], answer.data["notice"]) == (
        "esco",
        "esco-words-692",
        "",
    )
    best, near, other = answer.data["results"]
    assert [each["name"] for each in best["matchedSkills"]] == ["Python", "SQL"]
    assert [each["name"] for each in best["missingSkills"]] == ["Kafka"]
    assert best["reason"].startswith("Has both required skills (Python, SQL). ")
    assert "in Boston" in best["reason"].replace("In Boston", "in Boston")
    assert "6 years of experience, as asked" in best["reason"].replace("6 Years", "6 years")
    assert "lacks Python" in near["reason"]
    assert "; in Austin, 2,726 km away (-" in near["reason"]
    assert other["reason"].startswith("Has none of the 2 required skills; lacks Python, SQL. ")
    for result in (best, near, other):
        assert float(result["score"]) == pytest.approx(sum(each["points"] for each in result["factors"]), abs=0.3)
        assert sum(each["weight"] for each in result["factors"]) == pytest.approx(1, abs=0.01)


def test_the_same_question_has_the_same_answer(admin: Person, people):
    first, second = ask(admin, people["job"]), ask(admin, people["job"])
    assert [(each["score"], each["reason"]) for each in first.data["results"]] == [
        (each["score"], each["reason"]) for each in second.data["results"]
    ]


def test_names_of_one_skill_are_alike_and_akin_ones_count_half(admin: Person):
    job = data_job(admin, skills=[{"name": "PostgreSQL"}, {"name": "React"}])
    candidate(admin, "Developer", [{"name": "Postgres"}, {"name": "React Native"}])
    vectors_made(admin)
    (result,) = ask(admin, job).data["results"]
    assert [each["has"] for each in result["matchedSkills"]][:1] == ["Postgres"]
    assert [(each["name"], each["has"]) for each in result["nearSkills"]] == [("React", "React Native")]


def test_hard_conditions_weights_threshold_and_pages(admin: Person, people):
    job = people["job"]
    assert ids(ask(admin, job, filters={"city": "boston"})) == [people["fits"]]
    assert ids(ask(admin, job, filters={"skills": ["triage"]})) == [people["other"]]
    assert ids(ask(admin, job, filters={"experienceFrom": 7})) == [people["other"]]
    assert ids(ask(admin, job, filters={"state": "TX", "jobSearch": ["open"]})) == [people["near"]]
    assert ids(ask(admin, job, filters={"candidateIds": [people["other"], people["near"]]})) == [
        people["near"],
        people["other"],
    ]
    assert ids(ask(admin, job, threshold=70)) == [people["fits"]]
    second = ask(admin, job, limit=1, page=2)
    assert ids(second) == [people["near"]]
    assert second.data["results"][0]["rank"] == 2
    only = dict.fromkeys(["similarity", "skills", "location", "salary", "availability"], 0)
    assert ids(ask(admin, job, weights={**only, "experience": 1}))[-1] == people["near"]


def test_what_the_organization_set_counts_unless_something_else_is_asked(admin: Person, people):
    stored = admin.put("/v1/ai/settings", {"threshold": 70, "titleWeight": 0.2, "weights": {"skills": 1}}).data
    assert (stored["threshold"], stored["titleWeight"]) == (70, 0.2)
    answer = ask(admin, people["job"])
    assert (ids(answer), answer.data["titleWeight"]) == ([people["fits"]], 0.2)
    assert answer.data["weights"]["skills"] == max(answer.data["weights"].values())
    assert len(ids(ask(admin, people["job"], threshold=0))) == 3
    assert admin.put("/v1/ai/settings", {"titleWeight": 2}).status == 422


def test_applicants_can_be_left_out(admin: Person, people):
    contact = admin.get(f"/v1/candidate-profiles/{people['fits']}").data["contactId"]
    assert admin.post("/v1/applications", {"jobId": people["job"], "contactId": contact}).status == 201
    assert people["fits"] not in ids(ask(admin, people["job"], filters={"excludeApplicants": True}))


def test_a_text_finds_candidates_and_the_text_of_a_cv_finds_jobs(admin: Person, people):
    text = {"text": "Nurse\nWe look for intensive care nurses who do triage."}
    answer = admin.post("/v1/ai/vector-match-candidates", text)
    assert ids(answer)[0] == people["other"]
    cv = {"text": "Data engineer\nTen years of pipelines in Python and SQL."}
    answer = admin.post("/v1/ai/vector-match-jobs", cv)
    assert ids(answer) == [people["job"]]
    assert {each["factor"] for each in answer.data["results"][0]["factors"]} == {"similarity", "skills"}
    answer = admin.post("/v1/ai/vector-match-jobs", {"candidateId": people["fits"], "filters": {"state": "MA"}})
    assert ids(answer) == [people["job"]]
    assert (
        ids(admin.post("/v1/ai/vector-match-jobs", {"candidateId": people["fits"], "filters": {"state": "TX"}})) == []
    )


def test_bad_questions_are_422_and_name_the_field(admin: Person, outsider: Person, people):
    def refused(body: Any, path: str = "vector-match-candidates") -> set[str]:
        answer = admin.post(f"/v1/ai/{path}", body)
        assert answer.status == 422, answer
        return {each["field"] for each in answer.error["details"]["errors"]}

    assert refused({}) == {"jobId"}
    assert refused({"jobId": people["job"], "text": "x"}) == {"jobId"}
    assert refused({"jobId": people["job"], "limit": 0}) == {"limit"}
    assert refused({}, "vector-match-jobs") == {"candidateId"}
    foreign = data_job(outsider)
    assert refused({"jobId": foreign}) == {"jobId"}
    assert refused({"candidateId": candidate(outsider, "Cook")}, "vector-match-jobs") == {"candidateId"}


def test_salaries_count_only_for_those_who_may_see_them(admin: Person, agent: Person):
    job = data_job(admin, salaryMin="80000", salaryMax="90000", currency="USD")
    wants = {"amount": "9000", "currency": "USD", "period": "month"}
    candidate(admin, "Data engineer", DATA, desiredSalary=wants)
    vectors_made(admin)
    (shown,) = ask(admin, job).data["results"]
    assert "wants 20% more than the job pays" in shown["reason"].replace("Wants", "wants")
    (hidden,) = ask(agent, job).data["results"]
    assert "salary" not in {each["factor"] for each in hidden["factors"]}
    assert "more than the job pays" not in hidden["reason"]


def test_who_somebody_is_changes_nothing(admin: Person):
    job = data_job(admin)
    one = candidate(admin, "Data engineer", DATA, name="Ayşe", languages=[{"language": "tr", "level": "native"}])
    other = candidate(admin, "Data engineer", DATA, name="John", languages=[{"language": "en", "level": "native"}])
    vectors_made(admin)
    first, second = ask(admin, job).data["results"]
    assert {first["candidate"]["id"], second["candidate"]["id"]} == {one, other}
    assert (first["score"], first["reason"]) == (second["score"], second["reason"])


def test_candidates_in_the_trash_and_of_others_are_never_shown(admin: Person, outsider: Person, people):
    contact = admin.get(f"/v1/candidate-profiles/{people['fits']}").data["contactId"]
    candidate(outsider, "Data engineer", DATA)
    vectors_made(outsider)
    assert admin.delete(f"/v1/contacts/{contact}").status == 200
    assert ids(ask(admin, people["job"])) == [people["near"], people["other"]]


def test_the_index_finds_what_an_exact_scan_finds_also_behind_a_condition(
    admin: Person, outsider: Person, people, monkeypatch
):
    for number in range(6):
        candidate(outsider, f"Data engineer {number}", DATA)
    vectors_made(outsider)
    exact = ids(ask(admin, people["job"]))
    narrow = ids(ask(admin, people["job"], filters={"city": "Austin"}))
    monkeypatch.setattr(vectors, "COUNT", vectors.COUNT.replace("OFFSET 10000", "OFFSET 1"))
    assert ids(ask(admin, people["job"])) == exact
    assert ids(ask(admin, people["job"], filters={"city": "Austin"})) == narrow == [people["near"]]


def test_questions_and_what_people_said_of_results_are_logged(admin: Person, manager: Person, people):
    answer = ask(manager, people["job"], filters={"city": "Boston"})
    (result,) = answer.data["results"]
    logged = manager.get(f"/v1/ai/matches/{answer.data['matchId']}").data
    assert (logged["kind"], logged["job"]["id"], logged["total"]) == ("candidates", people["job"], 1)
    assert logged["filters"] == {"city": "Boston"}
    assert (logged["modelVersion"], logged["rulesVersion"]) == ("1", "2")
    said = manager.post(f"/v1/ai/match-results/{result['id']}/verdict", {"verdict": "good", "note": "Called her."})
    assert (said.status, said.data["verdict"], said.data["rank"]) == (200, "good", 1)
    rows = manager.get(f"/v1/ai/match-results?matchId={answer.data['matchId']}").data
    assert [(each["verdict"], each["decidedBy"]["id"]) for each in rows] == [("good", str(manager.user.pk))]
    (quality,) = manager.get("/v1/ai/match-quality").data
    assert (quality["judged"], quality["good"], quality["precision"]) == (1, 1, 1.0)
    with organization_scope(admin.organization.pk):
        # Nothing follows from it.
        assert not Application.objects.exists()
        assert MatchedPerson.objects.count() == 1


def test_records_are_found_by_what_a_text_means(admin: Person, agent: Person, people):
    answer = agent.post("/v1/ai/search", {"kind": "candidate", "text": "hospital nursing", "limit": 1})
    assert [each["id"] for each in answer.json["data"]] == [people["other"]]
    answer = agent.post("/v1/ai/search", {"kind": "job", "text": "data pipelines"})
    assert [each["id"] for each in answer.json["data"]] == [people["job"]]
    admin.post("/v1/contacts", {"phone": "+12125550199", "title": "Head of purchasing", "company": "Steelworks"})
    vectors_made(admin)
    answer = agent.post("/v1/ai/search", {"kind": "contact", "text": "procurement and purchasing", "limit": 1})
    assert [each["title"] for each in answer.json["data"]] == ["Head of purchasing"]
