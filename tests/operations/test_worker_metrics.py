"""Workers and beat answer Prometheus themselves where they share no folder with web."""

import urllib.error
import urllib.request
from typing import Any

import pytest
from celery import shared_task

from vocelio.health.exposition import serve_metrics
from vocelio.jobs.services import JobNotClaimed


def fetch(port: int, **headers: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        text: str = answer.read().decode()
        return text


@shared_task(throws=(JobNotClaimed,), name="tests.sample")
def sample(problem: str = "") -> None:
    if problem:
        raise {"expected": JobNotClaimed, "failure": RuntimeError}[problem](problem)


def test_a_worker_tells_how_its_tasks_ended_to_those_who_may_ask(settings: Any):
    for problem in ("", "expected", "failure"):
        sample.apply(kwargs={"problem": problem})
    settings.METRICS_ADDRESS = "127.0.0.1:0"
    port = serve_metrics()
    assert port is not None
    text = fetch(port)
    for outcome in ("success", "expected", "failure"):
        assert f'vocelio_task_seconds_count{{outcome="{outcome}",task="tests.sample"}} 1.0' in text
    # A second process on one machine goes on without.
    settings.METRICS_ADDRESS = f"127.0.0.1:{port}"
    assert serve_metrics() is None
    # The figures of the installation are web's to tell.
    assert "vocelio_total_contacts" not in text
    settings.METRICS_TOKEN = "scrape-me"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(port)
    assert "vocelio_task_seconds" in fetch(port, Authorization="Bearer scrape-me")


def test_without_an_address_nothing_listens(settings: Any):
    settings.METRICS_ADDRESS = ""
    assert serve_metrics() is None
