"""What leaves for Sentry and for a collector of traces: where it broke, nothing of whom it concerned."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.conf import settings

PROJECT = Path(__file__).resolve().parent.parent.parent
PRIVATE = ("ada.lovelace", "2025550143", "hunter2", "Lovelace", "s3cr3t")
# A server of its own kind: the product's settings, one request that fails, one line that a failure leaves.
SCRIPT = """
import logging, django
django.setup()
from django.test import Client
from vocelio.health import views
def fail():
    local = "hunter2 Lovelace"
    raise RuntimeError('duplicate key\\nDETAIL:  Key (phone)=(+1 202-555-0143) of "Lovelace" <ada.lovelace@example.test>')
views.check_services = fail
client = Client(SERVER_NAME="localhost", raise_request_exception=False)
answer = client.get("/v1/health?email=ada.lovelace@example.test", headers={"Authorization": "Bearer s3cr3t", "Cookie": "a=s3cr3t"})
assert answer.status_code == 500, answer
views.check_services = lambda: {}
extra = {"email": "ada.lovelace@example.test", "job_id": "job-4711"}
logging.getLogger("vocelio").error("No luck with %s", "ada.lovelace@example.test", extra=extra)
import sentry_sdk; sentry_sdk.flush()
from opentelemetry import trace; trace.get_tracer_provider().shutdown()
"""


@pytest.fixture
def sink() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server on loopback that takes everything; return its address and what came."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received.append((self.path, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


def test_faults_and_traces_leave_without_anybodys_data(sink: tuple[str, list[tuple[str, bytes]]]):
    address, received = sink
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", SCRIPT],
        cwd=PROJECT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "vocelio.settings",
            "DATABASE_URL": settings.DATABASE_URL,
            "DATABASE_OWNER_URL": settings.DATABASE_OWNER_URL,
            "REDIS_URL": settings.REDIS_URL,
            "SENTRY_DSN": f"http://key@{address}/1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}",
            "OTEL_SERVICE_NAME": "vocelio-test",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    events = [
        json.loads(body.split(b"\n")[2])
        for path, body in received
        if path == "/api/1/envelope/" and b'"type":"event"' in body
    ]
    faults = [event["exception"]["values"][-1] for event in events if "exception" in event]
    assert (faults[0]["type"], faults[0]["value"].split("\n")[0]) == ("RuntimeError", "duplicate key")
    assert faults[0]["stacktrace"]["frames"][-1]["function"] == "fail"
    lines = [event for event in events if event.get("logentry", {}).get("message") == "No luck with %s"]
    assert lines[0]["tags"]["job_id"] == "job-4711"
    spans = b"".join(body for path, body in received if path == "/v1/traces")
    assert b"GET /v1/health" in spans
    assert b"vocelio-test" in spans
    everything = b"".join(body for _, body in received).decode(errors="replace")
    # The source lines of this script are code, and say these words; nothing else does.
    told = everything.replace(json.dumps(SCRIPT)[1:-1], "")
    assert [word for word in PRIVATE if word in told] == []
