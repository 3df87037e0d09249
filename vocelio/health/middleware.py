"""Counts and times every HTTP request by its route, whatever the ids in its path."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from vocelio.health.metrics import LATENCY, REQUESTS

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        # Callers choose method and path freely; labels must not grow with their imagination.
        route = f"/{match.route}" if match else "unmatched"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        LATENCY.labels(method, route).observe(time.perf_counter() - began)
        return response
