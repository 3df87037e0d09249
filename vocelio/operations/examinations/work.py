"""Work that waits, is held back, or should have been done."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from vocelio.db.holds import current_hold
from vocelio.health.checks import OVERDUE_SECONDS
from vocelio.operations.findings import Finding, fail, ok, warn

# Seals are made each minute.
UNSEALED_SECONDS = 900
BACKUP_HOURS = 26


def stuck_jobs() -> Iterator[Finding]:
    """Say which jobs should have begun and did not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(extract(epoch FROM now() - min(due_at)), 0)::int, min(task) FROM job_doorbells"
            " WHERE due_at < now() - make_interval(secs => %s)",
            [OVERDUE_SECONDS],
        )
        count, oldest, task = cursor.fetchone()
    if count:
        yield fail(
            "jobs",
            f"{count} wait past their time, the oldest for {oldest} s ({task})",
            "They are kept. See workers and beat above; when both are well, look for that task in the worker's log.",
        )
    else:
        yield ok("jobs", "None waits past its time")


def held_back() -> Iterator[Finding]:
    """Say whether a restored backup keeps everything that leaves the installation waiting."""
    hold = current_hold()
    if hold is None:
        yield ok("outgoing work", "Not held back")
    else:
        yield warn(
            "outgoing work",
            f"HELD since {hold.held_at:%Y-%m-%d %H:%M} UTC: no message, mail or CRM sync leaves. {hold.reason}",
            "Read docs/operations.md, After a restore; then python manage.py release_outgoing.",
        )


def audit_chain() -> Iterator[Finding]:
    """Say whether the audit log is being sealed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT extract(epoch FROM now() - ticked_at)::int FROM schedule_ticks"
            " WHERE schedule = 'vocelio.audit.tasks.seal_audit_log'),"
            " (SELECT extract(epoch FROM now() - max(applied))::int FROM django_migrations)"
        )
        ago, age = cursor.fetchone()
    if ago is None and age <= UNSEALED_SECONDS:
        yield ok("audit seals", f"None yet, {max(0, age)} s after the installation; beat makes them each minute")
    elif ago is None or ago > UNSEALED_SECONDS:
        yield warn("audit seals", "Not made for a while", "Beat makes them each minute; see beat above.")
    else:
        yield ok("audit seals", f"Made {max(0, ago)} s ago; manage.py verify_audit proves the chain")


def last_backup() -> Iterator[Finding]:
    """Say when `manage.py backup` last finished; servers with backups of their own are not asked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM now() - ticked_at) / 3600 FROM schedule_ticks WHERE schedule = 'backup'"
        )
        found = cursor.fetchone()
    if found is not None and found[0] <= BACKUP_HOURS:
        yield ok("backup", f"Made {found[0]:.0f} hours ago")
    elif settings.DEBUG:
        yield ok("backup", "None of late, which development does without")
    else:
        ago = f"{found[0]:.0f} hours ago" if found else "never"
        yield warn(
            "backup",
            f"manage.py backup last finished {ago}",
            "Run it daily, or rely on the server's own backups and restore one now and then (docs/operations.md).",
        )
