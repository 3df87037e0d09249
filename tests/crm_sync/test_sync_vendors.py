"""The engine with each vendor's adapter, over HTTP, against a fake that behaves like the vendor."""

from collections.abc import Callable
from typing import Any

import pytest

from contacts.models import Client, Contact
from contacts.signals import opted_out
from crm_sync.models import CrmIntegration
from crm_sync.providers.values import Kind
from crm_sync.services.connections import connect
from tests.crm_sync.conftest import Bench
from tests.crm_sync.vendor_accounts import APP, PROVIDERS, VendorAccount
from tests.factories import Person, phone_number, run_jobs, unique
from vocelio.audit.models import AuditEntry
from vocelio.organizations.scope import organization_scope


class VendorBench(Bench):
    """A connection to a fake vendor."""

    account: VendorAccount

    def value(self, remote_id: str, ours: str) -> Any:
        """Return a field of the vendor's record as its adapter reads it."""
        self.account.credential = self.account.connect()
        found = self.account.provider.fetch(
            self.account.open(), Kind.CONTACTS, ids=[remote_id], names=self.account.names()
        )
        return found.records[0].values[self.account.name(ours)] if found.records else None

    def remote_ids(self) -> list[str]:
        return [record.id for record in self.account.fake.live()]


@pytest.fixture(params=sorted(PROVIDERS))
def crm(
    request: pytest.FixtureRequest, admin: Person, vendor: Callable[..., VendorAccount], settings: Any
) -> VendorBench:
    return connect_vendor(admin, vendor(request.param))


def connect_vendor(admin: Person, account: VendorAccount) -> VendorBench:
    """Connect the person's organization to a fake vendor."""
    slug = account.provider.slug
    answer = admin.post(
        "/v1/crm-integrations",
        {"crmType": slug, "name": unique("crm"), "endpointUrl": account.fake.url, "options": account.options},
    )
    assert answer.status == 201, answer
    with organization_scope(admin.organization.id):
        integration = CrmIntegration.objects.get(pk=answer.data["id"])
        connect(integration, account.credential, app=APP)
    run_jobs(admin.organization)
    bench = VendorBench(admin, account.fake, answer.data["id"])
    bench.account = account
    shown = bench.show()
    assert (shown["status"], shown["statusMessage"]) == ("connected", "")
    return bench


def test_both_sides_come_in_step_and_stay_still(crm):
    crm.account.fake.add_people(7)
    for number in range(5):
        crm.contact(firstName=f"Ours{number}", lastName="Here", email=f"o{number}@ours.example", phone=phone_number())
    run = crm.sync()
    assert (run["status"], run["contactsAdded"], run["errorCount"]) == ("success", 12, 0), crm.items(
        run, outcome="failed"
    )
    assert (len(crm.contacts()), len(crm.remote_ids())) == (12, 12)
    writes = sum(crm.account.fake.writes.values())
    for _ in range(2):
        again = crm.sync()
        assert again["contactsProcessed"] == again["contactsSkipped"]
    assert sum(crm.account.fake.writes.values()) == writes == 5


def test_one_edit_here_is_one_write_there(crm):
    crm.account.fake.add_people(2)
    crm.sync()
    contact = crm.contacts()[0]
    crm.edit(str(contact.pk), firstName="Augusta")
    before = sum(crm.account.fake.writes.values())
    for _ in range(5):
        crm.sync()
    assert sum(crm.account.fake.writes.values()) - before == 1
    link = next(each for each in crm.links() if each.contact_id == contact.pk)
    assert crm.value(link.remote_id, "firstName") == "Augusta"


def test_deletions_there_are_followed_and_never_come_back(crm):
    crm.account.fake.add_people(4)
    crm.sync()
    gone = crm.remote_ids()[0]
    crm.account.fake.delete(gone)
    crm.sync(fullSync=True)
    assert len(crm.contacts()) == 3
    crm.sync()
    assert (len(crm.contacts()), len(crm.remote_ids())) == (3, 3)


def test_merges_there_leave_one_contact_here(crm):
    crm.account.fake.add_people(3)
    crm.sync()
    loser, winner, _ = crm.remote_ids()
    crm.account.fake.merge(loser, winner)
    crm.sync(fullSync=True)
    assert len(crm.contacts()) == len(crm.remote_ids()) == 2


def test_a_create_whose_answer_was_lost_is_made_once(crm):
    crm.contact(firstName="Ada", lastName="Lovelace", email="ada@ours.example", phone=phone_number())
    for write in ("batch_upsert", "add_record", "upsert_records"):
        crm.account.fake.drop(operation=write, after=True)
    run = crm.sync()
    for _ in range(3):
        if run["status"] != "running":
            break
        # The vendor's search lags: the run waits and asks again.
        crm.account.fake.advance(120)
        run_jobs(crm.person.organization)
        run = crm.run(run["id"])
    assert run["status"] == "success"
    assert (len(crm.remote_ids()), len(crm.contacts()), crm.account.fake.creates) == (1, 1, 1)
    with organization_scope(crm.person.organization.id):
        assert Contact.objects.count() == 1


def test_who_says_no_here_is_unsubscribed_there_once(crm):
    crm.account.fake.add_people(2)
    crm.sync()
    contact = crm.contacts()[0]
    with organization_scope(crm.person.organization.id):
        opted_out.send(
            sender=None, organization_id=crm.person.organization.id, phone_numbers=[], emails=[contact.email],
            channel="email", source="page", reason="Asked", user_id=None,
        )  # fmt: skip
    run = crm.sync()
    assert (run["status"], run["contactsUpdated"]) == ("success", 1), crm.items(run, outcome="failed")
    link = next(each for each in crm.links() if each.contact_id == contact.pk)
    assert crm.value(link.remote_id, "emailOptOut") is True
    writes = sum(crm.account.fake.writes.values())
    for _ in range(2):
        crm.sync()
    assert sum(crm.account.fake.writes.values()) == writes


def test_companies_and_clients_come_in_step_and_stay_still(crm):
    answer = crm.person.put(crm.path, {"syncSettings": {"companies": True}})
    assert answer.status == 200, answer
    fake = crm.account.fake
    fake.add_people(3, "companies")
    for number in range(2):
        made = crm.person.post("/v1/clients", {"name": f"Ours {number}", "website": f"https://ours{number}.test"})
        assert made.status == 201, made
    run = crm.sync()
    assert (run["status"], run["contactsAdded"], run["errorCount"]) == ("success", 5, 0), crm.items(
        run, outcome="failed"
    )
    with organization_scope(crm.person.organization.id):
        clients = {each.name: each for each in Client.objects.alive()}
    assert (len(clients), len(fake.live("companies"))) == (5, 5)
    answer = crm.person.patch(f"/v1/clients/{clients['Company 1'].pk}", {"name": "Company One"})
    assert answer.status == 200, answer
    before = sum(fake.writes.values())
    for _ in range(3):
        crm.sync()
    assert sum(fake.writes.values()) - before == 1
    name = crm.account.name("name", Kind.COMPANIES)
    assert "Company One" in {record.values.get(name) for record in fake.live("companies")}


def departed(crm):
    with organization_scope(crm.person.organization.id):
        return AuditEntry.objects.get(action="crm_integration.departed").details


def test_a_deleted_connection_gives_its_grant_back(crm):
    assert crm.account.fake.grants
    assert crm.person.delete(crm.path).status == 200
    assert crm.account.fake.grants == {}
    assert departed(crm)["grant"] == "revoked"


def test_a_vendor_that_does_not_answer_keeps_no_connection_from_being_deleted(crm):
    crm.account.fake.fail(503, operation="revoke_token")
    assert crm.person.delete(crm.path).status == 200
    assert crm.person.get(crm.path).status == 404
    assert departed(crm)["grant"] == "HTTP_503"
