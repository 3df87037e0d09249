"""Jobs and candidates that tests of matching begin with."""

from typing import Any

from ai_matching.services.embeddings import start_marked_runs
from tests.factories import Answer, Person, phone_number, run_jobs

DATA = [{"name": "Python", "level": 4}, {"name": "SQL", "level": 4}]
NURSING = [{"name": "Triage", "level": 4}, {"name": "Intensive care", "level": 4}]


def candidate(person: Person, headline: str, skills: Any = (), **fields: Any) -> str:
    """Return the profile of a new candidate."""
    contact = person.post("/v1/contacts", {"phone": phone_number(), "firstName": fields.pop("name", "Ada")}).data["id"]
    body = {"headline": headline, "skills": list(skills), **fields}
    answer = person.post(f"/v1/contacts/{contact}/candidate-profile", body)
    assert answer.status == 201, answer
    return str(answer.data["id"])


def data_job(person: Person, **fields: Any) -> str:
    """Return an open job for somebody who moves data about."""
    body = {
        "title": "Data engineer",
        "status": "open",
        "description": "Build data pipelines in Python and SQL.",
        "skills": [{"name": "Python", "level": 4}, {"name": "SQL"}, {"name": "Kafka", "isRequired": False}],
        "experienceMin": "3",
        "city": "Boston",
        "state": "MA",
        "country": "US",
        **fields,
    }
    answer = person.post("/v1/jobs", body)
    assert answer.status == 201, answer
    return str(answer.data["id"])


def vectors_made(person: Person) -> None:
    """Do what the clock and a worker do."""
    start_marked_runs(person.organization.pk)
    run_jobs(person.organization)


def ask(person: Person, job: str, **fields: Any) -> Answer:
    answer = person.post("/v1/ai/vector-match-candidates", {"jobId": job, **fields})
    assert answer.status == 200, answer
    return answer


def ids(answer: Answer) -> list[str]:
    return [(each["candidate"] or each["job"])["id"] for each in answer.data["results"]]
