"""What this installation needs to work, each tried for real, within a time and not more often than it makes sense."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from uuid import uuid4

import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import close_old_connections, connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from vocelio.db.roles import inspect_role
from vocelio.jobs.tasks import sweep_jobs

logger = logging.getLogger(__name__)

STATUSES = HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
CHECK_SECONDS = 2.0
# The sweeper runs each 5 s, sent by beat and carried out by a worker; its silence is theirs.
SILENCE_SECONDS = 60
# A doorbell is rung when it is due; one that stays due finds nobody.
OVERDUE_SECONDS = 60

_redis = redis.Redis.from_url(
    settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
)
_pool = ThreadPoolExecutor(4, thread_name_prefix="health")


@dataclass
class Check:
    """One service; its answer is kept for `seconds`, and while a slow try is under way no second one starts."""

    name: str
    run: Callable[[], str]
    seconds: float
    status: str = UNHEALTHY
    tried_at: float = float("-inf")
    trying: Future[str] | None = field(default=None, repr=False)

    def begin(self) -> None:
        """Start a try when the last answer is too old and none is under way."""
        if self.trying is None and time.monotonic() - self.tried_at >= self.seconds:
            self.trying = _pool.submit(self._try)

    def end(self) -> str:
        """Take the try's answer; one that has not come in time is none."""
        if self.trying is None:
            return self.status
        self.status = UNHEALTHY
        if self.trying.done():
            if error := self.trying.exception():
                # The reason is for the log, not for the public.
                logger.error("Health check failed", extra={"service": self.name}, exc_info=error)
            else:
                self.status = self.trying.result()
            self.tried_at, self.trying = time.monotonic(), None
        return self.status

    def _try(self) -> str:
        close_old_connections()
        try:
            return self.run()
        finally:
            close_old_connections()


def check_database() -> str:
    """Connect and make sure that the policies bind the role."""
    report = inspect_role()
    if report.reasons:
        logger.error("The database role could bypass the policies", extra={"reasons": report.reasons})
    return UNHEALTHY if report.reasons else HEALTHY


def check_redis() -> str:
    _redis.ping()
    return HEALTHY


def check_storage() -> str:
    """Write, read and delete a small file."""
    content = uuid4().bytes
    name = default_storage.save(f"health/{uuid4()}", ContentFile(content))
    try:
        with default_storage.open(name) as file:
            return HEALTHY if file.read() == content else UNHEALTHY
    finally:
        default_storage.delete(name)


def check_queue() -> str:
    """Degraded when the sweeper is silent or a job waits long past its time: jobs are kept, but not worked on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT ticked_at > now() - make_interval(secs => %s) FROM schedule_ticks"
            " WHERE schedule = %s), false)"
            " AND NOT EXISTS (SELECT FROM job_doorbells WHERE due_at < now() - make_interval(secs => %s))",
            [SILENCE_SECONDS, sweep_jobs.name, OVERDUE_SECONDS],
        )
        (works,) = cursor.fetchone()
    return HEALTHY if works else DEGRADED


CHECKS = [
    Check("database", check_database, 1),
    Check("redis", check_redis, 1),
    Check("s3", check_storage, 30),
    Check("queue", check_queue, 1),
]
_one_at_a_time = threading.Lock()


def check_services() -> dict[str, str]:
    """Return {service: status}; takes at most CHECK_SECONDS, and nothing while the last answers are fresh."""
    with _one_at_a_time:
        for check in CHECKS:
            check.begin()
        wait([check.trying for check in CHECKS if check.trying is not None], timeout=CHECK_SECONDS)
        return {check.name: check.end() for check in CHECKS}


def overall(services: dict[str, str]) -> str:
    """Without the database nothing works; without the rest some things do."""
    if services["database"] != HEALTHY:
        return UNHEALTHY
    return HEALTHY if set(services.values()) == {HEALTHY} else DEGRADED
