"""GET /metrics"""

import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import Person, unique
from tests.realtime.server import Server
from vocelio.health import metrics
from vocelio.health.metrics import register_gauge


def scrape(**extra: Any) -> Any:
    return Client(SERVER_NAME="localhost").get("/metrics", **extra)


def value(text: str, sample: str) -> float:
    """Return one sample of the exposition; 0 when it is not there."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_requests_are_counted_by_route_and_not_by_id(manager: Person) -> None:
    list_id = manager.post("/v1/contact-lists", {"name": unique("list")}).data["id"]
    sample = 'vocelio_http_requests_total{method="GET",route="/v1/contact-lists/<uuid:pk>",status="200"}'
    before = value(scrape().content.decode(), sample)
    manager.get(f"/v1/contact-lists/{list_id}")
    text = scrape().content.decode()
    assert value(text, sample) == before + 1
    assert list_id not in text
    assert 'vocelio_http_request_seconds_bucket{le="0.1",method="GET",route="/v1/contact-lists/<uuid:pk>"}' in text


def test_unknown_paths_and_methods_make_no_labels(manager: Person) -> None:
    path = "/" + unique("nothing")
    manager.get(path)
    manager.client.generic("BREW", "/health")
    text = scrape().content.decode()
    assert path not in text
    assert "BREW" not in text
    assert value(text, 'vocelio_http_requests_total{method="GET",route="unmatched",status="404"}') >= 1


def test_figures_of_the_installation_are_there() -> None:
    text = scrape().content.decode()
    for service in ("database", "redis", "s3", "queue"):
        assert f'vocelio_service_up{{service="{service}"}}' in text
    assert value(text, "vocelio_active_organizations") >= 0
    for name in ("vocelio_doorbells", "vocelio_oldest_due_doorbell_seconds", "vocelio_jobs"):
        assert f"# TYPE {name} gauge" in text


def test_registered_gauges_are_read_at_most_each_quarter_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    monkeypatch.setattr(metrics, "_gauges", {})

    def read() -> metrics.Values:
        reads.append(1)
        return {("a",): 7}

    register_gauge("vocelio_test", "A test.", read, ("kind",))
    for _ in range(3):
        assert 'vocelio_test{kind="a"} 7.0' in scrape().content.decode()
    assert len(reads) == 1


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "10.1.2.3"}, 200),
        ({"REMOTE_ADDR": "8.8.8.8"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"HTTP_X_FORWARDED_FOR": "10.0.0.1"}, 403),
    ],
)
def test_without_a_token_only_private_addresses_read_it(extra: dict[str, str], status: int) -> None:
    assert scrape(**extra).status_code == status


def test_with_a_token_nobody_else_does(settings: Any) -> None:
    settings.METRICS_TOKEN = "scrape-me"
    assert scrape(REMOTE_ADDR="8.8.8.8", headers={"Authorization": "Bearer scrape-me"}).status_code == 200
    for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer scrape-mé"}):
        assert scrape(headers=headers).status_code == 403


def test_several_processes_are_one_figure(start_server: Callable[..., Server], tmp_path: Path, manager: Person) -> None:
    (tmp_path / "gauge_livesum_999999999.db").write_bytes(b"")
    servers = [start_server(PROMETHEUS_MULTIPROC_DIR=str(tmp_path)) for _ in range(2)]
    with servers[0].sign_in(manager), servers[1].sign_in(manager), servers[1].sign_in(manager):
        for server in servers:
            fetch(server, "/v1/health")
        texts = [fetch(server, "/metrics") for server in servers]
    for text in texts:
        assert value(text, "vocelio_sockets") == 3
        assert value(text, 'vocelio_http_requests_total{method="GET",route="/v1/health",status="200"}') == 2
    assert not (tmp_path / "gauge_livesum_999999999.db").exists()


def fetch(server: Server, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as response:
        body: str = response.read().decode()
        return body
