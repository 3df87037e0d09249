"""Faults to Sentry, by SENTRY_DSN: what broke and where, nothing of whom it concerned.

What is sent is built from what is allowed, rather than stripped of what is known to be private.
"""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PLAIN = (
    *("event_id", "timestamp", "level", "platform", "release", "environment", "transaction", "transaction_info"),
    *("logger", "sdk", "modules", "server_name"),
)
IDS = ("requestId", "organizationId", "userId", "jobId", "job_id", "organization_id", "service", "metric", "task")
FRAME = (
    "filename",
    "abs_path",
    "module",
    "function",
    "lineno",
    "in_app",
    "context_line",
    "pre_context",
    "post_context",
)
# In the text of an error: quoted values, PostgreSQL's `Key (phone)=(…)`, addresses, anything with five digits.
VALUE = re.compile(r"""'[^']*'|"[^"]*"|=\([^)]*\)|\S+@\S+|\+?\d[\d .()/-]{3,}\d""")
LONGEST = 300


def start_sentry() -> None:
    """Report unhandled errors from now on, if SENTRY_DSN says where to."""
    if not settings.SENTRY_DSN:
        return
    try:
        import sentry_sdk
    except ImportError:
        raise ImproperlyConfigured("SENTRY_DSN is set: pip install -r requirements-observe.txt") from None
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.SENTRY_ENVIRONMENT,
        before_send=scrub,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0,
    )


def scrub(event: Any, hint: dict[str, Any]) -> Any:
    """Return an event of allowed parts alone: types, places, redacted texts, ids."""
    clean = {name: event[name] for name in PLAIN if name in event}
    if values := event.get("exception", {}).get("values"):
        clean["exception"] = {"values": [_fault(value) for value in values]}
    if entry := event.get("logentry"):
        # The template: its parameters hold what the line is about.
        clean["logentry"] = {"message": redact(str(entry.get("message", "")))}
    clean["tags"] = {name: str(value) for name, value in event.get("extra", {}).items() if name in IDS}
    if request := event.get("request"):
        clean["request"] = {"method": request.get("method")}
    return clean


def redact(text: str) -> str:
    """Return a text without what may be somebody's."""
    return VALUE.sub("[…]", text)[:LONGEST]


def _fault(value: dict[str, Any]) -> dict[str, Any]:
    fault: dict[str, Any] = {name: value[name] for name in ("type", "module", "mechanism") if name in value}
    fault["value"] = redact(str(value.get("value", "")))
    if trace := value.get("stacktrace"):
        frames = [{name: frame[name] for name in FRAME if name in frame} for frame in trace.get("frames", [])]
        fault["stacktrace"] = {"frames": frames}
    return fault
