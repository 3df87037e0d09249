"""Prometheus metrics. Apps add figures by register_gauge() in apps.ready(); kernel packages keep their own counters.

With several web processes PROMETHEUS_MULTIPROC_DIR must name an empty folder that they share; bin/up makes one.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.db import DatabaseError, connection
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import REGISTRY, Collector

from vocelio.health.checks import HEALTHY, check_services
from vocelio.jobs.models import Doorbell, Job
from vocelio.organizations.models import Organization

logger = logging.getLogger(__name__)

# Each scrape may ask the database anew at most this often.
GAUGE_SECONDS = 15.0

REQUESTS = Counter("vocelio_http_requests", "HTTP requests answered.", ["method", "route", "status"])
LATENCY = Histogram(
    "vocelio_http_request_seconds",
    "Time to answer an HTTP request.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

Values = dict[tuple[str, ...], float]


@dataclass
class _Gauge:
    name: str
    help: str
    read: Callable[[], float | Values]
    labels: tuple[str, ...]
    values: Values
    read_at: float = float("-inf")


_gauges: dict[str, _Gauge] = {}


def register_gauge(name: str, help: str, read: Callable[[], float | Values], labels: tuple[str, ...] = ()) -> None:
    """Offer a figure that is read at a scrape, at most each 15 s: a number, or {label values: number}."""
    _gauges[name] = _Gauge(name, help, read, labels, {})


class _Gauges(Collector):
    """The registered gauges, read in the process that answers the scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in _gauges.values():
            if time.monotonic() - gauge.read_at >= GAUGE_SECONDS:
                try:
                    values = gauge.read()
                except DatabaseError as error:
                    logger.warning("A metric could not be read", extra={"metric": gauge.name, "error": str(error)})
                    continue
                gauge.values = values if isinstance(values, dict) else {(): values}
                gauge.read_at = time.monotonic()
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.values.items():
                family.add_metric(labels, value)
            yield family


def render_metrics() -> bytes:
    """Return the text that Prometheus reads: the counters of all web processes and the gauges."""
    registry = CollectorRegistry()
    registry.register(_Gauges())
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        forget_dead_processes(Path(folder))
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)


def forget_dead_processes(folder: Path) -> None:
    """Drop what lived only with its process, such as open sockets; counters of the dead still count."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def services() -> Values:
    return {(name,): float(status == HEALTHY) for name, status in check_services().items()}


def jobs() -> Values:
    """Count the jobs made within a day, across organizations, by a function that runs as the owner."""
    counts: Values = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if issubclass(model, Job):
                cursor.execute("SELECT status, jobs FROM job_counts(%s::regclass)", [model._meta.db_table])
                counts |= {(model.noun, status): count for status, count in cursor.fetchall()}
    return counts


def oldest_due() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0) FROM job_doorbells")
        return max(0.0, float(cursor.fetchone()[0]))


def rows_estimated(table: str) -> Callable[[], float]:
    """Return a reader of the planner's estimate of a table's rows, which spans organizations and costs nothing."""

    def read() -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = %s::regclass", [table])
            return float(cursor.fetchone()[0])

    return read


register_gauge("vocelio_service_up", "1 when the service works, as /health says.", services, ("service",))
register_gauge("vocelio_jobs", "Jobs made within the last day.", jobs, ("kind", "status"))
register_gauge("vocelio_doorbells", "Jobs with work left.", Doorbell.objects.count)
register_gauge("vocelio_oldest_due_doorbell_seconds", "For how long the oldest job has been due.", oldest_due)
register_gauge(
    "vocelio_active_organizations", "Organizations in use.", Organization.objects.filter(is_active=True).count
)
