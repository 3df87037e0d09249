"""How fast is the contacts API at 1,000,000 contacts of one organization, policies on, beside a stock ModelViewSet?

    bin/venv requirements-dev.txt; .venv/bin/python benchmarks/contacts_api.py [--rows 1000000] [--seconds 5]

Runs on the servers of DATABASE_URL and REDIS_URL and leaves its organization there; a second run uses it again.
Server time is measured inside one process, requests/s with 2 web processes and the flags of bin/up, the clients on
the same cores.
"""

import argparse
import itertools
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import orjson

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")

import django

django.setup()

from django.db import connection

from contacts.models import ContactTally
from tests.factories import Person, make_person
from vocelio.organizations.models import Organization, Role, Tier
from vocelio.organizations.scope import organization_scope

SLUG = "benchmark-contacts"
CONNECTIONS = 8
FIRST = "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William José Zoë François Łukasz Quincy"
LAST = "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson"
PARTS = "ka lo mi ra ten bur vel sto nik ov ski berg mann ford ley ton wick dal san tor"
COMPANIES = "Acme Globex Initech Umbrella Stark Wayne Hooli Vandelay Soylent Cyberdyne Tyrell Wonka Oscorp Monarch"
CITIES = "New York,Los Angeles,Chicago,Houston,Phoenix,Philadelphia,San Antonio,San Diego,Dallas,Austin"

# Names are skewed as in life; two fifths of the last names and half of the companies are made up and rare.
FILL = """
WITH word AS MATERIALIZED (
    SELECT string_to_array(%(first)s, ' ') AS first, string_to_array(%(last)s, ' ') AS last,
           string_to_array(%(parts)s, ' ') AS part, string_to_array(%(companies)s, ' ') AS company,
           string_to_array(%(cities)s, ',') AS city,
           '{gmail.com,yahoo.com,outlook.com,hotmail.com,icloud.com}'::text[] AS domain
), person AS (
    SELECT n, city, domain,
        first[1 + floor(cardinality(first) * random() ^ 2)::int] AS first_name,
        CASE WHEN random() < 0.6 THEN last[1 + floor(cardinality(last) * random() ^ 2)::int]
             ELSE initcap(part[1 + floor(20 * random())::int] || part[1 + floor(20 * random())::int]
                          || part[1 + floor(20 * random())::int]) END AS last_name,
        CASE WHEN random() < 0.5 THEN company[1 + floor(cardinality(company) * random())::int]
             ELSE initcap(part[1 + floor(20 * random())::int] || part[1 + floor(20 * random())::int]
                          || part[1 + floor(20 * random())::int]) END || ' Inc' AS company_name
    FROM word, generate_series(%(from)s, %(to)s) AS n
)
INSERT INTO contacts (id, organization_id, first_name, last_name, email, phone, phone_extension, company, title,
    address, city, state, zip, country, tags, custom_fields, status, source, notes, private_notes, contact_count,
    created_at, updated_at)
SELECT uuid7(), %(organization)s, first_name, last_name,
    CASE WHEN n %% 10 < 7 THEN fold_text(first_name || '.' || last_name) || n %% 1000 || '@' || domain[1 + n %% 5]
         ELSE '' END,
    '+1' || 2000000000 + (n::bigint * 7919) %% 7999999999, '', company_name, 'Manager', n || ' Main St',
    city[1 + n %% 10], 'NY', lpad((n %% 99999)::text, 5, '0'), 'US',
    array_remove(ARRAY[CASE WHEN n %% 10 = 0 THEN 'vip' END, 'qualified'], NULL),
    jsonb_build_object('leadScore', n %% 100, 'source', 'website'),
    CASE WHEN n %% 25 = 0 THEN 'inactive' ELSE 'active' END, 'Import', 'Interested in premium package', '', 0,
    now() - interval '2 years' + n * interval '1 minute', now() - interval '2 years' + n * interval '1 minute'
FROM person
"""


def make_data(rows: int) -> Organization:
    """Return the organization with its contacts, each on two lists."""
    organization, _ = Organization.objects.get_or_create(
        slug=SLUG, defaults={"name": "Benchmark", "subscription_tier": Tier.ENTERPRISE}
    )
    with organization_scope(organization.id), connection.cursor() as cursor:
        # What the POSTs of an earlier run left.
        cursor.execute("DELETE FROM contacts WHERE organization_id = %s AND source = ''", [organization.id])
        there = sum(ContactTally.objects.by_status().values())
    if there < rows:
        admin = make_person(organization, Role.ADMIN)
        lists = [admin.post("/v1/contact-lists", {"name": f"List {time.time_ns()}"}).data["id"] for _ in range(2)]
        started = time.perf_counter()
        for start in range(there, rows, 50_000):
            with organization_scope(organization.id), connection.cursor() as cursor:
                cursor.execute(
                    FILL,
                    {
                        **{"first": FIRST, "last": LAST, "parts": PARTS, "companies": COMPANIES, "cities": CITIES},
                        **{"organization": organization.id, "from": start, "to": min(rows, start + 50_000) - 1},
                    },
                )
        with organization_scope(organization.id), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id)"
                " SELECT uuid7(), organization_id, id, list_id FROM contacts, unnest(%s::uuid[]) AS list_id"
                " ON CONFLICT DO NOTHING",
                [lists],
            )
        print(f"{rows - there:,} contacts made in {time.perf_counter() - started:.0f} s")
        subprocess.run(
            [sys.executable, "-c", VACUUM], env={**os.environ, "VOCELIO_DB_ROLE": "owner"}, cwd=PROJECT, check=True
        )
    return organization


VACUUM = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor: cursor.execute("VACUUM ANALYZE contacts, contact_list_memberships")
"""


def served_in(person: Person, paths: Callable[[], Iterator[str]], times: int) -> tuple[float, float]:
    """Return p50 and p95 of the server's milliseconds for one request, in this process."""
    source = itertools.cycle(paths())
    for path in itertools.islice(source, 5):
        person.get(path)
    taken = []
    for path in itertools.islice(source, times):
        started = time.perf_counter()
        answer = person.get(path)
        taken.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, answer
    return statistics.median(taken), statistics.quantiles(taken, n=20)[18]


@contextmanager
def web(application: str, organization: Organization) -> Iterator[int]:
    """Serve with two processes and the flags of bin/up; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", application, "--port", str(port), "--workers", "2"),
            *("--lifespan", "off", "--log-level", "warning", "--no-access-log"),
        ],
        cwd=PROJECT,
        env={**os.environ, "BENCHMARK_ORGANIZATION": str(organization.id), "LOG_LEVEL": "WARNING"},
    )
    try:
        for _ in range(150):
            time.sleep(0.2)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield port
    finally:
        process.terminate()
        process.wait()


def ask(sock: socket.socket, request: bytes) -> int:
    """Send one request on a kept connection; return the status."""
    sock.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += sock.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    missing = length - len(body)
    while missing > 0:
        missing -= len(sock.recv(65536))
    return int(lines[0].split()[1])


def requests_per_second(port: int, make: Callable[[], bytes], seconds: float, expected: int) -> tuple[float, float]:
    """Return requests/s and the p95 in milliseconds of 8 kept connections."""
    taken: list[float] = []
    stop = 0.0

    def client(warm: bool) -> None:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            while time.perf_counter() < stop:
                request = make()
                started = time.perf_counter()
                status = ask(sock, request)
                assert status == expected, status
                if not warm:
                    taken.append((time.perf_counter() - started) * 1000)

    for warm, length in ((True, 2.0), (False, seconds)):
        stop = time.perf_counter() + length
        threads = [threading.Thread(target=client, args=[warm]) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return len(taken) / seconds, statistics.quantiles(taken, n=20)[18]


def http(token: str, method: str, path: str, body: object = None) -> bytes:
    content = b"" if body is None else orjson.dumps(body)
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    ).encode() + content


def searches() -> Iterator[str]:
    """Yield what people type: whole and begun words, rare and common, one and two, phone ends, and nobody."""
    random.seed(7)
    first, last, parts, companies = FIRST.split(), LAST.split(), PARTS.split(), COMPANIES.split()
    for _ in range(60):
        rare = "".join(random.choices(parts, k=3))
        for words in (
            random.choice(last),
            random.choice(last)[:3],
            random.choice(first)[:2],
            rare,
            rare[:6],
            f"{random.choice(first)} {random.choice(last)}",
            f"{random.choice(first)[:4]} {rare[:4]}",
            f"{rare} s",
            random.choice(companies),
            f"{random.randrange(10**4):04}",
            f"{random.randrange(10**7):07}",
            "zzqx" + rare,
        ):
            yield f"/v1/contacts?limit=50&search={quote(words)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    organization = make_data(options.rows)
    person = make_person(organization, Role.ADMIN)
    deep = max(1, options.rows // 100)

    def shown(name: str, figure: float, goal: str) -> None:
        print(f"| {name} | {figure:,.1f} | {goal} |", flush=True)

    print("| | measured | goal |\n|---|---|---|")
    p50, p95 = served_in(person, lambda: iter(["/v1/contacts?limit=50"]), 100)
    shown("GET /contacts?limit=50, server ms, p50", p50, "")
    shown("the same, p95", p95, "25")
    first = served_in(person, lambda: iter(["/v1/contacts?limit=50&cursor="]), 50)[0]
    with organization_scope(organization.id):
        cursor = deep_cursor(deep * 50)
    shown(
        "page by cursor at half of the list / first page",
        served_in(person, lambda: iter([f"/v1/contacts?limit=50&cursor={cursor}"]), 50)[0] / first,
        "2",
    )
    shown(
        "page by number at half of the list, server ms, p50",
        served_in(person, lambda: iter([f"/v1/contacts?limit=50&page={deep}"]), 20)[0],
        "100",
    )
    p50, p95 = served_in(person, searches, 720)
    shown("search, mixed, server ms, p50", p50, "15")
    shown("the same, p95", p95, "50")
    with organization_scope(organization.id):
        started = time.perf_counter()
        for _ in range(50):
            ContactTally.objects.by_status()
        shown("totals, ms", (time.perf_counter() - started) * 20, "10")
    token, numbers = person.token, itertools.count(time.time_ns() // 1000 % 10**9)
    with web("vocelio.asgi:application", organization) as port:
        request = http(token, "GET", "/v1/contacts?limit=50")
        page, _ = requests_per_second(port, lambda: request, options.seconds, 200)
        shown("GET /contacts?limit=50, requests/s", page, "")
        contact_id = person.get("/v1/contacts?limit=1").data[0]["id"]
        one = http(token, "GET", f"/v1/contacts/{contact_id}")
        rate, _ = requests_per_second(port, lambda: one, options.seconds, 200)
        shown("GET /contacts/{id}, requests/s", rate, "500")

        def new() -> bytes:
            return http(token, "POST", "/v1/contacts", {"firstName": "New", "email": f"n{next(numbers)}@example.com"})

        rate, p95 = requests_per_second(port, new, options.seconds, 201)
        shown("POST /contacts, requests/s", rate, "150")
        shown("the same, p95 ms with 8 clients", p95, "120")
    with web("benchmarks.stock.asgi:application", organization) as port:
        request = http(token, "GET", "/contacts")
        stock, _ = requests_per_second(port, lambda: request, options.seconds, 200)
        shown("stock ModelViewSet, the same page, requests/s", stock, "")
        shown("ratio", page / stock, "20")


def deep_cursor(offset: int) -> str:
    """Return the cursor that stands so many contacts into the list."""
    from contacts.models import LiveContact
    from vocelio.api.pagination import encode_cursor

    queryset = LiveContact.objects.order_by("-created_at", "-id")
    (key,) = queryset.keys()[offset : offset + 1]
    return encode_cursor(key, ["-created_at", "-id"])


if __name__ == "__main__":
    main()
