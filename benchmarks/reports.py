"""How long each metric takes: as a total, by its first dimension, by month of a year.

    .venv/bin/python -m benchmarks.reports --contacts 1000000 --events 1000000
    .venv/bin/python -m benchmarks.reports --organization <id> --metrics contacts

The first makes an organization of its own and leaves it there; the second measures one that is there, reading only.
Needs DATABASE_URL and the rest of the environment, migrated.
"""

import argparse
import os
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
django.setup()

from django.db import connection

from benchmarks.recruitment import EVENTS
from recruitment.models import ApplicationStage
from recruitment.services.jobs import create_job
from tests.factories import make_organization, make_person
from vocelio.access.principal import Principal, principal_of_member
from vocelio.organizations.models import Membership, Role
from vocelio.organizations.scope import organization_scope
from vocelio.reports.registry import Metric, all_metrics
from vocelio.reports.services.answers import answer
from vocelio.reports.services.questions import read_question

CONTACTS = """
INSERT INTO contacts (organization_id, id, first_name, last_name, email, source, status, country, state, assigned_to_id,
    private_notes, contact_count, tags, custom_fields, notes, phone_extension, company, title, address, city, zip,
    created_at)
SELECT %(organization)s, gen_random_uuid(), 'Ada', 'Number ' || n, 'ada' || n || '@example.test',
    (ARRAY['Web', 'Fair', 'Referral', 'Partner', ''])[1 + n %% 5], 'active', (ARRAY['US', 'CA', 'DE'])[1 + n %% 3],
    (ARRAY['TX', 'CA', 'NY', 'WA'])[1 + n %% 4], %(user)s, '', 0, '{}', '{}', '', '', '', '', '', '', '',
    now() - random() * interval '730 days'
FROM generate_series(%(first)s, %(last)s) n
"""
BATCH = 50_000


def timed(work: Callable[[], Any], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def fill(contacts: int, events: int) -> uuid.UUID:
    person = make_person(make_organization())
    organization_id: uuid.UUID = person.organization.pk
    for first in range(1, contacts + 1, BATCH):
        last = min(first + BATCH - 1, contacts)
        values = {"organization": organization_id, "user": person.user.pk, "first": first, "last": last}
        with organization_scope(organization_id), connection.cursor() as cursor:
            cursor.execute(CONTACTS, values)
    principal = principal_of_member(person.user.pk, organization_id)
    assert principal is not None
    with organization_scope(organization_id), connection.cursor() as cursor:
        job = create_job(principal=principal, title="Welder")
        stages = [str(pk) for pk in ApplicationStage.objects.filter(process=job.process).values_list("pk", flat=True)]
        values = {"organization": organization_id, "job": job.pk, "stages": stages[:4], "user": person.user.pk}
        cursor.execute(EVENTS, {**values, "number": events})
    return organization_id


def measure(metric: Metric, principal: Principal, times: int) -> tuple[float, float, float, float]:
    """Return the milliseconds of a month's total, a year's total, a year by dimension and a year by month."""

    def ask(**asked: Any) -> float:
        question = read_question({"metrics": [metric.name], **asked}, principal)
        return timed(lambda: answer(question), times)

    month, year = {"preset": "last_30_days"}, {"preset": "last_365_days"}
    dimension = {"dimensions": [metric.dimensions[1 if len(metric.dimensions) > 1 else 0].key]}
    return (
        ask(range=month),
        ask(range=year),
        ask(range=year, **dimension),
        ask(range=year, granularity="month") if metric.date else 0.0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--organization", type=uuid.UUID, help="One that is there.")
    parser.add_argument("--metrics", default="", help="Only those of these groups, separated by commas.")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    organization_id = options.organization or fill(options.contacts, options.events)
    admin = Membership.objects.filter(organization_id=organization_id, role=Role.ADMIN).first()
    assert admin is not None
    principal = principal_of_member(admin.user_id, organization_id)
    assert principal is not None
    wanted = set(options.metrics.split(",")) if options.metrics else None
    print(f"load {os.getloadavg()[0]:.1f}; ms: 30 days, a year, a year by a dimension, a year by month")
    with organization_scope(organization_id):
        for metric in all_metrics():
            if wanted is None or metric.group in wanted:
                figures = " ".join(f"{figure:9.1f}" for figure in measure(metric, principal, options.times))
                print(f"{metric.name:32} {figures}")


if __name__ == "__main__":
    main()
