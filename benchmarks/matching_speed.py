"""How fast candidates are found among many, and whether the index finds what an exact scan finds.

    .venv/bin/python -m benchmarks.matching_speed --candidates 100000

Needs DATABASE_URL and DATABASE_OWNER_URL, migrated. Makes one organization of so many candidates and one of a hundredth of
them, with vectors of 1,536 numbers (a mixture of 400 clusters), ten skills and a wanted salary each, and leaves them
there; `--again` takes those of the last time. The index on vectors is dropped for the loading and built anew. Times are
those of the whole endpoint in one process, request to answer; each question is about another job.
"""

import argparse
import os
import random
import resource
import statistics
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
django.setup()

import numpy as np
import psycopg
from django.conf import settings
from django.db import connection
from pgvector import HalfVector
from pgvector.django import HnswIndex

import vocelio.wsgi  # noqa: F401 - what a web process does when it has loaded
from ai_matching.embedders import WIDTH, Embedder, all_embedders
from ai_matching.models import Embedding, Part
from ai_matching.services import vectors
from ai_matching.services.matching import candidates_for
from ai_matching.services.texts import hash_of, texts_of
from recruitment.cv.skills import shipped
from recruitment.models import CandidateProfile
from recruitment.models.profiles import Salary
from tests.factories import Person, make_organization, make_person
from vocelio.access.principal import principal_of_member
from vocelio.crypto import envelope
from vocelio.db.copy import copy_to_temporary_table
from vocelio.db.ids import uuid7
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

COLUMNS = {
    "contact_id": "uuid",
    "profile_id": "uuid",
    "headline": "text",
    "years": "int",
    "city": "text",
    "state": "text",
    "notice": "int",
    "salary": "text",
    "skills": "text[]",
}
PEOPLE = """
WITH people AS (
    INSERT INTO contacts (organization_id, id, first_name, last_name, email, source, status, private_notes,
        contact_count, tags, custom_fields, notes, phone_extension, company, title, address, city, state, zip, country)
    SELECT %(organization)s, contact_id, 'Ada', left(contact_id::text, 18), contact_id || '@example.test', '', 'active', '',
        0, '{}', '{}', '', '', '', '', '', '', '', '', '' FROM people_to_come
), profiles AS (
    INSERT INTO candidate_profiles (organization_id, id, contact_id, is_primary, headline, summary, job_search,
        years_of_experience, experience, education, languages, desired_salary, current_salary, city, state, country,
        remote_preference, will_relocate, notice_period_days, work_authorization, source, linkedin_url, portfolio_url, notes)
    SELECT %(organization)s, profile_id, contact_id, true, headline, '', 'open', years, '[]', '[]', '[]', salary, '', city,
        state, 'US', 'any', false, notice, '[]', '', '', '', '' FROM people_to_come
)
INSERT INTO candidate_skills (organization_id, id, profile_id, name, folded, level, years)
SELECT %(organization)s, uuid7(), profile_id, skill, lower(skill), 3, 2 FROM people_to_come CROSS JOIN unnest(skills) AS skill
"""
CITIES = (("Boston", "MA"), ("Austin", "TX"), ("Denver", "CO"), ("Chicago", "IL"), ("Oakland", "CA"))
HEADLINES = ("Data engineer", "Accountant", "Nurse", "Welder", "Sales manager", "Teacher", "Cook", "Mechanic")
# A tenth has one of each five, so that a twentieth meets some condition.
SKILLS = sorted(set(shipped().values()))[::5]
SEED = 11
SPREAD = 0.5
TABLES = ("contacts", "candidate_profiles", "candidate_skills", "embeddings")
INDEXES = {each.name: each for each in Embedding._meta.indexes if isinstance(each, HnswIndex)}
LARGE, SMALL = "Matching, large", "Matching, small"


def people(number: int) -> Iterator[tuple[Any, ...]]:
    """Yield candidates of many trades, with ten skills each and what they want to earn."""
    draw = random.Random(SEED)
    # As `seal` does it, which asks for the key each time.
    key_id, key = envelope._current_key()
    for _ in range(number):
        profile = uuid7()
        city, state = draw.choice(CITIES) if draw.random() > 0.05 else ("Fresno", "CA")
        wanted = Salary(Decimal(draw.randrange(40, 160) * 1000), "USD", "year").to_text()
        address = envelope._address(f"candidate_profiles|desired_salary|{profile}")
        sealed = f"v1|{key_id}|{envelope._encrypt(key, wanted.encode(), address)}"
        yield (
            uuid7(), profile, draw.choice(HEADLINES), draw.randrange(30), city, state, draw.randrange(90), sealed,
            draw.sample(SKILLS, 10),
        )  # fmt: skip


class Mixture:
    """Vectors of 1,536 numbers, a mixture of 400 clusters."""

    def __init__(self) -> None:
        self.draw = np.random.default_rng(SEED)
        self.centres = self.draw.normal(size=(400, 96)).astype(np.float32)
        self.projection = self.draw.normal(size=(96, WIDTH)).astype(np.float32)

    def take(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors of so many titles and of their bodies."""
        normal = self.draw.standard_normal
        latent = self.centres[self.draw.integers(0, 400, number)]
        latent = latent + SPREAD * normal(latent.shape, dtype=np.float32)
        both = []
        for _ in Part.values:
            found = (latent + 0.2 * normal(latent.shape, dtype=np.float32)) @ self.projection
            found += 2 * normal(found.shape, dtype=np.float32)
            both.append(found / np.linalg.norm(found, axis=1, keepdims=True))
        return both[0], both[1]


def load(person: Person, number: int, mixture: Mixture, embedder: Embedder) -> None:
    with organization_scope(person.organization.pk):
        # In full before: the organization's key is read while they are made.
        copy_to_temporary_table("people_to_come", COLUMNS, list(people(number)))
        with connection.cursor() as cursor:
            cursor.execute(PEOPLE, {"organization": person.organization.pk})
            cursor.execute("SELECT profile_id FROM people_to_come ORDER BY profile_id")
            ids = [row[0] for row in cursor.fetchall()]
    with psycopg.connect(settings.DATABASE_OWNER_URL) as owner, owner.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE loaded (part text, profile_id uuid, vector halfvec)")
        with cursor.copy("COPY loaded FROM STDIN (FORMAT BINARY)") as rows:
            for start in range(0, len(ids), 2_000):
                some = ids[start : start + 2_000]
                for part, found in zip(("title", "body"), mixture.take(len(some)), strict=True):
                    for each, vector in zip(some, found, strict=True):
                        rows.write_row((part, each, HalfVector(vector).to_binary()))
        cursor.execute(
            "INSERT INTO embeddings (id, organization_id, kind, part, profile_id, provider, model, version, dimensions,"
            " text_hash, vector) SELECT uuid7(), %s, 'candidate', part, profile_id, %s, %s, %s, 1536, profile_id::text,"
            " vector FROM loaded",
            [person.organization.pk, embedder.slug, embedder.model, embedder.version],
        )
        owner.commit()


def as_owner(sql: str) -> float:
    """Run one statement and return how long it took, in seconds."""
    began = time.perf_counter()
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as owner:
        owner.execute("SET maintenance_work_mem = '2GB'")
        owner.execute(sql)
    return time.perf_counter() - began


def recall(person: Person, embedder: Embedder, queries: int, **conditions: Any) -> float:
    """Return the share of the ten nearest by exact comparison that the product's way finds."""
    shares = []
    with organization_scope(person.organization.pk):
        principal = principal_of_member(person.user.pk, person.organization.pk)
        among = candidates_for(principal).filter(**conditions)
        ids = list(CandidateProfile.objects.order_by("?").values_list("pk", flat=True)[:queries])
        for each in ids:
            stored = vectors.stored_vectors("candidate", each, embedder)
            asked = {part: vector for part, (vector, _) in stored.items()}
            exact, found = (
                set(ask(kind="candidate", asked=asked, title_weight=0.5, among=among, embedder=embedder, limit=limit))
                for ask, limit in ((vectors.exactly, 10), (first_ten, 10))
            )
            shares.append(len(exact & found) / max(1, len(exact)))
    return statistics.mean(shares)


def first_ten(**asked: Any) -> list[Any]:
    found = vectors.nearest(**{**asked, "limit": vectors.PROPOSED})
    return vectors.best(found, asked["title_weight"], asked["limit"])


def jobs_of(person: Person, number: int, mixture: Mixture, embedder: Embedder) -> list[str]:
    """Return new jobs that have vectors like those of the candidates."""
    draw = random.Random(SEED)
    jobs = []
    for place in range(number):
        body = {
            "title": f"{draw.choice(HEADLINES)} {place}",
            "status": "open",
            "description": "Who does what there is to do.",
            "skills": [{"name": name} for name in draw.sample(SKILLS, 8)],
            "city": "Boston",
            "state": "MA",
            "country": "US",
            "experienceMin": "3",
            "salaryMax": "90000",
            "currency": "USD",
        }
        jobs.append(str(person.post("/v1/jobs", body).data["id"]))
    with organization_scope(person.organization.pk), connection.cursor() as cursor:
        both = mixture.take(number)
        for place, (job, text) in enumerate(texts_of("job", jobs).items()):
            for part, found in zip(("title", "body"), both, strict=True):
                cursor.execute(
                    "INSERT INTO embeddings (id, organization_id, kind, part, job_id, provider, model, version, dimensions,"
                    " text_hash, vector) VALUES (uuid7(), %s, 'job', %s, %s, %s, %s, %s, 1536, %s, %s::halfvec)",
                    [
                        person.organization.pk,
                        part,
                        job,
                        embedder.slug,
                        embedder.model,
                        embedder.version,
                        hash_of(text.part(part)),
                        HalfVector(found[place]).to_text(),
                    ],
                )
    return jobs


def endpoint(person: Person, jobs: list[str], filters: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Return how long each answer took, and this process's part of it, in milliseconds."""
    taken, own = [], []
    for job in jobs:
        began, busy = time.perf_counter(), time.process_time()
        answer = person.post("/v1/ai/vector-match-candidates", {"jobId": job, "filters": filters})
        taken.append(1000 * (time.perf_counter() - began))
        own.append(1000 * (time.process_time() - busy))
        assert answer.status == 200, answer
    return taken, own


def embedding_rate(embedder: Embedder) -> float:
    texts = [f"Data engineer who moves data about in Python and SQL for {number} years" for number in range(4_096)]
    embedder.embed(texts[:1])
    began = time.process_time()
    for start in range(0, len(texts), embedder.batch):
        embedder.embed(texts[start : start + embedder.batch])
    return len(texts) / (time.process_time() - began)


def member_of(name: str) -> Person:
    """Return an admin of an organization of the last time."""
    return make_person(Organization.objects.filter(name=name).latest("created_at"))


def made(candidates: int, mixture: Mixture, embedder: Embedder) -> tuple[Person, Person]:
    large, small = (make_person(make_organization(name=name)) for name in (LARGE, SMALL))
    # What contacts and profiles tell each other is no part of this.
    for table in TABLES:
        as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for name in INDEXES:
        as_owner(f"DROP INDEX IF EXISTS {name}")
    began = time.perf_counter()
    load(large, candidates, mixture, embedder)
    load(small, candidates // 100, mixture, embedder)
    print(f"loaded in {time.perf_counter() - began:.0f} s", flush=True)
    for table in TABLES:
        as_owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for name, index in INDEXES.items():
        built = as_owner(str(index.create_sql(Embedding, connection.schema_editor())))
        print(f"{name} built in {built:.0f} s", flush=True)
    as_owner("VACUUM ANALYZE")
    return large, small


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    mixture, embedder = Mixture(), all_embedders()["esco"]
    print(f"offline model: {embedding_rate(embedder):,.0f} texts/s of one core")
    large, small = (member_of(LARGE), member_of(SMALL)) if asked.again else made(asked.candidates, mixture, embedder)
    for label, person, conditions in (
        ("all of the large one", large, {}),
        ("5 % of the large one", large, {"city": "Fresno"}),
        ("the one of 1 %", small, {}),
    ):
        print(f"recall@10, {label}: {recall(person, embedder, asked.queries, **conditions):.3f}")
    for label, person, filters in (
        ("large, no filter", large, {}),
        ("large, half of them", large, {"experienceFrom": 15}),
        ("large, a fifth", large, {"city": "Boston"}),
        ("large, 5 %", large, {"city": "Fresno"}),
        ("of 1 %", small, {}),
    ):
        jobs = jobs_of(person, asked.queries + 3, mixture, embedder)
        endpoint(person, jobs[:3], filters)
        taken, own = endpoint(person, jobs[3:], filters)
        p95 = sorted(taken)[int(0.95 * len(taken)) - 1]
        print(
            f"endpoint, {label}: p50 {statistics.median(taken):.1f} ms, p95 {p95:.1f} ms;"
            f" Python's part {statistics.median(own):.1f} ms"
        )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"memory of this process {memory} MB, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
