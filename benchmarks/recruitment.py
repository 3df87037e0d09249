"""The board of a job with 10,000 applications, figures over 1,000,000 changes of stage, and taking in CVs.

    .venv/bin/python -m benchmarks.recruitment --applications 10000 --events 1000000 --cvs 200

Needs DATABASE_URL and the rest of the environment, migrated; makes an organization of its own and leaves it there.
"""

import argparse
import io
import os
import resource
import statistics
import time
import zipfile
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
django.setup()

from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from recruitment.models import Cv, CvBatch, JobOpening
from recruitment.services import batches
from recruitment.services.jobs import create_job
from recruitment.services.reports import REPORTS, Question
from tests.factories import Person, make_organization, make_person, unique
from tests.recruitment import cv_files
from vocelio.access.principal import principal_of_member
from vocelio.organizations.scope import organization_scope

APPLICATIONS = """
WITH people AS (
    INSERT INTO contacts (organization_id, id, first_name, last_name, email, source, status, private_notes,
        contact_count, tags, custom_fields, notes, phone_extension, company, title, address, city, state, zip, country)
    SELECT %(organization)s, gen_random_uuid(), 'Ada', 'Number ' || n, 'ada' || n || '@example.test', '', 'active', '',
        0, '{}', '{}', '', '', '', '', '', '', '', '', '' FROM generate_series(1, %(number)s) n
    RETURNING id
)
INSERT INTO job_applications (organization_id, id, job_id, contact_id, stage_id, source, referrer, tags, cover_note,
    answers, outcome_note, version, stage_entered_at, applied_at)
SELECT %(organization)s, gen_random_uuid(), %(job)s, id, (%(stages)s::uuid[])[1 + (random() * 2.99)::int %% 3], 'CV', '',
    '{}', '', '{}', '', 1, now() - random() * interval '90 days', now() - interval '90 days' FROM people
"""
EVENTS = """
INSERT INTO application_stage_events (id, organization_id, moved_at, application_id, job_id, from_stage_id, to_stage_id,
    from_outcome, to_outcome, seconds, since_applied, since_opened, source, assigned_to_id)
SELECT gen_random_uuid(), %(organization)s, now() - random() * interval '89 days', gen_random_uuid(), %(job)s,
    CASE WHEN n %% 4 > 0 THEN (%(stages)s::uuid[])[n %% 4] END, (%(stages)s::uuid[])[n %% 4 + 1],
    CASE WHEN n %% 4 > 0 THEN 'open' ELSE '' END, CASE WHEN n %% 40 = 3 THEN 'hired' ELSE 'open' END,
    (random() * 900000)::int, (random() * 3000000)::int, (random() * 6000000)::int,
    (ARRAY['LinkedIn', 'Referral', 'Job board', 'CV'])[1 + n %% 4], %(user)s
FROM generate_series(1, %(number)s) n
"""


def timed(work: Callable[[], Any], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def show(name: str, taken: list[float]) -> None:
    p95 = sorted(taken)[int(len(taken) * 0.95)]
    print(f"{name:32} median {statistics.median(taken):8.1f} ms   p95 {p95:8.1f} ms")


def measure_board(person: Person, job: JobOpening, stages: list[str], number: int) -> None:
    values = {"organization": person.organization.pk, "job": job.pk, "stages": stages[:4], "number": number}
    with organization_scope(person.organization.pk), connection.cursor() as cursor:
        cursor.execute(APPLICATIONS, values)
    with connection.cursor() as cursor:
        cursor.execute("SELECT analyze_grown_contacts()")
    show(f"board of {number:,}", timed(lambda: person.get(f"/v1/applications/board?jobId={job.pk}"), 40))


def measure_reports(person: Person, job: JobOpening, stages: list[str], number: int) -> None:
    values = {"organization": person.organization.pk, "job": job.pk, "stages": stages[:4], "user": person.user.pk}
    with organization_scope(person.organization.pk), connection.cursor() as cursor:
        cursor.execute(EVENTS, {**values, "number": number})
    principal = principal_of_member(person.user.pk, person.organization.pk)
    assert principal is not None
    with organization_scope(person.organization.pk):
        asked = Question.of(principal=principal, first=None, last=None)
        for name, report in REPORTS.items():
            show(f"{name} over {number:,}", timed(lambda report=report: report(asked), 5))


def children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure_cvs(person: Person, number: int) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for place in range(number):
            text = cv_files.text_of(email=f"{unique('cv')}@example.test")
            make, ending = (cv_files.word, "docx") if place % 2 else (cv_files.pdf, "pdf")
            archive.writestr(f"cv{place}.{ending}", make(text))
    with organization_scope(person.organization.pk):
        job: CvBatch = batches.start_batch(file=ContentFile(content.getvalue(), "cvs.zip"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, processor, of_children = time.perf_counter(), time.process_time(), children()
    batches.run_batch(job)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    of_children = children() - of_children
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    with organization_scope(person.organization.pk):
        read = Cv.objects.filter(batch=job, status="parsed").count()
    print(
        f"{read} CVs of {number} in {seconds:.1f} s: {number / seconds:.1f} a second, {processor:.1f} s of this"
        f" process, {of_children:.1f} s of its children, {grown:.0f} MB more memory"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--applications", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--cvs", type=int, default=200)
    chosen = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}, {timezone.now():%Y-%m-%d}")
    person = make_person(make_organization(), "admin")
    principal = principal_of_member(person.user.pk, person.organization.pk)
    assert principal is not None
    with organization_scope(person.organization.pk):
        job = create_job(principal=principal, title="Nurse", status="open")
    board = person.get(f"/v1/applications/board?jobId={job.pk}").data
    stages = [column["stage"]["id"] for column in board["columns"]]
    if chosen.applications:
        measure_board(person, job, stages, chosen.applications)
    if chosen.events:
        measure_reports(person, job, stages, chosen.events)
    if chosen.cvs:
        measure_cvs(person, chosen.cvs)


if __name__ == "__main__":
    main()
