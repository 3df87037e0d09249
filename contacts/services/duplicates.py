"""Find contacts that may be one person."""

import math
import uuid
from array import array
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from contacts.likeness import THRESHOLD, Person, keys, likeness, pairs_of_blocks, person
from contacts.models import Contact, ContactDuplicate, DuplicateScan
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.copy import copy_to_temporary_table
from vocelio.errors import Conflict
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import Run, enqueue_job, running
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import current_organization_id, organization_scope

READ_ROWS = 10_000
WRITE_ROWS = 10_000
# The blocks are sorted and compared in so many parts: what is in memory at once is a part of them.
PARTS = 16
# A contact's fields as one text costs a third of a tuple of them.
SEPARATOR = "\x1f"
# Changes that were being committed while one looked: imports take seconds.
OVERLAP = timedelta(minutes=5)
# More changed contacts than this, and all addresses are grouped instead of looked up one by one.
MOST_LOOKED_UP = 20_000
SCAN_EVERY = timedelta(days=1)

_SAME_EMAIL_OF_CHANGED = """
    SELECT least(changed.id, other.id) AS first_id, greatest(changed.id, other.id) AS second_id FROM (
        SELECT id, email FROM contacts WHERE organization_id = %(organization)s AND deleted_at IS NULL
        AND updated_at >= %(since)s AND email <> '' OFFSET 0
    ) AS changed CROSS JOIN LATERAL (
        SELECT id FROM contacts WHERE organization_id = (SELECT %(organization)s::uuid) AND email = changed.email
        AND email <> '' AND deleted_at IS NULL AND id <> changed.id LIMIT 20
    ) AS other
"""
_SAME_EMAIL_OF_ALL = """
    SELECT first_id, second_id FROM (
        SELECT first_value(id) OVER (PARTITION BY email ORDER BY id) AS first_id, id AS second_id
        FROM contacts WHERE organization_id = %(organization)s AND email <> '' AND deleted_at IS NULL
    ) AS grouped WHERE first_id <> second_id
"""


def refresh_exact() -> int:
    """Find pairs with the same e-mail address among contacts changed since the last look; return how many are new."""
    organization_id = current_organization_id()
    with connection.cursor() as cursor:
        cursor.execute("SELECT looked_until FROM exact_duplicate_marks WHERE organization_id = %s", [organization_id])
        row = cursor.fetchone()
        values: dict[str, Any] = {"organization": organization_id, "since": row[0] - OVERLAP if row else None}
        if row:
            cursor.execute(
                "SELECT count(*) FROM (SELECT FROM contacts WHERE organization_id = %(organization)s"
                " AND deleted_at IS NULL AND updated_at >= %(since)s LIMIT %(most)s) AS changed",
                values | {"most": MOST_LOOKED_UP},
            )
        is_small = bool(row) and cursor.fetchone()[0] < MOST_LOOKED_UP
        pairs = _SAME_EMAIL_OF_CHANGED if is_small else _SAME_EMAIL_OF_ALL
        cursor.execute(
            "INSERT INTO contact_duplicates (id, organization_id, first_id, second_id, kind, score, reasons)"  # noqa: S608
            f" SELECT uuid7(), %(organization)s, first_id, second_id, 'exact', 1, '{{email}}' FROM ({pairs}) AS pair"
            " GROUP BY first_id, second_id ON CONFLICT (organization_id, first_id, second_id)"
            " DO UPDATE SET kind = 'exact', score = 1, reasons = '{email}' WHERE contact_duplicates.kind = 'fuzzy'",
            values,
        )
        found: int = cursor.rowcount
        cursor.execute(
            "INSERT INTO exact_duplicate_marks (id, organization_id, looked_until) VALUES (uuid7(), %s, now())"
            " ON CONFLICT (organization_id) DO UPDATE SET looked_until = excluded.looked_until",
            [organization_id],
        )
    return found


def dismiss_duplicate(pair: ContactDuplicate) -> ContactDuplicate:
    """Say that these are two people; scans do not bring the pair back."""
    return _judge(pair, ContactDuplicate.Status.DISMISSED, "duplicate.dismissed")


def reopen_duplicate(pair: ContactDuplicate) -> ContactDuplicate:
    """Put a dismissed pair back into the queue."""
    return _judge(pair, ContactDuplicate.Status.OPEN, "duplicate.reopened")


def _judge(pair: ContactDuplicate, status: str, action: str) -> ContactDuplicate:
    is_dismissed = status == ContactDuplicate.Status.DISMISSED
    ContactDuplicate.objects.filter(pk=pair.pk).update(
        status=status,
        dismissed_at=Now() if is_dismissed else None,
        dismissed_by_id=current_actor().user_id if is_dismissed else None,
    )
    record(action, "contactduplicate", pair.pk, contactIds=[str(pair.first_id), str(pair.second_id)])
    pair.refresh_from_db()
    return pair


def start_scan() -> DuplicateScan:
    """Promise to look for duplicates among all contacts; raise Conflict while that is going on."""
    waiting = DuplicateScan.objects.filter(status__in=[JobStatus.PENDING, JobStatus.PROCESSING])
    if running_id := waiting.values_list("pk", flat=True).first():
        raise Conflict("A scan for duplicates is going on.", jobId=str(running_id))
    job = DuplicateScan()
    job.save()
    record("duplicate_scan.started", job.resource, job.pk)
    enqueue_job(job)
    return job


def start_due_scans() -> int:
    """Start the scan of every organization whose contacts changed since its last one, a day ago at least."""
    started = 0
    for organization_id in Organization.objects.filter(is_active=True).values_list("pk", flat=True):
        with organization_scope(organization_id), connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM contacts WHERE organization_id = %(organization)s AND deleted_at IS NULL"
                " AND updated_at > coalesce(last.at, '-infinity')) AND coalesce(last.at < %(before)s, true)"
                " FROM (SELECT max(created_at) AS at FROM duplicate_scans WHERE organization_id = %(organization)s) AS last",
                {"organization": organization_id, "before": timezone.now() - SCAN_EVERY},
            )
            if cursor.fetchone()[0]:
                start_scan()
                started += 1
    return started


def run_scan(job: DuplicateScan) -> None:
    """Find exact pairs, then compare all contacts that share a block; a taken-over scan begins anew."""
    with running(job) as run:
        with run.step() as step:
            exact = refresh_exact()
            step.set(exact=exact, fuzzy=0, compared=0, processed=0, total=_number_of_contacts())
        ids, people, blocks = _read(run)
        for part in range(PARTS):
            found, compared = _compare(people, blocks[part])
            # Its memory is free before the next is sorted.
            blocks[part] = array("q")
            _store(run, ids, found, compared)
        with run.step():
            ContactDuplicate.objects.filter(
                kind=ContactDuplicate.Kind.FUZZY, status=ContactDuplicate.Status.OPEN
            ).exclude(scan_id=run.job.pk).delete()
            there = Contact.objects.values("pk")
            gone = ~Exists(there.filter(pk=OuterRef("first_id"))) | ~Exists(there.filter(pk=OuterRef("second_id")))
            ContactDuplicate.objects.filter(gone).delete()


def _number_of_contacts() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(delta), 0)::bigint FROM contact_tallies WHERE organization_id = %s AND list_id IS NULL",
            [current_organization_id()],
        )
        return int(cursor.fetchone()[0])


def _read(run: Run[DuplicateScan]) -> tuple[bytearray, list[str], list["array[int]"]]:
    """Read all contacts into the form in which they are compared, page by page."""
    ids = bytearray()
    people: list[str] = []
    blocks = [array("q") for _ in range(PARTS)]
    last = uuid.UUID(int=0)
    while True:
        with run.step() as step:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT id, first_name, last_name, company, email, coalesce(phone, ''), address, city, zip, state"
                    " FROM contacts WHERE organization_id = %s AND id > %s AND deleted_at IS NULL ORDER BY id LIMIT %s",
                    [run.job.organization_id, last, READ_ROWS],
                )
                rows = cursor.fetchall()
            step.advance(len(rows))
        for row in rows:
            one = person(*row[1:])
            index = len(people)
            ids += row[0].bytes
            people.append(SEPARATOR.join(one))
            for key in keys(one):
                code = hash(key)
                blocks[code % PARTS].append((code >> 4 & 0x7FFFFFFFFF) << 24 | index)
        if len(rows) < READ_ROWS:
            return ids, people, blocks
        last = rows[-1][0]


def _compare(people: list[str], block: "array[int]") -> tuple[dict[tuple[int, int], tuple[float, list[str]]], int]:
    """Return the likely pairs of one part of the blocks, and how many were compared."""
    found: dict[tuple[int, int], tuple[float, list[str]]] = {}
    compared, left_index, left = 0, -1, Person()
    for pair in pairs_of_blocks(sorted(block)):
        compared += 1
        if pair[0] != left_index:
            left_index, left = pair[0], Person(*people[pair[0]].split(SEPARATOR))
        score, reasons = likeness(left, Person(*people[pair[1]].split(SEPARATOR)))
        if score >= THRESHOLD:
            found[pair] = (score, reasons)
    return found, compared


def _store(
    run: Run[DuplicateScan], ids: bytearray, found: dict[tuple[int, int], tuple[float, list[str]]], compared: int
) -> None:
    def rows() -> Iterator[tuple[Any, ...]]:
        for (one, two), (score, reasons) in found.items():
            first, second = sorted((_id(ids, one), _id(ids, two)))
            yield first, second, math.floor(score * 10_000) / 10_000, reasons

    waiting = rows()
    with run.step() as step:
        step.set(compared=run.job.compared + compared)
    while batch := list(islice(waiting, WRITE_ROWS)):
        with run.step() as step, connection.cursor() as cursor:
            columns = {"first_id": "uuid", "second_id": "uuid", "score": "float8", "reasons": "text[]"}
            copy_to_temporary_table("found_duplicates", columns, batch)
            cursor.execute(
                "INSERT INTO contact_duplicates (id, organization_id, first_id, second_id, kind, score, reasons, scan_id)"
                " SELECT uuid7(), %(organization)s, first_id, second_id, 'fuzzy', score, reasons, %(scan)s"
                " FROM found_duplicates ON CONFLICT (organization_id, first_id, second_id) DO UPDATE"
                " SET score = excluded.score, reasons = excluded.reasons, scan_id = excluded.scan_id"
                " WHERE contact_duplicates.kind = 'fuzzy'",
                {"organization": run.job.organization_id, "scan": run.job.pk},
            )
            cursor.execute(
                "SELECT count(*) FROM contact_duplicates WHERE organization_id = %s AND scan_id = %s",
                [run.job.organization_id, run.job.pk],
            )
            step.set(fuzzy=cursor.fetchone()[0])


def _id(ids: bytearray, index: int) -> uuid.UUID:
    return uuid.UUID(bytes=bytes(ids[16 * index : 16 * index + 16]))
