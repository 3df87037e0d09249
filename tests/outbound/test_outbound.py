"""Outbound calls reach named public hosts and nothing inside: a server on loopback counts who came."""

import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from vocelio import outbound
from vocelio.outbound import OutboundRefused, OutboundTooLarge, check_address, outbound_client

VENDOR = "api.vendor.example"


class Sink(http.server.ThreadingHTTPServer):
    visits = 0


class Answer(http.server.BaseHTTPRequestHandler):
    server: Sink

    def do_GET(self) -> None:
        self.server.visits += 1
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        self.send_response(200)
        if self.path == "/zipped":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(b"x" * 1000)

    def log_message(self, *args: object) -> None:
        """Say nothing between tests."""


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, sink: Sink) -> dict[str, list[str]]:
    """Let the test say what the name server answers; every connection ends at the sink's port."""
    answers: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        return [
            entry
            for address in answers.get(str(host), [host])
            for entry in real(address, sink.server_port, *args, **kwargs)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return answers


@pytest.mark.parametrize(
    "url",
    [
        "http://api.vendor.example/",
        "https://api.vendor.example:8443/",
        "https://user:secret@api.vendor.example/",
        "https://api.vendor.example.evil.example/",
        "https://evil.example/api.vendor.example",
        "https://evilapi.vendor.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://metadata.google.internal/",
        "ftp://api.vendor.example/",
        "file:///etc/passwd",
        "//api.vendor.example/",
        "https:///",
        "https://api.vendor.example\\@127.0.0.1/",
        "not a url",
    ],
)
def test_addresses_other_than_the_vendors_are_refused_before_anything_is_sent(
    url: str, sink: Sink, names: dict[str, list[str]]
) -> None:
    names[VENDOR] = ["127.0.0.1"]
    with pytest.raises(OutboundRefused):
        check_address(url, [VENDOR])
    with (
        outbound_client([VENDOR]) as client,
        pytest.raises((OutboundRefused, httpx.InvalidURL, httpx.UnsupportedProtocol)),
    ):
        client.get(url)
    assert sink.visits == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["192.168.1.1"],
        ["172.16.0.1"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.0"],  # noqa: S104 - a name that leads to it, no server of ours
        ["224.0.0.1"],
        ["::1"],
        ["::"],
        ["fc00::1"],
        ["fe80::1"],
        ["::ffff:127.0.0.1"],
        ["2002:7f00:1::"],
        ["93.184.215.14", "127.0.0.1"],
    ],
)
def test_a_vendors_name_that_leads_inside_is_refused(
    addresses: list[str], sink: Sink, names: dict[str, list[str]]
) -> None:
    names[VENDOR] = addresses
    with outbound_client([".vendor.example"]) as client, pytest.raises(OutboundRefused):
        client.get(f"https://{VENDOR}/")
    assert sink.visits == 0


def test_the_address_that_was_judged_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch, sink: Sink, names: dict[str, list[str]]
) -> None:
    names[VENDOR] = ["93.184.215.14"]
    called: list[httpx.Request] = []

    def note(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        called.append(request)
        return httpx.Response(200)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", note)
    with outbound_client([VENDOR]) as client:
        client.get(f"https://{VENDOR}/v1", headers={"X-Test": "1"})
    assert called[0].url == "https://93.184.215.14/v1"
    assert called[0].headers["host"] == VENDOR
    assert called[0].extensions["sni_hostname"] == VENDOR


def test_trusted_servers_are_reached_and_redirects_are_not_followed(sink: Sink, settings: Any) -> None:
    settings.OUTBOUND_TRUSTED = [f"127.0.0.1:{sink.server_port}"]
    with outbound_client([VENDOR]) as client:
        assert client.get(f"http://127.0.0.1:{sink.server_port}/").status_code == 200
        assert client.get(f"http://127.0.0.1:{sink.server_port}/away").status_code == 302
    assert sink.visits == 2


def test_long_and_compressed_answers_are_cut_off(sink: Sink, settings: Any) -> None:
    settings.OUTBOUND_TRUSTED = [f"127.0.0.1:{sink.server_port}"]
    with outbound_client([VENDOR], max_bytes=999) as client:
        with pytest.raises(OutboundTooLarge):
            client.get(f"http://127.0.0.1:{sink.server_port}/")
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(f"http://127.0.0.1:{sink.server_port}/zipped")


def test_calls_are_counted_by_the_name_they_are_allowed_under(sink: Sink, settings: Any, monkeypatch: Any) -> None:
    port = sink.server_port
    settings.OUTBOUND_TRUSTED = [f"127.0.0.1:{port}", "127.0.0.1:1"]

    def counted(host: str, status: str) -> float:
        return REGISTRY.get_sample_value("vocelio_outbound_seconds_count", {"host": host, "status": status}) or 0.0

    before = {status: counted(".0.0.1", status) for status in ("200", "302", "error")}
    with outbound_client([".0.0.1"]) as client:
        client.get(f"http://127.0.0.1:{port}/")
        client.get(f"http://127.0.0.1:{port}/away")
        with pytest.raises(httpx.ConnectError):
            client.get("http://127.0.0.1:1/")
    assert {status: counted(".0.0.1", status) - before[status] for status in before} == dict.fromkeys(before, 1.0)
    # Customers name hosts of their own; past a number of them the rest is one.
    monkeypatch.setattr(outbound, "_names", set())
    monkeypatch.setattr(outbound, "MOST_NAMES", 0)
    others = counted("other", "200")
    with outbound_client(["127.0.0.1"]) as client:
        client.get(f"http://127.0.0.1:{port}/")
    assert counted("other", "200") == others + 1
