"""How fast is a batch queued, and how fast do messages go out, by mail and by WhatsApp?

    .venv/bin/python -m benchmarks.comms [--contacts 100000] [--messages 10000] [--workers 2]

Needs DATABASE_URL and the rest of the environment, migrated, and no other worker on that database; makes an
organization of its own and leaves it there. Mails go to an SMTP server that throws them away, WhatsApp messages to a fake of the Cloud API, each a process of its
own on this machine; each account is sent by a worker process of its own, through the same code as in production: claim
with consent, DNC and caps, render, note the attempt, hand over, note the answer. Calling hours are taken as open.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")

CODE = "346"
QUEUE_SECONDS, A_SECOND = 20, 1_000
PEOPLE = """
INSERT INTO contacts (organization_id, id, first_name, last_name, email, phone, source, status, private_notes,
    contact_count, tags, custom_fields, notes, phone_extension, company, title, address, city, state, zip, country)
SELECT %(organization)s, uuid7(), 'Ada', 'Number ' || n, 'ada' || n || '@example.test', %(start)s || to_char(n, 'FM000000'),
    '', 'active', '', 0, %(tags)s, '{}', '', '', 'Company ' || n %% 100, '', '', '', '', '', ''
FROM generate_series(%(from)s::int, %(to)s::int) AS n
"""
CONSENTS = """
INSERT INTO dnc_permissions (organization_id, id, number, kind, occurred_on, channel, purpose, person, reference)
SELECT %(organization)s, uuid7(), substr(phone, 2)::bigint, 'consent', current_date - 3, 'whatsapp', '', '', 'form'
FROM contacts WHERE organization_id = %(organization)s AND tags && %(tags)s
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=10_000, help="of each medium")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    django.setup()
    from tests.dnc.registries import forget, load_lines, subscribe
    from tests.factories import make_organization, make_person

    person = make_person(make_organization(name=f"Benchmark {uuid.uuid4().hex[:8]}"))
    # A file that was loaded before is not loaded again, and ours was forgotten since.
    load = load_lines(forget(CODE), [9_000_000 + int(time.time()) % 999_999])
    assert load.status == "completed", load.error_message
    subscribe(person)
    fill(person, 1, options.contacts, "all")
    with servers() as (smtp, cloud):
        queue(person, options.contacts, smtp)
        for medium, port in (("email", smtp), ("whatsapp", cloud)):
            send(person, medium, port, options.messages, options.workers, options.contacts)


def fill(person: Any, first: int, last: int, tag: str) -> None:
    from django.db import connection

    from vocelio.organizations.scope import organization_scope

    values = {"organization": person.organization.id, "start": f"+1{CODE}2", "tags": [tag]}
    for start in range(first, last + 1, 20_000):
        with organization_scope(person.organization.id), connection.cursor() as cursor:
            cursor.execute(PEOPLE, {**values, "from": start, "to": min(start + 19_999, last)})


def account(person: Any, medium: str, port: int) -> str:
    common = {"name": f"{medium} {uuid.uuid4().hex[:6]}"}
    if medium == "email":
        settings = {"host": "127.0.0.1", "port": str(port), "security": "none", "fromEmail": "sales@example.test"}
        body = {**common, "provider": "smtp", "settings": settings}
    else:
        settings = {"phoneNumberId": "1", "businessAccountId": "2", "apiUrl": f"http://127.0.0.1:{port}"}
        secrets = {"accessToken": "x", "appSecret": "y"}
        body = {**common, "provider": "whatsapp", "settings": settings, "secrets": secrets}
    os.environ["OUTBOUND_TRUSTED"] = f"127.0.0.1:{port}"
    from django.conf import settings as django_settings

    django_settings.OUTBOUND_TRUSTED = [f"127.0.0.1:{port}"]
    answer = person.post("/v1/communications/accounts", body)
    assert answer.status == 201, answer
    return str(answer.data["id"])


def template(person: Any, medium: str, account_id: str) -> str:
    from comms.models import ChannelAccount
    from comms.services.templates import store_remote
    from vocelio.organizations.scope import organization_scope

    if medium == "email":
        body = {
            "name": uuid.uuid4().hex[:8], "channel": "email", "subject": "{{first_name|there}}, a word from {{organization.name}}",
            "bodyText": "Dear {{first_name|there}},\n\nwhat does {{company|your company}} need?\n\n{{sender.name}}",
            "bodyHtml": "<p>Dear {{first_name|there}},</p><p>what does <b>{{company|your company}}</b> need?</p>",
        }  # fmt: skip
        answer = person.post("/v1/communications/templates", body)
        assert answer.status == 201, answer
        return str(answer.data["id"])
    from comms.channels.values import RemoteTemplate

    name = f"hello_{uuid.uuid4().hex[:6]}"
    with organization_scope(person.organization.id):
        store_remote(
            ChannelAccount.objects.get(pk=account_id),
            RemoteTemplate("1", name, "en_US", "utility", "approved", "Dear {{1}}, what does {{2}} need?"),
        )
    rows = person.get("/v1/communications/templates?channel=whatsapp&limit=200").data
    found = next(row["id"] for row in rows if row["remoteName"] == name)
    values = {"parameters": ["{{first_name|there}}", "{{company|your company}}"]}
    assert person.put(f"/v1/communications/templates/{found}", values).status == 200
    return str(found)


def start(person: Any, tag: str, account_id: str, template_id: str, **fields: Any) -> str:
    body = {"filter": {"tags": tag}, "templateId": template_id, "accountId": account_id, "inWindow": False, **fields}
    answer = person.post("/v1/communications", body)
    assert answer.status == 202, answer
    return str(answer.data["id"])


def queue(person: Any, contacts: int, port: int) -> None:
    """From the request to the last message queued, by the job."""
    from tests.factories import run_jobs

    account_id = account(person, "email", port)
    template_id = template(person, "email", account_id)
    began, processor = time.monotonic(), time.process_time()
    batch_id = start(person, "all", account_id, template_id, scheduledAt="2099-01-01T09:00:00Z")
    run_jobs(person.organization)
    seconds, processor = time.monotonic() - began, time.process_time() - processor
    shown = person.get(f"/v1/communications/batches/{batch_id}").data
    assert shown["queued"] == contacts, shown
    goal = QUEUE_SECONDS * contacts / 100_000
    figure(f"queue {contacts:,} messages, s", seconds, goal, f"own processor time {processor:.1f} s")
    person.post(f"/v1/communications/batches/{batch_id}/cancel")
    run_jobs(person.organization)


def send(person: Any, medium: str, port: int, messages: int, workers: int, taken: int) -> None:
    """Queue a share for each worker's account, then let all send at once."""
    from django.db import connection

    from tests.factories import run_jobs
    from vocelio.organizations.scope import organization_scope

    accounts, first = [], taken + 1 + (messages if medium == "whatsapp" else 0)
    for number in range(workers):
        tag = f"{medium}{number}"
        fill(person, first, first + messages // workers - 1, tag)
        first += messages // workers
        if medium == "whatsapp":
            with organization_scope(person.organization.id), connection.cursor() as cursor:
                cursor.execute(CONSENTS, {"organization": person.organization.id, "tags": [tag]})
        account_id = account(person, medium, port)
        start(person, tag, account_id, template(person, medium, account_id))
        accounts.append(account_id)
    run_jobs(person.organization)
    command = [sys.executable, "-m", "benchmarks.comms", "worker", str(person.organization.id)]
    running = [
        subprocess.Popen([*command, each], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for each in accounts
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdin is not None
        assert each.stdout.readline().strip() == "ready"
    began = time.monotonic()
    for each in running:
        each.stdin.write("go\n")  # type: ignore[union-attr]
        each.stdin.flush()  # type: ignore[union-attr]
    done = [json.loads(each.stdout.readline()) for each in running]  # type: ignore[union-attr]
    seconds = time.monotonic() - began
    for each in running:
        each.wait()
    sent = sum(each["sent"] for each in done)
    assert sent == messages // workers * workers, done
    processor = sum(each["processor"] for each in done)
    figure(f"{medium}: messages/s, {workers} workers", sent / seconds, A_SECOND, f"workers' processor time {1e3 * processor / sent:.2f} ms a message")  # fmt: skip


def worker(organization_id: str, account_id: str) -> None:
    django.setup()
    from comms.services import outbox
    from dnc.rules import hours

    def open_window(area: Any, at: Any) -> Any:
        return hours.Window(True, at, at, (), "")

    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    with patch("dnc.services.decision.calling_window", open_window):
        sent = outbox.send_account(uuid.UUID(organization_id), uuid.UUID(account_id), seconds=600)
    print(json.dumps({"sent": sent, "processor": time.process_time() - began}), flush=True)


@contextmanager
def servers() -> Iterator[tuple[int, int]]:
    """Start the two servers; yield their ports."""
    command = [sys.executable, "-m", "benchmarks.comms", "sink"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    smtp, cloud = map(int, process.stdout.readline().split())
    try:
        yield smtp, cloud
    finally:
        process.terminate()
        process.wait()


class Mail(asyncio.Protocol):
    """Takes every mail and forgets it."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.buffer, self.is_data = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = b"\r\n.\r\n" if self.is_data else b"\r\n"
            line, found, rest = self.buffer.partition(end)
            if not found:
                return
            self.buffer = rest
            if self.is_data:
                self.is_data = False
                self.transport.write(b"250 taken\r\n")
            elif line[:4].upper() == b"DATA":
                self.is_data = True
                self.transport.write(b"354 go on\r\n")
            elif line[:4].upper() == b"QUIT":
                self.transport.write(b"221 bye\r\n")
                self.transport.close()
            else:
                self.transport.write(b"250 OK\r\n")


class Cloud(asyncio.Protocol):
    """Answers every POST as the Cloud API answers a message it took."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.buffer, self.number = transport, b"", 0

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            body = b'{"messaging_product":"whatsapp","messages":[{"id":"wamid.%s"}]}' % uuid.uuid4().hex.encode()
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
            self.transport.write(head + body)


async def sink() -> None:
    loop = asyncio.get_running_loop()
    opened = [await loop.create_server(kind, "127.0.0.1", 0) for kind in (Mail, Cloud)]
    print(*(server.sockets[0].getsockname()[1] for server in opened), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in opened))


def figure(name: str, measured: float, goal: float, note: str) -> None:
    load = os.getloadavg()[0]
    print(f"{name}: {measured:,.1f} (goal {goal:,.0f}, ratio {measured / goal:.2f}, load average {load:.1f}; {note})", flush=True)  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        worker(*sys.argv[2:])
    elif sys.argv[1:2] == ["sink"]:
        asyncio.run(sink())
    else:
        main()
