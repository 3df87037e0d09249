"""What tests of reports ask, and the rows they count."""

import datetime
from typing import Any

from tests.factories import Answer, Person
from vocelio.organizations.scope import organization_scope


def run(person: Person, *metrics: str, **asked: Any) -> Any:
    """Ask and return the answer's data."""
    answer = ask(person, *metrics, **asked)
    assert answer.status == 200, answer
    return answer.data


def ask(person: Person, *metrics: str, **asked: Any) -> Answer:
    return person.post("/v1/reports/run", {"metrics": list(metrics), **asked})


def lines(data: Any) -> dict[str, dict[str, Any]]:
    """Return {series: {label: value}}."""
    return {each["label"]: dict(zip(data["labels"], each["data"], strict=True)) for each in data["series"]}


def only_line(data: Any) -> dict[str, Any]:
    ((_, line),) = lines(data).items()
    return line


def total(person: Person, metric: str, **asked: Any) -> Any:
    return run(person, metric, **asked)["totals"][0]["value"]


def seed(person: Person, model: Any, rows: list[dict[str, Any]]) -> list[Any]:
    with organization_scope(person.organization.id):
        return [model.objects.create(**row) for row in rows]


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def in_zone(person: Person, zone: str) -> None:
    """Let the organization live in a time zone."""
    person.organization.time_zone = zone
    person.organization.save(update_fields=["time_zone"])
