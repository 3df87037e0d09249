"""GET /health"""

import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.db.models.functions import Now
from django.test import Client

from tests.factories import unique
from vocelio.db.ids import uuid7
from vocelio.db.models import ScheduleTick
from vocelio.health import checks
from vocelio.health.checks import Check
from vocelio.jobs.models import Doorbell
from vocelio.jobs.tasks import sweep_jobs


@pytest.fixture(autouse=True)
def fresh_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget earlier answers."""
    monkeypatch.setattr(checks, "CHECKS", [Check(check.name, check.run, 0) for check in checks.CHECKS])
    Doorbell.objects.all().delete()
    ScheduleTick.objects.update_or_create(schedule=sweep_jobs.name, defaults={"ticked_at": Now()})


def replace(monkeypatch: pytest.MonkeyPatch, name: str, run: Any) -> None:
    monkeypatch.setattr(next(check for check in checks.CHECKS if check.name == name), "run", run)


def get(path: str = "/health", **headers: str) -> Any:
    return Client(SERVER_NAME="localhost").get(path, headers=headers)


@pytest.mark.parametrize("path", ["/health", "/v1/health", "/api/health", "/v1/health/"])
def test_healthy_answer_has_the_documents_shape(path: str) -> None:
    response = get(path)
    body = response.json()
    assert response.status_code == 200
    assert body.pop("timestamp").endswith("Z")
    metrics = body.pop("metrics")
    assert set(metrics) == {"uptime", "memory_usage", "cpu_usage"}
    assert isinstance(metrics["uptime"], int)
    assert re.fullmatch(r"\d{1,3}%", metrics["memory_usage"])
    assert re.fullmatch(r"\d{1,3}%", metrics["cpu_usage"])
    assert body == {
        "status": "healthy",
        "services": {"database": "healthy", "redis": "healthy", "s3": "healthy", "queue": "healthy"},
    }


def test_a_bad_token_does_not_matter_and_nothing_is_counted() -> None:
    response = get(Authorization="Bearer nonsense")
    assert response.status_code == 200
    assert "RateLimit-Limit" not in response.headers


def test_redis_down_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_redis", redis.Redis(port=1))
    response = get()
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["services"]["redis"] == "unhealthy"


def test_database_down_is_503_without_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise OperationalError("password authentication failed for user secret")

    replace(monkeypatch, "database", fail)
    response = get()
    assert response.status_code == 503
    assert response.json()["status"] == "unhealthy"
    assert b"secret" not in response.content


def test_storage_that_loses_writes_is_unhealthy(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(type(default_storage), "save", lambda self, name, content: "health/lost", raising=False)
    assert get().json()["services"]["s3"] == "unhealthy"


def test_silent_sweeper_is_a_degraded_queue() -> None:
    ScheduleTick.objects.update(ticked_at=Now() - timedelta(minutes=2))
    assert get().json()["services"]["queue"] == "degraded"


def test_job_that_waits_too_long_is_a_degraded_queue() -> None:
    Doorbell.objects.create(
        job_id=uuid7(), organization_id=uuid7(), task=unique("task"), due_at=Now() - timedelta(minutes=2)
    )
    assert get().json()["services"]["queue"] == "degraded"


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A storage that does not answer; return the list of its tries."""
    tries: list[int] = []
    release = threading.Event()

    def hang() -> str:
        tries.append(1)
        release.wait(30)
        return checks.HEALTHY

    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.1)
    replace(monkeypatch, "s3", hang)
    yield tries
    release.set()


def test_hanging_service_is_unhealthy_in_time_and_tried_once(stuck: list[int]) -> None:
    began = time.monotonic()
    for _ in range(3):
        assert get().json()["services"]["s3"] == "unhealthy"
    assert time.monotonic() - began < 5
    assert len(stuck) == 1


def test_answers_are_kept_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def run() -> str:
        tries.append(1)
        return checks.HEALTHY

    monkeypatch.setattr(checks, "CHECKS", [Check("database", run, 60)])
    for _ in range(3):
        assert checks.check_services() == {"database": "healthy"}
    assert len(tries) == 1
