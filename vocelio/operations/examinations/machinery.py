"""Redis, workers, beat, clocks, disk."""

import shutil
import time
from collections.abc import Iterator

import redis
from celery import current_app
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from vocelio.health.checks import SILENCE_SECONDS
from vocelio.jobs.tasks import sweep_jobs
from vocelio.operations.findings import Finding, fail, ok, warn

# How long workers have to answer a ping.
PING_SECONDS = 1.5
# A doorbell and a lease are told apart by seconds; tokens and signatures by a little more.
CLOCK_WARN, CLOCK_FAIL = 2.0, 10.0
LOW_DISK, LOWEST_DISK = 0.10, 0.03
LONG_QUEUE = 10_000


def redis_server() -> Iterator[Finding]:
    """Say whether Redis would throw messages away or is about to be full."""
    info = _redis().info()
    policy = info.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        yield fail(
            "Redis eviction",
            f"maxmemory-policy is {policy}",
            "CONFIG SET maxmemory-policy noeviction: another policy drops queued work when memory is short.",
        )
    else:
        yield ok("Redis eviction", "noeviction")
    limit, used = int(info.get("maxmemory") or 0), int(info.get("used_memory") or 0)
    if limit and used > 0.8 * limit:
        yield warn("Redis memory", f"{used * 100 // limit} % of maxmemory used", "Raise maxmemory, or add workers.")
    else:
        yield ok("Redis memory", f"{used // 1024**2} MB used" + (f" of {limit // 1024**2}" if limit else ""))


def workers() -> Iterator[Finding]:
    """Say which queues nobody serves and which grow."""
    answers = current_app.control.inspect(timeout=PING_SECONDS).active_queues() or {}
    served = {queue["name"] for queues in answers.values() for queue in queues}
    unserved = [queue for queue in settings.CELERY_TASK_QUEUES_BY_APP if queue not in served]
    if not answers:
        yield fail("workers", "None answers", "Start one: celery -A vocelio worker (docs/deployment.md).")
    elif unserved:
        yield fail(
            "workers",
            f"{len(answers)} answer, but nobody serves {', '.join(unserved)}",
            f"Start a worker for them: celery -A vocelio worker -Q {','.join(unserved)}",
        )
    else:
        yield ok("workers", f"{len(answers)} answer and serve every queue")
    server = _redis()
    for queue in settings.CELERY_TASK_QUEUES_BY_APP:
        if (length := int(server.llen(queue))) > LONG_QUEUE:
            yield warn(
                "queues", f"{length} messages wait in {queue}", f"Add workers: celery -A vocelio worker -Q {queue}"
            )


def beat() -> Iterator[Finding]:
    """Say whether the schedule runs: its quickest task must have ticked just now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM now() - ticked_at)::int FROM schedule_ticks WHERE schedule = %s",
            [sweep_jobs.name],
        )
        found = cursor.fetchone()
    if found is None or found[0] > SILENCE_SECONDS:
        ago = f"{found[0]} s ago" if found else "never"
        yield fail(
            "beat",
            f"The schedule last ticked {ago}",
            "Start beat (celery -A vocelio beat) and a worker of the queue vocelio; a schedule may be switched off"
            " under Schedules in the back office.",
        )
    else:
        yield ok("beat", f"The schedule ticked {max(0, found[0])} s ago")


def clocks() -> Iterator[Finding]:
    """Compare the clocks of this machine, PostgreSQL and Redis."""
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        (database,) = cursor.fetchone()
    between = time.time()
    seconds, microseconds = _redis().time()
    after = time.time()
    others = {
        "PostgreSQL": database - (before + between) / 2,
        "Redis": seconds + microseconds / 1e6 - (between + after) / 2,
    }
    for name, apart in others.items():
        text = f"{name} is {abs(apart):.2f} s {'ahead of' if apart > 0 else 'behind'} this machine"
        advice = "Let every machine keep time by NTP; leases, tokens and windows of calling hours depend on it."
        if abs(apart) >= CLOCK_FAIL:
            yield fail("clocks", text, advice)
        elif abs(apart) >= CLOCK_WARN:
            yield warn("clocks", text, advice)
        else:
            yield ok("clocks", text)


def disk() -> Iterator[Finding]:
    """Say how much room is left where files are kept on this machine."""
    usage = shutil.disk_usage(settings.VOCELIO_DATA if settings.VOCELIO_DATA.exists() else settings.BASE_DIR)
    share = usage.free / usage.total
    text = f"{usage.free / 1024**3:.1f} GB free ({share:.0%}) at {settings.VOCELIO_DATA}"
    advice = "Make room: uploads and exports are below files/; see docs/operations.md on what is kept how long."
    if share < LOWEST_DISK:
        yield fail("disk", text, advice)
    elif share < LOW_DISK:
        yield warn("disk", text, advice)
    else:
        yield ok("disk", text)


def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )
