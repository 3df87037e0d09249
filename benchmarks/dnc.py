"""Do-Not-Call at true size: python -m benchmarks.dnc FOLDER [CONTACTS].

FOLDER holds a generated registry (manage.py generate_registry --numbers 245000000 FOLDER). Uses the database of
DATABASE_URL, migrated and with an empty registry: loads the registry by the real job, applies a change list of 500,000
lines, scrubs a campaign and compares every result with plain Python sets and DuckDB. requirements-bench.txt has DuckDB.
"""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import django
import numpy as np
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
CHANGES = 500_000
ENTRIES = 1_000_000


def main(folder: Path, contacts: int) -> None:
    from django.conf import settings

    owner = psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True)
    expected = loads(owner, folder)
    campaign(owner, expected, contacts)
    checks(expected)


def loads(owner: Any, folder: Path) -> Any:
    """Load the registry and a change list; return the numbers that are listed then."""
    loaded = worker("load", str(folder))
    megabytes = owner.execute("SELECT pg_total_relation_size('dnc_registry_blocks') / 1048576.0").fetchone()[0]
    show("full load, s", loaded["seconds"], 60)
    show("in the database, MB", float(megabytes), 450)
    show("worker's peak of memory, MB", loaded["peak"], 1024)
    print(f"  numbers: {loaded['numbers']:,}")
    row_per_number(owner)
    registry = read_registry(folder)
    off, on = write_changes(folder, registry)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "changes.txt"
        path.write_bytes(changes_text(off, on, day_of(folder)))
        changed = worker("load", str(path))
    show(f"change list of {CHANGES:,} lines, s", changed["seconds"], 15)
    show("worker's peak of memory, MB", changed["peak"], 1024)
    expected = after(registry, off, on)
    assert changed["numbers"] == len(expected), (changed, len(expected))
    return expected


def after(registry: Any, off: Any, on: Any) -> Any:
    """Return the sorted numbers without some and with others."""
    kept = np.delete(registry, np.searchsorted(registry, off))
    new = on[~among(on, kept)]
    return np.insert(kept, np.searchsorted(kept, new), new)


def among(numbers: Any, listed: Any) -> Any:
    """Say of each number whether it is among the sorted ones."""
    place = np.minimum(np.searchsorted(listed, numbers), len(listed) - 1)
    return listed[place] == numbers


def show(name: str, figure: float, goal: float) -> None:
    load = os.getloadavg()[0]
    print(f"{name}: {figure:,.2f} (goal {goal}, ratio {figure / goal:.2f}, load average {load:.1f})", flush=True)


def worker(*arguments: str) -> dict[str, Any]:
    """Do something in a process of its own and return its figures."""
    command = [sys.executable, "-m", "benchmarks.dnc", "worker", *arguments]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(ended.stdout.strip().splitlines()[-1]))


def work(task: str, *arguments: str) -> None:
    from dnc.models import Registry, RegistryFile
    from dnc.services.registry_loads import paths_of, run_load, start_load

    started = time.monotonic()
    figures: dict[str, Any] = {}
    if task == "load":
        registry = Registry.objects.get(slug="us-federal")
        job = start_load(registry=registry, files=paths_of([Path(arguments[0])]))
        started = time.monotonic()
        run_load(job)
        registry.refresh_from_db()
        figures["numbers"] = registry.number_count
        assert not RegistryFile.objects.filter(load_id=job.pk, status="rejected").exists()
    else:
        from dnc.tasks import run_scrub

        run_scrub(organization_id=arguments[0], job_id=arguments[1])
    figures["seconds"] = time.monotonic() - started
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(json.dumps(figures | {"peak": int(peak[1]) // 1024 if peak else 0}))


def row_per_number(owner: Any, rows: int = 2_000_000) -> None:
    """The layout that is usual, at a reduced size."""
    numbers = np.sort(np.random.default_rng(3).choice(10**10, rows, replace=False))
    started = time.monotonic()
    with owner.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE plain_numbers (number bigint PRIMARY KEY)")
        with cursor.copy("COPY plain_numbers FROM STDIN") as copy:
            copy.write("\n".join(map(str, numbers.tolist())))
        size = cursor.execute("SELECT pg_total_relation_size('plain_numbers')").fetchone()[0]
        seconds = time.monotonic() - started
        cursor.execute("DROP TABLE plain_numbers")
    print(f"a row for each of {rows:,} numbers: {seconds:.1f} s, {size / rows:.0f} bytes a number")


def read_registry(folder: Path) -> Any:
    """Read the generated files without the product's reader."""
    parts = []
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            text = archive.read(archive.namelist()[0])
        parts.append(np.fromstring(text.replace(b",", b"").decode(), dtype=np.int64, sep="\n") + 10**10)
    return np.sort(np.concatenate(parts))


def write_changes(folder: Path, registry: Any) -> tuple[Any, Any]:
    draw = np.random.default_rng(11)
    off = np.unique(registry[draw.integers(0, len(registry), CHANGES // 2)])
    codes = np.array(sorted({int(path.name.split("_")[1]) for path in folder.glob("*.zip")}))
    on = np.unique(draw.choice(codes, CHANGES // 2) * 10**7 + draw.integers(2 * 10**6, 10**7, CHANGES // 2) + 10**10)
    on = np.setdiff1d(on, off)
    return off, on


def day_of(folder: Path) -> str:
    """Return the day of the registry's files, of which the changes are as well."""
    return min(path.name for path in folder.glob("*.zip")).split("_")[0]


def changes_text(off: Any, on: Any, day: str) -> bytes:
    lines = [f"{number - 10**10},{day}T01:00:00,D\n" for number in off.tolist()]
    lines += [f"{number - 10**10},{day}T01:00:00,A\n" for number in on.tolist()]
    random.Random(1).shuffle(lines)
    return "".join(lines).encode()


def campaign(owner: Any, registry: Any, contacts: int) -> None:
    """Scrub a campaign and compare each number's result with plain sets."""
    from django.db import connection
    from django.utils import timezone

    from contacts.models import ContactList
    from dnc.models import DncList, Entitlement, Registry, Scrub
    from dnc.services.decision import Context
    from dnc.services.hits import hits_statement
    from dnc.services.scrubs import start_scrub
    from tests.factories import make_organization, make_person
    from vocelio.organizations.scope import organization_scope

    manager = make_person(make_organization(), "manager")
    organization_id = manager.organization.id
    draw = np.random.default_rng(5)
    codes = np.unique(registry[::1000] // 10**7)
    numbers = np.unique(draw.choice(codes, contacts * 2) * 10**7 + draw.integers(2 * 10**6, 10**7, contacts * 2))
    numbers = draw.permutation(numbers)[:contacts]
    company = []
    with organization_scope(organization_id):
        Entitlement.objects.create(registry=Registry.objects.get(slug="us-federal"), san="1", valid_from="2020-01-01")
        callees = ContactList.objects.create(name="Campaign")
        for index in range(2):
            dnc_list = DncList.objects.create(name=f"Company {index}", type="company")
            theirs = np.union1d(
                draw.choice(numbers, contacts // 50, replace=False),
                draw.choice(codes, ENTRIES) * 10**7 + draw.integers(2 * 10**6, 10**7, ENTRIES),
            )[:ENTRIES]
            company.append(theirs)
            fill(
                "INSERT INTO dnc_entries (organization_id, id, list_id, phone_number, channels, source, reason, notes,"
                " status) SELECT %s, gen_random_uuid(), %s, '+' || number, '{}', '', '', '', 'active' FROM given",
                [organization_id, dnc_list.pk],
                theirs,
            )
    owner.execute("ALTER TABLE contacts DISABLE TRIGGER USER")
    try:
        with organization_scope(organization_id):
            fill(
                "INSERT INTO contacts (organization_id, id, phone, first_name, last_name, email, phone_extension, company,"
                " title, address, city, state, zip, country, tags, custom_fields, status, source, notes, private_notes,"
                " contact_count) SELECT %s, gen_random_uuid(), '+' || number, '', '', '', '', '', '', '', '', '', '', '',"
                " '{}', '{}', 'active', '', '', '', 0 FROM given",
                [organization_id],
                numbers,
            )
    finally:
        owner.execute("ALTER TABLE contacts ENABLE TRIGGER USER")
    with organization_scope(organization_id), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contact_list_memberships (organization_id, id, contact_id, list_id)"
            " SELECT organization_id, gen_random_uuid(), id, %s FROM contacts WHERE organization_id = %s",
            [callees.pk, organization_id],
        )
    for table in ("contacts", "contact_list_memberships", "dnc_entries"):
        owner.execute(f"VACUUM ANALYZE {table}")
    with organization_scope(organization_id), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE asked ON COMMIT DROP AS SELECT substr(phone, 2)::bigint AS number FROM contacts"
            " WHERE organization_id = %s",
            [organization_id],
        )
        cursor.execute("ANALYZE asked")
        context = Context.read(at=timezone.now())
        statement, parameters = hits_statement(
            asked="asked",
            organization_id=organization_id,
            list_ids=[each.pk for each in context.entry_lists],
            registry_ids=context.registry_ids,
            at=timezone.now(),
        )
        times = []
        for _ in range(3):
            started = time.monotonic()
            cursor.execute(f"SELECT count(*) FROM ({statement}) AS hit", parameters)
            hits = cursor.fetchone()[0]
            times.append(time.monotonic() - started)
    listed = among(numbers, registry)
    theirs = among(numbers, company[0]) | among(numbers, company[1])
    assert hits == int((listed | theirs).sum())
    show(f"set operation over {contacts:,} numbers, s (best of 3)", min(times), 3)
    duck(numbers, registry, company, hits, min(times))
    with organization_scope(organization_id):
        scrub = start_scrub(contact_list_ids=[callees.pk], clean_list_name="Clean", watch=False)
    figures = worker("scrub", str(organization_id), str(scrub.pk))
    show(f"scrub of {contacts:,} contacts with results, clean list and certificate, s", figures["seconds"], 30)
    show("worker's peak of memory, MB", figures["peak"], 1024)
    with organization_scope(organization_id), connection.cursor() as cursor:
        scrub = Scrub.objects.get(pk=scrub.pk)
        cursor.execute("SELECT number, code FROM dnc_scrub_results WHERE organization_id = %s", [organization_id])
        codes_found = dict(cursor.fetchall())
    on_registry, on_company = set(numbers[listed].tolist()), set(numbers[theirs].tolist())
    wrong = [
        number
        for number in numbers.tolist()
        if codes_found[number] != ("P" if number in on_company else "D" if number in on_registry else "C")
    ]
    assert not wrong, wrong[:5]
    assert len(codes_found) == contacts
    assert scrub.clean_contacts == contacts - len(on_registry | on_company)
    print(f"all {contacts:,} results equal plain sets; {scrub.results}")


def fill(statement: str, parameters: list[Any], numbers: Any) -> None:
    from django.db import connection

    from vocelio.db.copy import copy_to_temporary_table

    copy_to_temporary_table("given", {"number": "bigint"}, ((number,) for number in numbers.tolist()))
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        cursor.execute("DROP TABLE given")


def duck(numbers: Any, registry: Any, company: list[Any], hits: int, ours: float) -> None:
    """The same numbers in DuckDB: a semi join against its own column table."""
    try:
        import duckdb
    except ImportError:
        print("DuckDB is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        database = duckdb.connect(f"{folder}/numbers.duckdb")
        given = {"number": np.concatenate([registry, *company])}
        database.execute("CREATE TABLE listed AS SELECT * FROM given")
        asked = {"number": numbers}
        database.execute("CREATE TABLE asked AS SELECT * FROM asked")
        del given, asked
        times = []
        for _ in range(3):
            started = time.monotonic()
            found = database.execute("SELECT count(*) FROM asked SEMI JOIN listed USING (number)").fetchone()[0]
            times.append(time.monotonic() - started)
        assert found == hits, (found, hits)
    print(
        f"DuckDB semi join: {min(times):.2f} s; ours takes {ours / min(times):.2f} of that (goal below 1)", flush=True
    )


def checks(registry: Any) -> None:
    """Server time of POST /dnc/check."""
    from tests.factories import make_organization, make_person

    manager = make_person(make_organization(), "manager")
    body = {"registry": "us-federal", "san": "1", "validFrom": "2020-01-01"}
    assert manager.post("/v1/dnc/entitlements", body).status == 201
    draw = np.random.default_rng(9)
    numbers = [f"+{number}" for number in draw.choice(registry, 20_000).tolist()]
    times = []
    for number in numbers[:600]:
        started = time.monotonic()
        manager.post("/v1/dnc/check", {"phoneNumbers": [number]})
        times.append((time.monotonic() - started) * 1000)
    times = sorted(times[100:])
    show("check of one number, ms p50", statistics.median(times), 10)
    show("check of one number, ms p99", times[int(len(times) * 0.99)], 10)
    many = []
    for _ in range(5):
        started = time.monotonic()
        answer = manager.post("/v1/dnc/check", {"phoneNumbers": numbers[:10_000]})
        many.append((time.monotonic() - started) * 1000)
        assert answer.status == 200
    show("check of 10,000 numbers, ms (median of 5)", statistics.median(many), 500)


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "worker":
        work(*sys.argv[2:])
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 1_000_000)
