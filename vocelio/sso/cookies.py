"""The cookie that binds a log-in under way to the browser that began it."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse

from vocelio.sso.services.log_in import FLOW_SECONDS, Flow, FlowOver, read_flow

COOKIE = "vocelio_sso"


def keep_flow(response: HttpResponse, flow: Flow) -> HttpResponse:
    """Have the browser keep the log-in; it comes back with the provider's redirect, hence Lax."""
    response.set_cookie(
        COOKIE, flow.sealed(), max_age=FLOW_SECONDS, httponly=True, secure=settings.HTTPS, samesite="Lax"
    )
    response["Cache-Control"] = "no-store"
    return response


def kept_flow(request: Any, slug: str) -> Flow:
    """Return what `keep_flow` kept for this organization; raise FlowOver."""
    sealed = request.COOKIES.get(COOKIE)
    if not sealed:
        raise FlowOver
    return read_flow(sealed, slug)


def clear_flow(response: HttpResponse) -> HttpResponse:
    """Have the browser forget it: an answer is taken once."""
    response.delete_cookie(COOKIE, samesite="Lax")
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
