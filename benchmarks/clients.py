"""How fast are clients and profiles at 100,000 clients, 200,000 relations and 60,000 people with two profiles each,
beside an organization of 1,000,000 contacts?

    bin/venv requirements-dev.txt; .venv/bin/python -m benchmarks.clients [--rows 100000] [--beside 1000000]

Runs on the servers of DATABASE_URL and REDIS_URL and leaves its organization there; a second run uses it again.
Server time is measured inside one process, policies on, as the restricted role.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")

import django

django.setup()

from django.db import connection

from benchmarks.contacts_api import COMPANIES, PARTS, PROJECT, served_in
from contacts.models import Client
from tests.factories import make_person
from vocelio.organizations.models import Organization, Role, Tier
from vocelio.organizations.scope import organization_scope

SLUG = "benchmark-clients"
TABLES = "clients, client_contacts, contacts, candidate_profiles, sales_profiles, profile_summaries, contact_insights"
FILL = [
    """
    WITH word AS MATERIALIZED (
        SELECT string_to_array(%(parts)s, ' ') AS part, string_to_array(%(companies)s, ' ') AS company
    )
    INSERT INTO clients (id, organization_id, name, legal_name, domain, website, linkedin_url, industry, size, currency,
        tax_id, email, phone, address, city, state, zip, country, tags, custom_fields, status, source, notes,
        verification, verification_note, sort_name, created_at, updated_at)
    SELECT uuid7(), %(organization)s, CASE WHEN n %% 2 = 0 THEN company[1 + n %% cardinality(company)]
        ELSE initcap(part[1 + floor(20 * random())::int] || part[1 + floor(20 * random())::int]
            || part[1 + floor(20 * random())::int]) END || ' ' || n || ' Inc', '', 'c' || n || '.example', '', '',
        (ARRAY['Energy', 'Retail', 'Health'])[1 + n %% 3], '51-200', '', '', 'office@c' || n || '.example', '', '',
        (ARRAY['Berlin', 'Oslo', 'Rome', 'Austin'])[1 + n %% 4], '', '', 'DE', ARRAY['key'], '{}',
        (ARRAY['prospect', 'active', 'inactive'])[1 + n %% 3], 'Import', '', 'unverified', '', '',
        now() - interval '2 years' + n * interval '5 minutes', now() - interval '2 years' + n * interval '5 minutes'
    FROM word, generate_series(1, %(rows)s) AS n
    """,
    """
    INSERT INTO contacts (id, organization_id, first_name, last_name, email, phone_extension, company, title, address,
        city, state, zip, country, tags, custom_fields, status, source, notes, private_notes, contact_count)
    SELECT uuid7(), %(organization)s, 'Ada', 'Number' || n, 'ada' || n || '@c.example', '', 'Company ' || n, '', '', '',
        '', '', '', '{}', '{}', 'active', '', '', '', 0 FROM generate_series(1, %(rows)s) AS n
    """,
    """
    INSERT INTO client_contacts (id, organization_id, client_id, contact_id, role, title, is_primary)
    SELECT uuid7(), %(organization)s, client.id, contact.id, (ARRAY['employee', 'buyer'])[1 + turn], '', turn = 0
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM clients WHERE organization_id = %(organization)s) AS client
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM contacts WHERE organization_id = %(organization)s) AS contact
        USING (n) CROSS JOIN generate_series(0, 1) AS turn
    """,
    """
    INSERT INTO candidate_profiles (id, organization_id, contact_id, is_primary, headline, summary, job_search, experience,
        education, languages, desired_salary, current_salary, city, state, country, remote_preference, will_relocate,
        work_authorization, source, linkedin_url, portfolio_url, notes)
    SELECT uuid7(), %(organization)s, id, true, 'Engineer', '', (ARRAY['open', 'not_looking'])[1 + (n %% 2)::int], '[]', '[]',
        '[]', '', '', '', '', '', 'any', false, '[]', '', '', '', ''
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM contacts WHERE organization_id = %(organization)s) AS contact
    WHERE n %% 10 < 6
    """,
    """
    INSERT INTO sales_profiles (id, organization_id, contact_id, is_primary, headline, buying_role, lead_status, lead_source,
        currency, territory, interests, notes)
    SELECT uuid7(), %(organization)s, id, true, 'Buyer', '', 'qualified', '', '', '', '', ''
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM contacts WHERE organization_id = %(organization)s) AS contact
    WHERE n %% 10 < 6
    """,
]
VACUUM = f"""
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor: cursor.execute("VACUUM ANALYZE {TABLES}")
"""


def fill(values: dict[str, Any], statements: list[str]) -> None:
    """Run what fills tables, with statistics after each, as autovacuum brings them between people's work."""
    owner = {**os.environ, "VOCELIO_DB_ROLE": "owner"}
    for statement in statements:
        with organization_scope(values["organization"]), connection.cursor() as cursor:
            cursor.execute(statement, values)
        subprocess.run([sys.executable, "-c", VACUUM], env=owner, cwd=PROJECT, check=True)


def make_neighbour(rows: int) -> None:
    """Make another organization of many contacts, one in ten with a profile; what the planner knows is of it."""
    neighbour, is_new = Organization.objects.get_or_create(slug=f"{SLUG}-neighbour", defaults={"name": "Neighbour"})
    if is_new:
        values = {"organization": neighbour.id, "rows": rows}
        fill(values, [FILL[1], FILL[3].replace("n %% 10 < 6", "n %% 10 = 0")])


def make_data(rows: int) -> Organization:
    """Return the organization with its clients, people and profiles."""
    organization, _ = Organization.objects.get_or_create(
        slug=SLUG, defaults={"name": "Benchmark", "subscription_tier": Tier.ENTERPRISE}
    )
    with organization_scope(organization.id):
        there = Client.objects.exists()
    if not there:
        started = time.perf_counter()
        values = {"parts": PARTS, "companies": COMPANIES, "organization": organization.id, "rows": rows}
        fill(values, FILL)
        print(f"{rows:,} clients made in {time.perf_counter() - started:.0f} s")
    return organization


def searches() -> Iterator[str]:
    """Yield what people type: begun and whole names, rare and common ones, domains, and nobody."""
    random.seed(7)
    parts, companies = PARTS.split(), COMPANIES.split()
    for _ in range(40):
        rare, number = "".join(random.choices(parts, k=3)), random.randrange(100_000)
        for words in (
            random.choice(companies),
            rare,
            rare[:5],
            f"c{number}.ex",
            f"{random.choice(companies)} {number}",
            "zzqx",
        ):
            yield f"/v1/clients?limit=50&search={quote(words)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--beside", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.beside:
        make_neighbour(options.beside)
    organization = make_data(options.rows)
    person = make_person(organization, Role.ADMIN)
    with organization_scope(organization.id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT client_id, contact_id FROM client_contacts JOIN candidate_profiles USING (organization_id, contact_id)"
            " WHERE organization_id = %s LIMIT 1 OFFSET 500",
            [organization.id],
        )
        client_id, contact_id = cursor.fetchone()
    print(f"| load average {os.getloadavg()[0]:.1f} | p50 ms | p95 ms |\n|---|---|---|")
    for name, paths, times in (
        ("GET /clients?limit=50", ["/v1/clients?limit=50"], 60),
        ("the same, sorted by name", ["/v1/clients?limit=50&sort=name"], 60),
        ("status, industry, city", ["/v1/clients?limit=50&status=active&industry=energy&city=berlin"], 40),
        ("search", list(searches()), 240),
        ("GET /clients/{id}", [f"/v1/clients/{client_id}"], 60),
        ("GET /clients/{id}/summary", [f"/v1/clients/{client_id}/summary"], 60),
        ("GET /contacts/{id}/profiles", [f"/v1/contacts/{contact_id}/profiles"], 60),
        ("GET /contacts/{id}/profile-summary", [f"/v1/contacts/{contact_id}/profile-summary"], 60),
        ("GET /contacts/{id}/insights", [f"/v1/contacts/{contact_id}/insights"], 40),
        ("GET /contact-profiles", ["/v1/contact-profiles?limit=50"], 40),
        ("GET /contact-insights", ["/v1/contact-insights?limit=50"], 40),
        ("the same, of both kinds", ["/v1/contact-profiles?limit=50&isDual=true"], 40),
        ("page 200 of them", ["/v1/contact-profiles?limit=50&page=200"], 20),
        ("GET /contact-insights?effect=risk", ["/v1/contact-insights?limit=50&effect=risk"], 40),
        ("of a client", [f"/v1/contact-insights?clientId={client_id}"], 40),
        ("GET /contact-profiles/analytics", ["/v1/contact-profiles/analytics"], 5),
    ):
        p50, p95 = served_in(person, lambda paths=paths: iter(paths), times)
        print(f"| {name} | {p50:,.1f} | {p95:,.1f} |", flush=True)


if __name__ == "__main__":
    main()
