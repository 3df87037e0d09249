"""Prometheus metrics. Apps add figures by register_gauge() in apps.ready(); kernel packages keep their own counters.

With several processes PROMETHEUS_MULTIPROC_DIR must name an empty folder that they share; bin/up makes one. Workers and
beat on other machines answer at METRICS_ADDRESS themselves (exposition.py).
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import REGISTRY, Collector
from redis.exceptions import RedisError

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
TASKS = Histogram(
    "vocelio_task_seconds",
    "Time a worker took for a task, by how it ended.",
    ["task", "outcome"],
    buckets=(0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800),
)

Values = dict[tuple[str, ...], float]


@dataclass
class _Figure:
    name: str
    help: str
    read: Callable[[], float | Values]
    labels: tuple[str, ...]
    values: Values
    only_rises: bool = False
    read_at: float = float("-inf")


_gauges: dict[str, _Figure] = {}


def register_gauge(
    name: str, help: str, read: Callable[[], float | Values], labels: tuple[str, ...] = (), *, only_rises: bool = False
) -> None:
    """Offer a figure that is read at a scrape, at most each 15 s: a number, or {label values: number}.

    `only_rises` makes a counter of it, named `<name>_total`: somebody else counts and this tells the sum.
    """
    _gauges[name] = _Figure(name, help, read, labels, {}, only_rises)


class _Gauges(Collector):
    """The registered gauges, read in the process that answers the scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        for figure in _gauges.values():
            if time.monotonic() - figure.read_at >= GAUGE_SECONDS:
                try:
                    values = figure.read()
                except (DatabaseError, RedisError) as error:
                    logger.warning("A metric could not be read", extra={"metric": figure.name, "error": str(error)})
                    continue
                figure.values = values if isinstance(values, dict) else {(): values}
                figure.read_at = time.monotonic()
            family = (CounterMetricFamily if figure.only_rises else GaugeMetricFamily)(
                figure.name, figure.help, labels=figure.labels
            )
            for labels, value in figure.values.items():
                family.add_metric(labels, value)
            yield family


def render_metrics() -> bytes:
    """Return the text that Prometheus reads: the counters of all processes that share a folder, and the gauges."""
    registry = CollectorRegistry()
    registry.register(_Gauges())
    return render_process_metrics() + generate_latest(registry)


def render_process_metrics() -> bytes:
    """Return what processes count themselves, without asking a server."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(REGISTRY)
    forget_dead_processes(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_dead_processes(folder: Path) -> None:
    """Drop what lived only with its process, such as open sockets; counters of the dead still count."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
