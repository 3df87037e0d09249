"""How fast candidates are found among many, and whether the index finds what an exact scan finds.

    .venv/bin/python -m benchmarks.matching_speed --candidates 100000

Needs DATABASE_URL and DATABASE_OWNER_URL, migrated. Makes one organization of so many candidates and one of a hundredth of
them, with vectors of 1,536 numbers (a mixture of 400 clusters), and leaves them there; the index on vectors is dropped
for the loading and built anew. Times are those of the whole endpoint in one process, request to answer.
"""

import argparse
import os
import resource
import statistics
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
django.setup()

import numpy as np
import psycopg
from django.conf import settings
from django.db import connection

from ai_matching.embedders import WIDTH, all_embedders
from ai_matching.services import vectors
from ai_matching.services.matching import candidates_for
from recruitment.models import CandidateProfile
from tests.factories import Person, make_organization, make_person
from vocelio.access.principal import principal_of_member
from vocelio.organizations.scope import organization_scope

PEOPLE = """
WITH people AS (
    INSERT INTO contacts (organization_id, id, first_name, last_name, email, source, status, private_notes,
        contact_count, tags, custom_fields, notes, phone_extension, company, title, address, city, state, zip, country)
    SELECT %(organization)s, uuid7(), 'Ada', 'Number ' || n, 'ada' || n || '@example.test', '', 'active', '',
        0, '{}', '{}', '', '', '', '', '', '', '', '', '' FROM generate_series(1, %(number)s) n
    RETURNING id
), profiles AS (
    INSERT INTO candidate_profiles (organization_id, id, contact_id, is_primary, headline, summary, job_search,
        years_of_experience, experience, education, languages, desired_salary, current_salary, city, state, country,
        remote_preference, will_relocate, notice_period_days, work_authorization, source, linkedin_url, portfolio_url, notes)
    SELECT %(organization)s, uuid7(), id, true, 'Data engineer', '', 'open', (random() * 30)::int, '[]', '[]', '[]', '', '',
        (ARRAY['Boston', 'Austin', 'Denver', 'Chicago'])[1 + (random() * 3)::int],
        (ARRAY['AL','AK','AZ','AR','CA','CO','CT','DE','FL','GA','HI','ID','IL','IN','IA','KS','KY','LA','ME','MD'])
        [1 + (random() * 19)::int], 'US', 'any', false, (random() * 90)::int, '[]', '', '', '', '' FROM people
    RETURNING id
)
INSERT INTO candidate_skills (organization_id, id, profile_id, name, folded, level, years)
SELECT %(organization)s, uuid7(), profiles.id, skill, lower(skill), 3, 2 FROM profiles
CROSS JOIN unnest(ARRAY['Python', 'SQL', 'Spark', 'Airflow']) AS skill
"""


def load(person: Person, number: int) -> None:
    with organization_scope(person.organization.pk), connection.cursor() as cursor:
        cursor.execute(PEOPLE, {"organization": person.organization.pk, "number": number})
        cursor.execute("SELECT id FROM candidate_profiles ORDER BY id")
        ids = [row[0] for row in cursor.fetchall()]
    draw = np.random.default_rng(11)
    centres = draw.normal(size=(400, 96))
    projection = draw.normal(size=(96, WIDTH))
    with psycopg.connect(settings.DATABASE_OWNER_URL) as owner, owner.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE loaded (part text, profile_id uuid, vector halfvec)")
        with cursor.copy("COPY loaded FROM STDIN") as rows:
            for start in range(0, len(ids), 2_000):
                some = ids[start : start + 2_000]
                latent = centres[draw.integers(0, 400, len(some))] + 0.5 * draw.normal(size=(len(some), 96))
                for part in ("title", "body"):
                    found = (latent + 0.2 * draw.normal(size=latent.shape)) @ projection
                    found += 2.0 * draw.normal(size=found.shape)
                    found /= np.linalg.norm(found, axis=1, keepdims=True)
                    for each, vector in zip(some, found, strict=True):
                        rows.write_row((part, each, "[" + ",".join(np.char.mod("%.4f", vector)) + "]"))
        cursor.execute(
            "INSERT INTO embeddings (id, organization_id, kind, part, profile_id, provider, model, version, dimensions,"
            " text_hash, vector) SELECT uuid7(), %s, 'candidate', part, profile_id, 'wordllama', 'l2_supercat_256', '0.4.0',"
            " 1536, profile_id::text, vector FROM loaded",
            [person.organization.pk],
        )
        owner.commit()


def index(sql: str) -> float:
    began = time.perf_counter()
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as owner:
        owner.execute("SET maintenance_work_mem = '2GB'")
        owner.execute(sql)
    return time.perf_counter() - began


def recall(person: Person, queries: int, **conditions: Any) -> float:
    """Return the share of the ten nearest by exact comparison that the product's way finds."""
    embedder = all_embedders()["wordllama"]
    shares = []
    with organization_scope(person.organization.pk):
        principal = principal_of_member(person.user.pk, person.organization.pk)
        among = candidates_for(principal).filter(**conditions)
        ids = list(CandidateProfile.objects.order_by("?").values_list("pk", flat=True)[:queries])
        values = {
            "organization": person.organization.pk,
            "kind": "candidate",
            "provider": embedder.slug,
            "model": embedder.model,
        }
        allowed = set(among.values_list("pk", flat=True))
        for each in ids:
            stored = vectors.stored_vectors("candidate", each, embedder)
            asked = {part: vector for part, (vector, _) in stored.items()}
            exact = vectors.best(vectors.scored(values, asked, allowed), 0.5, 10)
            found = vectors.nearest(
                kind="candidate", asked=asked, title_weight=0.5, among=among, embedder=embedder, limit=200
            )
            shares.append(len(set(exact) & set(vectors.best(found, 0.5, 10))) / max(1, len(exact)))
    return statistics.mean(shares)


def endpoint(person: Person, job: str, times: int, filters: dict[str, Any]) -> list[float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        answer = person.post("/v1/ai/vector-match-candidates", {"jobId": job, "filters": filters})
        taken.append(1000 * (time.perf_counter() - began))
        assert answer.status == 200, answer
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=20)
    asked = parser.parse_args()
    texts = [f"Data engineer who moves data about in Python and SQL for {number} years" for number in range(4_096)]
    embedder = all_embedders()["wordllama"]
    embedder.embed(texts[:1])
    began = time.process_time()
    for start in range(0, len(texts), embedder.batch):
        embedder.embed(texts[start : start + embedder.batch])
    print(f"offline model: {len(texts) / (time.process_time() - began):,.0f} texts/s of one core")

    large, small = make_person(make_organization()), make_person(make_organization())
    index("DROP INDEX IF EXISTS embeddings_nearest")
    began = time.perf_counter()
    load(large, asked.candidates)
    load(small, asked.candidates // 100)
    print(f"loaded in {time.perf_counter() - began:.0f} s")
    built = index("CREATE INDEX embeddings_nearest ON embeddings USING hnsw (vector halfvec_ip_ops)")
    index("ANALYZE embeddings")
    index("ANALYZE candidate_profiles")
    print(f"index of {2 * asked.candidates:,} vectors built in {built:.0f} s")
    for label, person, conditions in (
        ("all of the large one", large, {}),
        ("5 % of the large one", large, {"state": "CA"}),
        ("the one of 1 %", small, {}),
    ):
        print(f"recall@10, {label}: {recall(person, asked.queries, **conditions):.3f}")
    body = {
        "title": "Data engineer",
        "status": "open",
        "description": "Python and SQL",
        "skills": [{"name": "Python"}, {"name": "Go"}],
    }
    for label, person, filters in (
        ("large, no filter", large, {}),
        ("large, half of them", large, {"experienceFrom": 15}),
        ("large, 5 %", large, {"state": "CA"}),
        ("of 1 %", small, {}),
    ):
        job = person.post("/v1/jobs", body).data["id"]
        endpoint(person, job, 3, filters)
        taken = endpoint(person, job, asked.queries, filters)
        p95 = sorted(taken)[int(0.95 * len(taken)) - 1]
        print(f"endpoint, {label}: p50 {statistics.median(taken):.0f} ms, p95 {p95:.0f} ms")
    print(
        f"memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
