"""The doctor: what is wrong with this installation, and what to do about it.

An examination is a function of the package `examinations` that yields Findings; `examine()` runs them all and never
fails because of one: a server that is away is a finding itself.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from smtplib import SMTPException

from botocore.exceptions import BotoCoreError, ClientError
from django.db import DatabaseError, InterfaceError, connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from vocelio.operations.examinations import database, keys, machinery, outside, work
from vocelio.operations.findings import Finding, Level, fail

# In this order: what the later ones need comes first.
EXAMINATIONS: list[Callable[[], Iterator[Finding]]] = [
    database.role,
    database.versions,
    database.migrations,
    database.policies,
    database.partitions,
    database.connections,
    machinery.redis_server,
    machinery.workers,
    machinery.beat,
    machinery.clocks,
    machinery.disk,
    work.stuck_jobs,
    work.held_back,
    work.audit_chain,
    work.last_backup,
    keys.secrets,
    keys.master_keys,
    outside.storage,
    outside.mail,
    outside.address,
]
UNREACHABLE = (
    *(DatabaseError, InterfaceError, RedisError, KombuError),
    *(SMTPException, OSError, BotoCoreError, ClientError),
)


def examine() -> list[Finding]:
    """Look at everything, on a database connection of its own; takes a few seconds."""
    with ThreadPoolExecutor(1, thread_name_prefix="doctor") as thread:
        return thread.submit(_examine).result()


def worst(findings: list[Finding]) -> Level:
    """Return the worst level among the findings."""
    return max((finding.level for finding in findings), key=list(Level).index, default=Level.OK)


def _examine() -> list[Finding]:
    findings: list[Finding] = []
    try:
        for examination in EXAMINATIONS:
            try:
                findings += examination()
            except UNREACHABLE as error:
                name = examination.__name__.replace("_", " ")
                reason = str(error).strip().partition("\n")[0]
                text = f"Could not be examined: {type(error).__name__}: {reason}"
                findings.append(fail(name, text, "Start that server or correct its address; its own log says more."))
    finally:
        connection.close()
    return findings
