"""Counts and times every HTTP request by its route, whatever the ids in its path; tells of those that are slow."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from vocelio.access.principal import Principal
from vocelio.health.metrics import LATENCY, REQUESTS

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(request: HttpRequest) -> tuple[str, str]:
    """Return method and route: callers choose both freely, labels must not grow with their imagination."""
    method = request.method if request.method in METHODS else "other"
    return method or "other", f"/{request.resolver_match.route}" if request.resolver_match else "unmatched"


class MetricsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        method, route = route_of(request)
        REQUESTS.labels(method, route, response.status_code).inc()
        LATENCY.labels(method, route).observe(time.perf_counter() - began)
        return response


class RequestLogMiddleware:
    """Logs requests slower than SLOW_REQUEST_MS, or all with LOG_REQUESTS; within the request's id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        took = (time.perf_counter() - began) * 1000
        is_slow = took >= settings.SLOW_REQUEST_MS
        if is_slow or settings.LOG_REQUESTS:
            method, route = route_of(request)
            extra = {"method": method, "route": route, "status": response.status_code, "durationMs": round(took, 1)}
            # The API's caller; asking the back office's would cost a query.
            if isinstance(caller := vars(request).get("user"), Principal):
                extra |= {"organizationId": str(caller.organization_id), "userId": str(caller.user_id)}
            logger.log(
                logging.WARNING if is_slow else logging.INFO, "Slow request" if is_slow else "Request", extra=extra
            )
        return response
