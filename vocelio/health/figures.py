"""The installation's own figures: services, jobs, queues, database, business."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

import redis
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from vocelio.db.models import OutgoingHold
from vocelio.health.checks import HEALTHY, check_services
from vocelio.health.metrics import Values, register_gauge
from vocelio.jobs.models import Doorbell, Job
from vocelio.organizations.models import Organization


def platform_figures(
    table: str, label: str, *, summed: str = "", since: datetime | None = None, wanted: list[str] | None = None
) -> dict[str, tuple[int, float, datetime | None]]:
    """Return {value: (rows, sum, oldest)} of a table across organizations, by a function that runs as the owner."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT value, number, total, oldest FROM platform_figures(%s::regclass, %s, %s, %s, %s::text[])",
            [table, label, summed, since, wanted],
        )
        return {value: (number, float(total), oldest) for value, number, total, oldest in cursor.fetchall()}


def today() -> datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def rows_estimated(table: str) -> Callable[[], float]:
    """Return a reader of the planner's estimate of a table's rows, which spans organizations and costs nothing."""
    return lambda: one("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = %s::regclass", table)


def rows_inserted(table: str) -> Callable[[], float]:
    """Return a reader of how many rows a table was ever given, as the server counts."""
    return lambda: one("SELECT coalesce(max(n_tup_ins), 0) FROM pg_stat_user_tables WHERE relname = %s", table)


def one(sql: str, *parameters: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return float(cursor.fetchone()[0])


def many(sql: str) -> Values:
    """Return {labels: number} of a statement whose last column is the number."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {tuple(map(str, row[:-1])): float(row[-1]) for row in cursor.fetchall()}


def _services() -> Values:
    return {(name,): float(status == HEALTHY) for name, status in check_services().items()}


def _kinds() -> list[type[Job]]:
    return [model for model in apps.get_models() if issubclass(model, Job)]


def _jobs() -> Values:
    since = timezone.now() - timedelta(days=1)
    return {
        (kind.noun, status): rows
        for kind in _kinds()
        for status, (rows, _, _) in platform_figures(kind._meta.db_table, "status", since=since).items()
    }


def _waiting() -> Values:
    """Return for how long the oldest job of each kind has waited to begin."""
    now = timezone.now()
    ages: Values = {}
    for kind in _kinds():
        _, _, oldest = platform_figures(kind._meta.db_table, "status", wanted=["pending"]).get("pending", (0, 0, None))
        ages[kind.noun,] = (now - oldest).total_seconds() if oldest else 0.0
    return ages


def _oldest_due() -> float:
    return max(0.0, one("SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0) FROM job_doorbells"))


def _silence() -> Values:
    return many("SELECT schedule, extract(epoch FROM now() - ticked_at) FROM schedule_ticks")


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )


def _queues() -> Values:
    return {(name,): float(_redis().llen(name)) for name in settings.CELERY_TASK_QUEUES_BY_APP}


def _redis_memory() -> Values:
    info = _redis().info("memory")
    return {("used",): float(info["used_memory"]), ("limit",): float(info.get("maxmemory") or 0)}


def _clock() -> float:
    before = time.time()
    database = one("SELECT extract(epoch FROM clock_timestamp())")
    return database - (before + time.time()) / 2


register_gauge("vocelio_service_up", "1 when the service works, as /health says.", _services, ("service",))
register_gauge("vocelio_jobs", "Jobs made within the last day.", _jobs, ("kind", "status"))
register_gauge(
    "vocelio_oldest_pending_job_seconds", "For how long the oldest has waited to begin.", _waiting, ("kind",)
)
register_gauge("vocelio_doorbells", "Jobs with work left.", Doorbell.objects.count)
register_gauge("vocelio_oldest_due_doorbell_seconds", "For how long the oldest job has been due.", _oldest_due)
register_gauge("vocelio_schedule_silence_seconds", "Since each scheduled task last ran.", _silence, ("schedule",))
register_gauge("vocelio_queue_length", "Messages that wait for a worker.", _queues, ("queue",))
register_gauge("vocelio_outgoing_held", "1 while a restore keeps everything inside.", OutgoingHold.objects.count)
register_gauge("vocelio_redis_memory_bytes", "Memory of Redis; a limit of 0 is none.", _redis_memory, ("kind",))
register_gauge("vocelio_clock_skew_seconds", "PostgreSQL's clock ahead of this machine's.", _clock)
register_gauge(
    "vocelio_active_organizations", "Organizations in use.", Organization.objects.filter(is_active=True).count
)
register_gauge(
    "vocelio_database_bytes", "Size of the database.", lambda: one("SELECT pg_database_size(current_database())")
)
register_gauge(
    "vocelio_database_connections",
    "Connections to the database by state.",
    lambda: many(
        "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1"
    ),
    ("state",),
)
register_gauge(
    "vocelio_database_connections_limit",
    "Connections the server takes.",
    lambda: one("SELECT current_setting('max_connections')::int"),
)
register_gauge(
    "vocelio_database_oldest_transaction_seconds",
    "Age of the oldest open transaction, which holds up vacuum.",
    lambda: one(
        "SELECT coalesce(max(extract(epoch FROM now() - xact_start)), 0) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ),
)
register_gauge(
    "vocelio_database_dead_rows",
    "Rows that vacuum has to remove, of tables with a thousand or more.",
    lambda: many("SELECT relname, n_dead_tup FROM pg_stat_user_tables WHERE n_dead_tup >= 1000"),
    ("table",),
)
register_gauge(
    "vocelio_database_live_rows",
    "Rows of the same tables.",
    lambda: many("SELECT relname, n_live_tup FROM pg_stat_user_tables WHERE n_dead_tup >= 1000"),
    ("table",),
)
register_gauge(
    "vocelio_database_replication_lag_seconds",
    "How far replicas are behind; told where the role may see it (GRANT pg_monitor).",
    lambda: many(
        "SELECT coalesce(application_name, ''), extract(epoch FROM replay_lag) FROM pg_stat_replication"
        " WHERE replay_lag IS NOT NULL"
    ),
    ("replica",),
)
register_gauge(
    "vocelio_database_transactions",
    "Transactions by how they ended.",
    lambda: many(
        "SELECT 'committed', xact_commit FROM pg_stat_database WHERE datname = current_database()"
        " UNION ALL SELECT 'rolled_back', xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    ),
    ("end",),
    only_rises=True,
)
register_gauge(
    "vocelio_database_deadlocks",
    "Deadlocks that the server broke.",
    lambda: one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"),
    only_rises=True,
)
