"""Log lines: whose request or job they belong to, what was slow, and nothing of people."""

import json
import logging
from typing import Any

import pytest
from django.db import IntegrityError, connection

from tests.factories import Person, phone_number, unique
from vocelio.audit.context import Actor, acting
from vocelio.logs import JsonFormatter
from vocelio.organizations.scope import organization_scope


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what was logged as it is printed: formatted where it happens, with what is current there."""
    seen: list[dict[str, Any]] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(json.loads(JsonFormatter().format(record)))

    handler, root = Handler(), logging.getLogger()
    root.addHandler(handler)
    yield seen
    root.removeHandler(handler)


def test_a_slow_request_is_told_by_route_with_its_caller(manager: Person, printed: Any, settings: Any):
    settings.SLOW_REQUEST_MS = 0
    manager.get("/v1/contacts?search=lovelace", **{"X-Request-ID": "canary-request"})
    (line,) = [line for line in printed if line["message"] == "Slow request"]
    assert line["requestId"] == "canary-request"
    assert line["organizationId"] == str(manager.organization.id)
    assert line["userId"] == str(manager.user.id)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/contacts", 200)
    assert line["durationMs"] > 0
    assert "lovelace" not in json.dumps(printed)


def test_every_request_is_told_on_request_and_otherwise_none(manager: Person, printed: Any, settings: Any):
    manager.get("/v1/contacts")
    assert [line for line in printed if "durationMs" in line] == []
    settings.LOG_REQUESTS = True
    manager.get("/v1/contacts")
    assert [line["message"] for line in printed if "durationMs" in line] == ["Request"]


def test_a_slow_statement_is_told_without_values(manager: Person, printed: Any, settings: Any):
    settings.SLOW_QUERY_MS = 0
    name, phone = unique("canary"), phone_number()
    connection.close()
    manager.post("/v1/contacts", {"firstName": name, "phone": phone}, **{"X-Request-ID": "canary-request"})
    told = [line for line in printed if line["message"] == "Slow statement"]
    inserted = [line for line in told if line["sql"].startswith('INSERT INTO "contacts"')]
    assert inserted[0]["requestId"] == "canary-request"
    assert inserted[0]["organizationId"] == str(manager.organization.id)
    assert name not in json.dumps(printed)
    assert phone not in json.dumps(printed)


def test_a_slow_statement_with_many_rows_is_told_as_short_as_with_one(printed: Any, settings: Any):
    settings.SLOW_QUERY_MS = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM (VALUES (%s, lower('A'), 1), (%s, lower('B'), 2), (3, '', 3)) AS pairs", [1, 2])
    told = [line["sql"] for line in printed if line["message"] == "Slow statement"]
    assert told == ["SELECT * FROM (VALUES (%s, lower('A'), 1), ...) AS pairs"]


def test_a_jobs_lines_bear_its_id(organization: Any, printed: Any):
    with acting(Actor(door="job", request_id="job-4711")), organization_scope(organization.id):
        logging.getLogger("vocelio").warning("Something")
    (line,) = [line for line in printed if line["message"] == "Something"]
    assert line["jobId"] == "job-4711"
    assert line["organizationId"] == str(organization.id)
    assert "requestId" not in line


def test_the_values_of_a_refused_row_are_left_out(printed: Any):
    told = (
        "no\nDETAIL:  Key (phone)=(+12025550143) already\nexists of Ada.\nHINT:  Try.\nCONTEXT:  COPY rows, line 3: Ada"
    )
    try:
        raise IntegrityError(told)
    except IntegrityError:
        logging.getLogger("vocelio").exception("Refused")
    (line,) = [line for line in printed if line["message"] == "Refused"]
    assert "2025550143" not in line["exception"]
    assert "Ada" not in line["exception"]
    assert "HINT:  Try." in line["exception"]
