"""What tests of recruitment begin with: a job, people who apply, reasons to reject them."""

from typing import Any

from tests.factories import Answer, Person, phone_number, unique


def make_job(person: Person, **fields: Any) -> dict[str, Any]:
    """Return an open job with the stages of its process by name."""
    answer = person.post("/v1/jobs", {"title": unique("job"), "status": "open", **fields})
    assert answer.status == 201, answer
    return {**answer.data, "stages": stages_of(person, answer.data)}


def stages_of(person: Person, job: dict[str, Any]) -> dict[str, str]:
    board = person.get(f"/v1/applications/board?jobId={job['id']}")
    return {column["stage"]["name"]: column["stage"]["id"] for column in board.data["columns"]}


def make_applicant(person: Person, **fields: Any) -> str:
    answer = person.post(
        "/v1/contacts",
        {"phone": phone_number(), "email": f"{unique('a')}@example.test", "firstName": "Ada", **fields},
    )
    assert answer.status == 201, answer
    return str(answer.data["id"])


def apply(person: Person, job: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"jobId": job["id"], "contactId": fields.pop("contact", None) or make_applicant(person), **fields}
    answer = person.post("/v1/applications", body)
    assert answer.status == 201, answer
    result: dict[str, Any] = answer.data
    return result


def make_reason(person: Person, **fields: Any) -> str:
    return str(person.post("/v1/rejection-reasons", {"name": unique("reason"), **fields}).data["id"])


def move(person: Person, application: dict[str, Any], stage: str, **fields: Any) -> Answer:
    return person.post(f"/v1/applications/{application['id']}/move-stage", {"stageId": stage, **fields})
