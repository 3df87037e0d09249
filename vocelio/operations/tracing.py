"""Traces by OpenTelemetry, when OTEL_EXPORTER_OTLP_ENDPOINT says where to: requests, tasks and their statements.

Imported only then. Spans hold routes, names of tasks and statements without values.
"""

from collections.abc import Callable
from typing import Any

from celery.signals import task_postrun, task_prerun, worker_process_init
from django.http import HttpRequest, HttpResponse
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from vocelio.health.middleware import route_of

LONGEST = 2000
_tracer = trace.get_tracer("vocelio")


def start_tracing(**kwargs: Any) -> None:
    """Send spans in the background from now on; OTEL_* variables say where to, how many and under which name."""
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


class TracingMiddleware:
    """One span a request, a child of the caller's where it sends `traceparent`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with _tracer.start_as_current_span(
            request.method or "HTTP", context=extract(dict(request.headers.items())), kind=SpanKind.SERVER
        ) as span:
            response = self.get_response(request)
            method, route = route_of(request)
            span.update_name(f"{method} {route}")
            span.set_attributes({"http.route": route, "http.response.status_code": response.status_code})
            if response.status_code >= 500:
                span.set_status(StatusCode.ERROR)
        return response


def trace_statements(connection: Any, **kwargs: Any) -> None:
    """Make a span of every statement of a new connection that runs within a request or task."""
    if _traced not in connection.execute_wrappers:
        connection.execute_wrappers.append(_traced)


def _traced(execute: Callable[..., Any], sql: Any, parameters: Any, is_many: bool, context: Any) -> Any:
    if not trace.get_current_span().is_recording():
        return execute(sql, parameters, is_many, context)
    text = " ".join(str(sql).split())
    attributes = {"db.system.name": "postgresql", "db.query.text": text[:LONGEST]}
    with _tracer.start_as_current_span(text.partition(" ")[0] or "SQL", kind=SpanKind.CLIENT, attributes=attributes):
        return execute(sql, parameters, is_many, context)


def begin_task(task_id: str, task: Any, **kwargs: Any) -> None:
    manager = _tracer.start_as_current_span(task.name, kind=SpanKind.CONSUMER)
    task.request.span = manager, manager.__enter__()


def end_task(task_id: str, task: Any, state: str | None = None, **kwargs: Any) -> None:
    manager, span = task.request.span
    if state == "FAILURE":
        span.set_status(StatusCode.ERROR)
    manager.__exit__(None, None, None)


def watch() -> None:
    """Connect all of it; a worker's children start their own sending thread after the fork."""
    from django.db.backends.signals import connection_created

    start_tracing()
    worker_process_init.connect(start_tracing, weak=False)
    task_prerun.connect(begin_task, weak=False)
    task_postrun.connect(end_task, weak=False)
    connection_created.connect(trace_statements, weak=False)
