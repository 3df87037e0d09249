"""An organization connected to a CRM in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import crm_sync.providers
from contacts.models import Contact
from crm_sync.models import CrmCredential, CrmCursor, CrmIntegration, CrmLink, CrmSyncItem
from tests.factories import Person, run_jobs, unique
from vocelio.organizations.scope import organization_scope

# A file dropped in the folder is a provider; the test's own lies beside it. Before anything asks which there are.
crm_sync.providers.__path__.append(str(Path(__file__).parent / "reference"))

from crm_sync.providers import memory  # noqa: E402 - from the folder just added
from tests.crm_sync.vendor_fixtures import clients, start_fake, vendor  # noqa: E402 - asks which there are

__all__ = ["clients", "start_fake", "vendor"]

Server = memory.Server


@dataclass
class Bench:
    """One connection, its CRM and the person who runs it."""

    person: Person
    server: Any
    id: str

    @property
    def path(self) -> str:
        return f"/v1/crm-integrations/{self.id}"

    def sync(self, **options: Any) -> Any:
        """Run a sync to its end and return its log."""
        answer = self.person.post(f"{self.path}/sync", {"options": options})
        assert answer.status == 202, answer
        run_jobs(self.person.organization)
        return self.run(answer.data["syncJobId"])

    def run(self, run_id: str) -> Any:
        return self.person.get(f"/v1/crm-sync-runs/{run_id}").data

    def items(self, run: Any, **filters: Any) -> Any:
        query = "".join(f"&{name}={value}" for name, value in filters.items())
        return self.person.get(f"/v1/crm-sync-items?runId={run['id']}&limit=200{query}").data

    def contacts(self) -> list[Any]:
        with organization_scope(self.person.organization.id):
            return list(Contact.objects.alive().order_by("created_at", "id"))

    def links(self) -> list[CrmLink]:
        with organization_scope(self.person.organization.id):
            return list(CrmLink.objects.filter(integration_id=self.id).order_by("id"))

    def contact(self, **fields: Any) -> str:
        answer = self.person.post("/v1/contacts", fields)
        assert answer.status == 201, answer
        return str(answer.data["id"])

    def edit(self, contact_id: str, **fields: Any) -> None:
        answer = self.person.patch(f"/v1/contacts/{contact_id}", fields)
        assert answer.status == 200, answer

    def show(self) -> Any:
        return self.person.get(self.path).data

    def cursors(self) -> dict[str, Any]:
        with organization_scope(self.person.organization.id):
            rows = CrmCursor.objects.filter(integration_id=self.id)
            return dict(rows.values_list("stream", "since"))

    def count_items(self) -> int:
        with organization_scope(self.person.organization.id):
            return int(CrmSyncItem.objects.count())


def connect(person: Person, **settings: Any) -> Bench:
    """Connect the person's organization to a CRM of its own."""
    name = unique("server")
    server = memory.SERVERS[name] = Server()
    answer = person.post(
        "/v1/crm-integrations",
        {"crmType": "memory", "name": unique("CRM"), "apiKey": f"{name}#{'k' * 20}9876", **settings},
    )
    assert answer.status == 201, answer
    run_jobs(person.organization)
    with organization_scope(person.organization.id):
        assert CrmIntegration.objects.get(pk=answer.data["id"]).status == "connected"
    server.calls.clear()
    return Bench(person, server, answer.data["id"])


def webhook(
    bench: Bench,
    body: str = "r1",
    secret: str | None = None,
    number: str = "1",
    token: str | None = None,
    kind: str = "contacts",
) -> Any:
    """Call the connection as the CRM does when records have changed."""
    with organization_scope(bench.person.organization.id):
        stored_token, _, stored_secret = CrmCredential.objects.get(integration_id=bench.id).webhook_secret.partition(
            ":"
        )
    headers = {"X-Secret": stored_secret if secret is None else secret, "X-Number": number, "X-Kind": kind}
    return bench.person.client.post(
        f"/v1/webhooks/crm/{token or stored_token}", body, content_type="application/json", headers=headers
    )


@pytest.fixture
def bench(admin: Person) -> Bench:
    return connect(admin)


@pytest.fixture
def make_bench(admin: Person) -> Callable[..., Bench]:
    return lambda **settings: connect(admin, **settings)
