"""Imports end to end through the job, against their limits: python -m benchmarks.imports [ROWS].

Uses the database of DATABASE_URL (migrated), makes organizations of its own and leaves them there. Each import runs in
a process of its own, whose peak of memory is the figure. requirements-bench.txt has the peers.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import phonenumbers
import psycopg
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
EXISTING = 100_000
SMALL = 50_000


def main(rows: int) -> None:
    from benchmarks.contact_files import write_csv, write_xlsx

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        small, large, workbook = path / "small.csv", path / "large.csv", path / "contacts.xlsx"
        figures = {}
        expected = write_csv(small, SMALL, existing=EXISTING)
        figures["small"] = measure(small, expected)
        show(f"CSV, {SMALL:,} rows", figures["small"]["rate"], 15_000)
        expected = write_csv(large, rows, existing=EXISTING)
        figures["large"] = measure(large, expected)
        show(f"CSV, {rows:,} rows", figures["large"]["rate"], 15_000)
        expected = write_xlsx(workbook, min(rows, 100_000), existing=EXISTING)
        figures["xlsx"] = measure(workbook, expected)
        show(f"XLSX, {min(rows, 100_000):,} rows", figures["xlsx"]["rate"], 8_000)
        for name, peak in ((name, figure["peak"]) for name, figure in figures.items()):
            print(f"worker's peak of memory, {name}: {peak} MB (limit 512)")
        for name, peer, goal in (
            ("csv + phonenumbers + bulk_create", import_by_bulk_create, 6),
            ("django-import-export 4.4.3, use_bulk, skip_diff", import_by_import_export, 20),
        ):
            seconds = timed_peer(peer, small)
            ratio = seconds * figures["small"]["rate"] / SMALL
            print(f"{name}: {SMALL / seconds:,.0f} rows/s; ours is {ratio:.1f} times as fast (goal {goal})")


def show(name: str, rate: float, goal: int) -> None:
    print(f"{name}: {rate:,.0f} rows/s, {rate / goal:.2f} of the goal of {goal:,}", flush=True)


def prepare() -> Any:
    """Make an organization with contacts in it and return one of its managers."""
    from benchmarks.contact_files import existing_phones
    from contacts.incoming import Incoming, Options
    from contacts.models import ContactImport
    from contacts.services.import_chunks import CONTACTS, prepare_contacts
    from contacts.services.import_plans import merge_chunk
    from tests.factories import make_organization, make_person
    from vocelio.organizations.scope import organization_scope

    manager = make_person(make_organization(), "manager")
    phones = existing_phones(EXISTING)
    for start in range(0, EXISTING, 10_000):
        contacts = [Incoming(0, phone, "", "", {}, [], {}) for phone in phones[start : start + 10_000]]
        with organization_scope(manager.organization.id):
            job = ContactImport(filename="existing", file="existing", file_size=1)
            merge_chunk(CONTACTS, job, prepare_contacts(contacts, Options()), Options())
    # What autovacuum does within a minute. Without it the peers' look-ups read the whole organization each time.
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as owner:
        owner.execute("ANALYZE contacts")
    return manager


def measure(path: Path, expected: Any) -> dict[str, float]:
    """Upload a file through the API, run its job in a new process, check the counts, return rate and peak."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    manager = prepare()
    form = {"file": SimpleUploadedFile(path.name, path.read_bytes()), "listName": "Imported"}
    job_id = manager.post("/v1/uploads/contacts", form).data["jobId"]
    command = [sys.executable, "-m", "benchmarks.imports", "worker", str(manager.organization.id), job_id]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    results = manager.get(f"/v1/uploads/contacts/{job_id}").data["results"]
    counted = [results[name] for name in ("totalRows", "imported", "duplicates", "invalidContacts")]
    assert counted == [expected.total, expected.imported, expected.duplicates, expected.invalid], (results, expected)
    return figures | {"rate": expected.total / figures["seconds"]}


def work(organization_id: str, job_id: str) -> None:
    """Run one job as a worker does and print what it took."""
    from contacts.tasks import run_import

    started = time.monotonic()
    run_import(organization_id=organization_id, job_id=job_id)
    seconds = time.monotonic() - started
    # Not ru_maxrss, which begins with the size of the process that started this one.
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(json.dumps({"seconds": seconds, "peak": int(peak[1]) // 1024 if peak else 0}))


def timed_peer(peer: Callable[[Path], None], path: Path) -> float:
    from vocelio.organizations.scope import organization_scope

    manager = prepare()
    started = time.monotonic()
    with organization_scope(manager.organization.id):
        peer(path)
    return time.monotonic() - started


def e164(text: str) -> str | None:
    """Return what phonenumbers alone makes of a cell."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def import_by_bulk_create(path: Path) -> None:
    """What a careful Django programmer writes first."""
    from contacts.models import Contact

    columns = ("first_name", "last_name", "email", "company", "title", "address", "city", "state", "zip")
    with path.open(newline="", encoding="utf-8") as file:
        contacts = [
            Contact(phone=phone, **{column: row[column] for column in columns})
            for row in csv.DictReader(file)
            if (phone := e164(row["phone"]))
        ]
    Contact.objects.bulk_create(contacts, batch_size=1_000, ignore_conflicts=True)


def import_by_import_export(path: Path) -> None:
    """The usual package with its fastest settings."""
    import tablib
    from import_export import resources

    from contacts.models import Contact

    class ContactResource(resources.ModelResource):
        seen: set[str] = set()

        class Meta:
            model = Contact
            fields = (
                "first_name",
                "last_name",
                "phone",
                "email",
                "company",
                "title",
                "address",
                "city",
                "state",
                "zip",
            )
            import_id_fields = ("phone",)
            use_bulk = skip_diff = skip_unchanged = True
            batch_size = 1_000
            use_transactions = False

        def before_import_row(self, row: Any, **kwargs: Any) -> None:
            row["phone"] = e164(row["phone"])

        def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
            if not row["phone"] or not instance._state.adding or row["phone"] in self.seen:
                return True
            self.seen.add(row["phone"])
            return False

    rows = tablib.Dataset().load(path.read_text(encoding="utf-8"), format="csv")
    result = ContactResource().import_data(rows, raise_errors=True)
    assert not result.has_errors()


if __name__ == "__main__":
    django.setup()
    if sys.argv[1:2] == ["worker"]:
        work(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
