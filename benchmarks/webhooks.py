"""How fast events become deliveries and leave: one organization, one endpoint on loopback.

    .venv/bin/python -m benchmarks.webhooks --events 500

Makes an organization of its own and leaves it there. Needs DATABASE_URL and the rest of the environment, migrated.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
django.setup()

from django.conf import settings

from contacts.services.contacts import create_contact
from tests.factories import make_organization, make_person, phone_number
from vocelio.access.principal import principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.organizations.scope import organization_scope
from vocelio.webhooks.services.endpoints import create_endpoint
from vocelio.webhooks.services.fan_out import fan_out
from vocelio.webhooks.services.sending import send_deliveries


class Receiver(BaseHTTPRequestHandler):
    """Takes everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500)
    events = parser.parse_args().events
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.OUTBOUND_TRUSTED = [f"127.0.0.1:{server.server_port}"]
    person = make_person(make_organization())
    organization_id = person.organization.pk
    principal = principal_of_member(person.user.pk, organization_id)
    assert principal is not None
    with acting(Actor(user_id=person.user.pk, door="api")):
        with organization_scope(organization_id):
            endpoint = create_endpoint(url=f"http://127.0.0.1:{server.server_port}/", events=["*"])
        for number in range(events):
            with organization_scope(organization_id):
                create_contact(principal=principal, first_name=f"Ada {number}", phone=phone_number(number))
    print(f"load {os.getloadavg()[0]:.1f}, {events} contacts made, one event each")
    tell("told", lambda: fan_out(organization_id))
    tell("delivered", lambda: send_deliveries(organization_id, endpoint.pk, seconds=60))
    server.shutdown()


def tell(what: str, work: Callable[[], int]) -> None:
    """Print how many a second, and how much of one processor it took."""
    began, spent = time.perf_counter(), time.process_time()
    number = work()
    took, spent = time.perf_counter() - began, time.process_time() - spent
    print(
        f"{number} {what} in {took:.1f} s: {number / took:.0f} a second, {spent * 1000 / max(1, number):.1f} ms of processor each"
    )


if __name__ == "__main__":
    main()
