"""What every request gets, whichever view answers."""

import ipaddress
import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from vocelio.audit.context import Actor, acting

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
REQUEST_ID_HEADER = "X-Request-ID"


class RequestIdMiddleware:
    """Names the request (the caller's X-Request-ID or a new one) and says where it comes from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = given if REQUEST_ID.fullmatch(given) else f"req_{uuid.uuid4().hex}"
        actor = Actor(
            door="admin" if request.path.startswith("/admin") else "api",
            ip_address=client_address(request),
            user_agent=request.headers.get("User-Agent", ""),
            request_id=request_id,
        )
        with acting(actor):
            response = self.get_response(request)
        response[REQUEST_ID_HEADER] = request_id
        return response


class TrailingSlashMiddleware:
    """Answers /v1/contacts/ as /v1/contacts, without a redirect that would lose a POST's body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(("/v1/", "/api/")) and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        return self.get_response(request)


def client_address(request: HttpRequest) -> str | None:
    """Return the caller's IP address; behind a trusted proxy, the one it adds last to X-Forwarded-For."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        address = request.headers.get("X-Forwarded-For", address).rsplit(",", 1)[-1].strip()
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    # On a dual-stack socket an IPv4 caller arrives as ::ffff:192.0.2.1.
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
