"""Metrics of processes without a web server: workers and beat answer Prometheus at METRICS_ADDRESS, when it is set."""

import logging
import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST

from vocelio.health.access import has_token
from vocelio.health.metrics import render_process_metrics

logger = logging.getLogger(__name__)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing of each scrape."""


def _application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if settings.METRICS_TOKEN and not has_token(environ.get("HTTP_AUTHORIZATION", "")):
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"METRICS_TOKEN is asked for\n"]
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
    return [render_process_metrics()]


def serve_metrics() -> int | None:
    """Answer in a thread of this process; return the port, or None when no address is set or it is taken.

    Work goes on unseen rather than not at all.
    """
    if not settings.METRICS_ADDRESS:
        return None
    host, _, port = settings.METRICS_ADDRESS.rpartition(":")
    try:
        server = make_server(host or "127.0.0.1", int(port), _application, handler_class=_Quiet)
    except OSError as error:
        logger.error("Metrics cannot be served", extra={"address": settings.METRICS_ADDRESS, "error": str(error)})
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    logger.info("Metrics are served", extra={"address": f"{host}:{server.server_port}"})
    return int(server.server_port)
