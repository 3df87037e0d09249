"""What tests of sales begin with: a pipeline, deals in it, and people at work at the same moment."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from tests.factories import Answer, Person, phone_number, unique

STAGES = [
    {"name": "New", "probability": 10},
    {"name": "Offer", "probability": 50, "requiredFields": ["amount"]},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]


def make_pipeline(person: Person, stages: list[dict[str, Any]] | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a pipeline of the person's organization, and its stages' ids by name."""
    answer = person.post("/v1/pipelines", {"name": unique("pipeline"), "stages": stages or STAGES})
    assert answer.status == 201, answer
    return answer.data, {stage["name"]: stage["id"] for stage in answer.data["stages"]}


def make_deal(person: Person, stage: str, **fields: Any) -> dict[str, Any]:
    answer = person.post("/v1/deals", {"name": unique("deal"), "stageId": stage, **fields})
    assert answer.status == 201, answer
    result: dict[str, Any] = answer.data
    return result


def make_reason(person: Person) -> str:
    return str(person.post("/v1/lost-reasons", {"name": unique("reason")}).data["id"])


def make_contact(person: Person, **fields: Any) -> str:
    answer = person.post("/v1/contacts", {"phone": phone_number(), "firstName": "Ada", **fields})
    assert answer.status == 201, answer
    return str(answer.data["id"])


def move(person: Person, deal: dict[str, Any], stage: str, **fields: Any) -> Answer:
    return person.post(f"/v1/deals/{deal['id']}/move-stage", {"stageId": stage, **fields})


def at_once(*calls: Callable[[], Answer]) -> list[Answer]:
    """Return the answers of calls made at the same moment, each on a database connection of its own."""
    answers: list[Answer | None] = [None] * len(calls)
    ready = threading.Barrier(len(calls))

    def run(place: int) -> None:
        ready.wait()
        answers[place] = calls[place]()
        connection.close()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answer for answer in answers if answer is not None]
