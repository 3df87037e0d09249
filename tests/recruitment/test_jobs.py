"""Jobs: their life cycle, their processes, their board."""

from tests.factories import Person, unique
from tests.recruitment.hiring import apply, make_job, move

STAGES = [
    {"name": "New"},
    {"name": "Trial day"},
    {"name": "Yes", "outcome": "hired"},
    {"name": "No", "outcome": "rejected"},
    {"name": "Gone", "outcome": "withdrawn"},
]


def test_a_job_keeps_to_its_life_cycle(agent: Person):
    job = agent.post("/v1/jobs", {"title": "Nurse", "skills": [{"name": "Triage", "level": 4}]}).data
    assert (job["status"], job["openedAt"], job["process"]["name"]) == ("draft", None, "Hiring")
    refused = agent.put(f"/v1/jobs/{job['id']}", {"status": "filled"})
    assert (refused.status, refused.error["code"]) == (409, "STATUS_REFUSED")
    assert refused.error["details"]["allowed"] == ["open", "cancelled"]
    opened = agent.put(f"/v1/jobs/{job['id']}", {"status": "open"}).data
    assert opened["openedAt"]
    closed = agent.post(f"/v1/jobs/{job['id']}/close", {"status": "cancelled", "reason": "No budget"}).data
    assert (closed["status"], closed["statusReason"]) == ("cancelled", "No budget")
    assert agent.post("/v1/applications", {"jobId": job["id"], "contactId": str(agent.user.pk)}).status == 422


def test_a_job_names_every_bad_field(agent: Person):
    answer = agent.post(
        "/v1/jobs", {"title": "", "openings": 0, "currency": "euro", "remoteKind": "moon", "nonsense": 1}
    )
    assert answer.status == 422
    assert agent.post("/v1/jobs", {"title": "A", "salaryMin": "1"}).error["details"]["errors"][0]["field"] == "currency"
    too_low = agent.post("/v1/jobs", {"title": "A", "salaryMin": "2", "salaryMax": "1", "currency": "EUR"})
    assert too_low.error["details"]["errors"][0]["field"] == "salaryMax"


def test_jobs_of_a_family_follow_its_process(manager: Person):
    family, other = unique("family"), make_job(manager)
    process = manager.post("/v1/hiring-processes", {"name": unique("process"), "family": family, "stages": STAGES})
    assert process.status == 201, process
    job = make_job(manager, family=family.upper())
    assert job["process"]["id"] == process.data["id"]
    assert list(job["stages"]) == [stage["name"] for stage in STAGES]
    apply(manager, job)
    fixed = manager.put(f"/v1/jobs/{job['id']}", {"processId": other["process"]["id"]})
    assert fixed.error["code"] == "PROCESS_FIXED"
    kept = [{"id": stage["id"], "name": stage["name"]} for stage in process.data["stages"][1:]]
    in_use = manager.put(f"/v1/hiring-processes/{process.data['id']}", {"stages": kept})
    assert (in_use.error["code"], in_use.error["details"]["applications"]) == ("STAGE_IN_USE", 1)
    assert manager.delete(f"/v1/hiring-processes/{process.data['id']}").error["code"] == "PROCESS_IN_USE"


def test_a_process_needs_a_stage_for_every_outcome(manager: Person):
    answer = manager.post("/v1/hiring-processes", {"name": unique("process"), "stages": [{"name": "New"}]})
    assert (answer.status, answer.error["details"]["errors"][0]["constraint"]) == (422, "outcomes")


def test_a_copy_is_a_draft_with_skills_and_team(agent: Person):
    team = [{"userId": str(agent.user.pk), "role": "recruiter"}]
    job = make_job(agent, skills=[{"name": "Python"}, {"name": "Go", "isRequired": False}], team=team, isPublic=True)
    copy = agent.post(f"/v1/jobs/{job['id']}/duplicate").data
    assert (copy["status"], copy["isPublic"]) == ("draft", False)
    assert copy["skills"] == job["skills"]
    assert copy["team"] == job["team"]
    assert copy["publicSlug"] != job["publicSlug"]


def test_the_second_of_two_editors_is_told(agent: Person):
    job = make_job(agent)
    assert agent.put(f"/v1/jobs/{job['id']}", {"title": "A"}, **{"If-Match": '"1"'}).status == 200
    late = agent.put(f"/v1/jobs/{job['id']}", {"title": "B"}, **{"If-Match": '"1"'})
    assert (late.status, late.error["details"]["current"]["title"]) == (409, "A")


def test_the_board_of_jobs_counts_by_status(agent: Person):
    job = make_job(agent)
    move(agent, apply(agent, job), job["stages"]["Interview"])
    make_job(agent)
    columns = {each["status"]: each for each in agent.get("/v1/jobs/board?limit=1").data["columns"]}
    assert (columns["open"]["count"], len(columns["open"]["jobs"])) == (2, 1)
    rest = agent.get(f"/v1/jobs/board/open?limit=1&cursor={columns['open']['nextCursor']}")
    assert [each["openApplications"] for each in rest.data] == [1]
    assert agent.get("/v1/jobs/board/nonsense").status == 404


def test_the_last_hire_fills_the_job(agent: Person):
    job = make_job(agent, openings=2)
    for expected in ("open", "filled"):
        assert move(agent, apply(agent, job), job["stages"]["Hired"]).data["status"] == "hired"
        assert agent.get(f"/v1/jobs/{job['id']}").data["status"] == expected
