"""How fast does the CRM sync pull, push and find nothing to do?

    bin/venv requirements-dev.txt
    .venv/bin/python -m benchmarks.crm_sync engine [--records 10000]
    .venv/bin/python -m benchmarks.crm_sync vendors [--records 10000] [--vendors hubspot salesforce zoho pipedrive]
    .venv/bin/python -m benchmarks.crm_sync links [--links 1000000]

Runs on the servers of DATABASE_URL and REDIS_URL and leaves its organizations there. `engine` and `links` sync with the
tests' reference provider, in this process's memory and without limits, so that the engine alone is measured. `vendors`
syncs over HTTP with each vendor's fake, in a process of its own, which holds callers to the vendor's published limits.
"""

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
# Where the fakes listen, and may be called.
PORTS = {"hubspot": 9171, "salesforce": 9172, "zoho": 9173, "pipedrive": 9174}
os.environ["OUTBOUND_TRUSTED"] = ",".join(f"127.0.0.1:{port}" for port in PORTS.values())

import django

django.setup()

import httpx
from django.db import connection
from django.utils import timezone

import crm_sync.providers

crm_sync.providers.__path__.append(str(PROJECT / "tests" / "crm_sync" / "reference"))

from crm_sync.providers.memory import MAPPING, SERVERS, Memory, Server

from contacts.models import Contact
from crm_sync.models import CrmCursor, CrmIntegration, CrmSyncRun
from crm_sync.models.integrations import providers
from crm_sync.providers.values import Credential, Kind, ObjectType, Operation
from crm_sync.services.connections import check_connection
from crm_sync.services.credentials import store_credential
from crm_sync.services.engine import run_sync
from crm_sync.services.runs import start_sync
from tests.crm_sync.vendor_accounts import APP, VendorAccount
from tests.factories import make_organization, unique
from vocelio.jobs.models import JobStatus
from vocelio.organizations.scope import organization_scope

FILL = """
INSERT INTO contacts (id, organization_id, first_name, last_name, email, phone, phone_extension, company, title, address,
    city, state, zip, country, tags, custom_fields, status, source, notes, private_notes, contact_count, created_at, updated_at)
SELECT uuid7(), %(organization)s, 'P' || n, 'L' || n, 'p' || n || '@example.test', NULL, '', 'Acme', '', '', 'Rome', '', '',
    '', '{}', '{}', 'active', 'benchmark', '', '', 0, now() - %(age)s::interval, now() - %(age)s::interval
FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""
LINK = """
INSERT INTO crm_record_links (id, organization_id, integration_id, kind, contact_id, remote_id, state, local_base,
    remote_base, local_version, remote_version, is_due, has_conflict, attempts, code, reason, field)
SELECT uuid7(), organization_id, %(integration)s, 'contacts', id, 'r' || substr(first_name, 2), 'linked',
    jsonb_build_object('firstName', first_name, 'lastName', last_name, 'email', email, 'phone', null, 'company', 'Acme',
        'city', 'Rome', 'tags', null, 'doNotCall', false, 'emailOptOut', false),
    jsonb_build_object('firstName', first_name, 'lastName', last_name, 'email', email, 'phone', null, 'company', 'Acme',
        'city', 'Rome', 'tags', null, 'doNotCall', false, 'emailOptOut', false),
    updated_at, '', false, false, 0, '', '', '' FROM contacts WHERE organization_id = %(organization)s
"""


def connect(page: int, batch: int) -> tuple[CrmIntegration, Server]:
    name = unique("server")
    server = SERVERS[name] = Server(page_size=page)
    sizes = dict.fromkeys(Operation, batch)
    Memory.types = {
        Kind.CONTACTS: ObjectType(Kind.CONTACTS, "person", page, batch, sizes, MAPPING, overlap=0.0, tells_gone=True)
    }
    organization = make_organization()
    with organization_scope(organization.id):
        integration = CrmIntegration.objects.create(crm_type="memory", name=name)
        store_credential(integration, Credential(name, "https://api.memory.test"))
    return check_connection(integration), server


def sync(integration: CrmIntegration, **options: bool) -> tuple[float, CrmSyncRun]:
    """Run a sync to its end, its waits for the vendor included."""
    with organization_scope(integration.organization_id):
        integration.refresh_from_db()
        run = start_sync(integration=integration, **options)
    started = time.perf_counter()
    while run.status in (JobStatus.PENDING, JobStatus.PROCESSING):
        run_sync(run)
        with organization_scope(integration.organization_id):
            run.refresh_from_db()
        if run.parked_until is not None and run.status == JobStatus.PENDING:
            time.sleep(max(0.0, (run.parked_until - timezone.now()).total_seconds()))
    seconds = time.perf_counter() - started
    assert run.status == JobStatus.COMPLETED, (run.status, run.error_code, run.error_message)
    return seconds, run


def tell(name: str, seconds: float, goal: float, note: str = "") -> None:
    load = os.getloadavg()[0]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    verdict = f"goal {goal:g} s, ratio {goal / seconds:.1f}"
    cpu = time.process_time()
    print(f"{name}: {seconds:.2f} s ({verdict}), {memory} MB, {cpu:.0f} s of processor so far, load {load:.1f} {note}")


def fill(integration: CrmIntegration, first: int, last: int, age: str = "0") -> None:
    values = {"organization": integration.organization_id, "first": first, "last": last, "age": age}
    with organization_scope(integration.organization_id), connection.cursor() as cursor:
        cursor.execute(FILL, values)


def pull_and_push(records: int, page: int, batch: int) -> None:
    integration, server = connect(page, batch)
    for number in range(records):
        server.add(
            first=f"F{number}", last=f"L{number}", mail=f"f{number}@example.test", tel=f"+1212555{number:04d}"[:12],
            org="Acme", town="Rome", labels=["a", "b"],
        )  # fmt: skip
    seconds, _ = sync(integration)
    tell(f"pull {records} new records, pages of {page}", seconds, 15)
    for remote_id in list(server.records)[:records]:
        server.edit(remote_id, town="Milan")
    seconds, run = sync(integration, confirm_mass_change=True)
    tell(f"pull {records} changed records", seconds, 15, f"({run.contacts_updated} updated)")
    seconds, _ = sync(integration)
    tell("then nothing to do", seconds, 5)
    fill(integration, 1, records)
    seconds, run = sync(integration)
    tell(f"push {records} new records, batches of {batch}", seconds, 15, f"({run.contacts_added} added)")
    with organization_scope(integration.organization_id), connection.cursor() as cursor:
        cursor.execute("UPDATE contacts SET city = 'Turin' WHERE source = 'benchmark'")
    seconds, run = sync(integration)
    tell(f"push {records} changed records", seconds, 15, f"({run.contacts_updated} updated)")


def incremental(links: int) -> None:
    integration, server = connect(100, 100)
    started = time.perf_counter()
    for first in range(1, links + 1, 100_000):
        fill(integration, first, min(first + 99_999, links), "2 hours")
    with organization_scope(integration.organization_id), connection.cursor() as cursor:
        cursor.execute(LINK, {"organization": integration.organization_id, "integration": integration.pk})
        cursor.execute("SELECT now() - interval '1 hour'")
        since = cursor.fetchone()[0]
        for stream in ("changes", "gone", "local", "ids"):
            CrmCursor.objects.create(integration=integration, kind="contacts", stream=stream, since=since)
    print(f"{links} links filled in {time.perf_counter() - started:.0f} s")
    for number in range(1, 101):
        values = {"first": f"P{number}", "last": f"L{number}", "mail": f"p{number}@example.test", "org": "Acme"}
        server.number = number - 1
        server.add(**values, town="Milan")
    with organization_scope(integration.organization_id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts SET city = 'Turin' WHERE organization_id = %s AND first_name = ANY(%s)",
            [integration.organization_id, [f"P{number}" for number in range(201, 301)]],
        )
    for number in range(201, 301):
        server.number = number - 1
        server.add(first=f"P{number}", last=f"L{number}", mail=f"p{number}@example.test", org="Acme", town="Rome")
        server.records[f"r{number}"].changed_at = since.replace(year=2020)
    seconds, run = sync(integration)
    tell(f"{links} links, 100 changes there and 100 here", seconds, 5, f"({run.contacts_updated} updated)")


def vendor(slug: str, records: int) -> None:
    """Pull and push with a vendor's fake that holds us to the vendor's limits."""
    port = PORTS[slug]
    program = [sys.executable, "-m", f"tests.crm_sync.fakes.{slug}", "--limits", "--port", str(port)]
    fake = subprocess.Popen([*program, "--people", str(records)], cwd=PROJECT, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        pull_and_push_over_http(slug, f"http://127.0.0.1:{port}", records)
    finally:
        fake.terminate()
        fake.wait()


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("The fake does not listen.")


@dataclass
class Elsewhere:
    """What VendorAccount needs to know of a fake in another process."""

    url: str


def pull_and_push_over_http(slug: str, url: str, records: int) -> None:
    provider = providers()[slug]
    organization = make_organization()
    with httpx.Client(timeout=60) as client:
        account = VendorAccount(provider, Elsewhere(url), client)  # type: ignore[arg-type]
    with organization_scope(organization.id):
        integration = CrmIntegration.objects.create(crm_type=slug, name=unique(slug), endpoint_url=url)
        store_credential(integration, account.credential, app=APP)
    integration = check_connection(integration)
    seconds, run = sync(integration)
    tell(f"{slug}: pull {records} new records", seconds, 120, f"({run.contacts_added} added)")
    last_name = {"pipedrive": "name"}.get(slug, account.name("lastName"))
    httpx.post(f"{url}/_fake/edit_all", content=json.dumps({"values": {last_name: "Renamed There"}}), timeout=60)
    seconds, run = sync(integration, confirm_mass_change=True)
    tell(f"{slug}: pull {records} changed records", seconds, 120, f"({run.contacts_updated} updated)")
    pushed = records
    if provider.types[Kind.CONTACTS].batch[Operation.CREATE] == 1:
        # No batches: what a day's budget allows is a matter of arithmetic, and so is how long it takes.
        cost = provider.cost(Kind.CONTACTS, Operation.UPDATE, records)
        pushed = min(records, 200)
        print(f"{slug}: {records} changes would cost {cost}, said before a push; {pushed} are pushed here")
    with organization_scope(organization.id):
        ids = Contact.objects.order_by("id").values("pk")[:pushed]
        Contact.objects.filter(pk__in=ids).update(last_name="Renamed Here")
    seconds, run = sync(integration)
    tell(f"{slug}: push {pushed} changed records", seconds, 120, f"({run.contacts_updated} updated)")
    with organization_scope(organization.id):
        integration.refresh_from_db()
    fill(integration, 1, pushed)
    seconds, run = sync(integration)
    tell(f"{slug}: push {pushed} new records", seconds, 120, f"({run.contacts_added} added)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["engine", "vendors", "links"])
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--vendors", nargs="+", choices=list(PORTS), default=list(PORTS))
    options = parser.parse_args()
    match options.what:
        case "engine":
            pull_and_push(options.records, page=100, batch=100)
        case "vendors":
            for slug in options.vendors:
                vendor(slug, options.records)
        case "links":
            incremental(options.links)
