"""Work on a whole base of contacts: python -m benchmarks.contact_work [ROWS].

Duplicates (exact and fuzzy), a bulk change by filter and its undoing, and the pairs of FEBRL dataset 1 at several
thresholds. Uses the database of DATABASE_URL (migrated); makes an organization of its own once and keeps it. Memory is
the peak of this process.
"""

import csv
import os
import resource
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import django
from django.db import connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
SLUG = "benchmark-work"
FEBRL = Path(__file__).parent.parent / "tests" / "contacts" / "febrl_dataset1.csv"

FILL = """
    INSERT INTO contacts (id, organization_id, first_name, last_name, email, phone, phone_extension, company, title,
        address, city, state, zip, country, tags, custom_fields, status, source, notes, private_notes, contact_count)
    SELECT uuid7(), %(organization)s,
        initcap((ARRAY['ka','lo','mi','ra','ton','bel','sha','vi','jor','ne'])[1 + floor(random() * 10)::int]
            || (ARRAY['ren','la','chael','ny','dan','ki','tor','ge','lin','mo'])[1 + floor(random() * 10)::int]),
        initcap(substr(translate(md5((floor(random() * 60000)::int)::text), '0123456789', 'aeioulnrst'), 1,
            4 + floor(random() * 5)::int)),
        'p' || number || '@c' || number %% 30000 || '.com', '+1' || 2012000000 + number, '',
        'Company ' || number %% 30000, '', '', 'City' || number %% 300, 'CA', (10000 + number %% 40000)::text, 'US',
        '{}', '{}', 'active', 'import', '', '', 0
    FROM generate_series(%(first)s, %(last)s) AS number
"""


def main(rows: int) -> None:
    from contacts.models import BulkJob, DuplicateScan
    from contacts.services import bulk_jobs, duplicates
    from contacts.tasks import run_bulk, scan_duplicates
    from vocelio.audit.context import Actor, acting
    from vocelio.organizations.models import Membership
    from vocelio.organizations.scope import organization_scope

    organization = prepare(rows)
    user_id = Membership.objects.get(organization=organization).user_id
    print(f"load average {os.getloadavg()[0]:.1f}, {rows:,} contacts", flush=True)
    show_febrl()
    with acting(Actor(user_id=user_id, door="benchmark")):
        with organization_scope(organization.pk), connection.cursor() as cursor:
            cursor.execute("DELETE FROM exact_duplicate_marks; DELETE FROM contact_duplicates")
        started = time.monotonic()
        with organization_scope(organization.pk):
            found = duplicates.refresh_exact()
        show(f"exact duplicates ({found:,} pairs)", time.monotonic() - started, 30)
        with organization_scope(organization.pk):
            scan = duplicates.start_scan()
        started = time.monotonic()
        scan_duplicates(organization_id=str(organization.pk), job_id=str(scan.pk))
        seconds = time.monotonic() - started
        with organization_scope(organization.pk):
            scan = DuplicateScan.objects.get(pk=scan.pk)
        show(f"fuzzy duplicates ({scan.compared:,} compared, {scan.fuzzy:,} pairs)", seconds, 300)
        print(f"peak of memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB (goal 1024)", flush=True)
        job: Any = None
        for name in ("add a tag by filter", "undo it"):
            with organization_scope(organization.pk):
                job = start(bulk_jobs, rows) if name.startswith("add") else bulk_jobs.undo_bulk(job)
            started = time.monotonic()
            run_bulk(organization_id=str(organization.pk), job_id=str(job.pk))
            with organization_scope(organization.pk):
                job = BulkJob.objects.get(pk=job.pk)
            show(f"{name} ({job.succeeded:,} contacts)", time.monotonic() - started, 60)
    print(f"load average {os.getloadavg()[0]:.1f}", flush=True)


def start(bulk_jobs: Any, rows: int) -> Any:
    from contacts.models import LiveContact

    tag = f"tag-{time.time_ns()}"
    return bulk_jobs.start_bulk(action="add-tags", filter={}, data={"tags": [tag]}, found=LiveContact.objects.all())


def show(name: str, seconds: float, goal: float) -> None:
    print(f"{name}: {seconds:.1f} s, {seconds / goal:.2f} of the goal of {goal} s", flush=True)


def prepare(rows: int) -> Any:
    """Return an organization with so many contacts and one admin."""
    from vocelio.organizations.models import Membership, Organization
    from vocelio.organizations.scope import organization_scope
    from vocelio.users.models import User

    organization, _ = Organization.objects.get_or_create(slug=SLUG, defaults={"name": SLUG})
    if not Membership.objects.filter(organization=organization).exists():
        user = User.objects.create_user(f"{SLUG}@example.test", "not used anywhere", name=SLUG)
        Membership.objects.create(organization=organization, user=user, role="admin")
    with organization_scope(organization.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM contacts")
        present = cursor.fetchone()[0]
    for first in range(present + 1, rows + 1, 50_000):
        with organization_scope(organization.pk), connection.cursor() as cursor:
            last = min(first + 49_999, rows)
            cursor.execute(FILL, {"organization": organization.pk, "first": first, "last": last})
            cursor.execute("SELECT analyze_grown_contacts()")
    return organization


def show_febrl() -> None:
    from contacts.likeness import candidate_pairs, likeness, person

    with FEBRL.open() as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    people = [
        person(
            row["given_name"],
            row["surname"],
            "",
            "",
            "",
            " ".join(filter(None, [row["street_number"], row["address_1"], row["address_2"]])),
            row["suburb"],
            row["postcode"],
            row["state"],
        )
        for row in rows
    ]
    who = [row["rec_id"].split("-")[1] for row in rows]
    truth = {pair for pair in combinations(range(len(rows)), 2) if who[pair[0]] == who[pair[1]]}
    pairs = {(min(pair), max(pair)) for pair in candidate_pairs(people)}
    scores = {pair: likeness(people[pair[0]], people[pair[1]])[0] for pair in pairs}
    print(f"FEBRL 1: {len(pairs)} of {len(rows) * (len(rows) - 1) // 2:,} pairs compared")
    for threshold in (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99):
        found = {pair for pair, score in scores.items() if score >= threshold}
        right = len(found & truth)
        print(f"  threshold {threshold}: precision {right / len(found):.3f}, recall {right / len(truth):.3f}")


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
