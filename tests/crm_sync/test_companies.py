"""Companies of the CRM and our clients are kept equal by the engine that keeps contacts equal."""

import pytest
from crm_sync.providers.memory import Memory  # type: ignore[import-not-found]

from contacts.models import Client
from crm_sync.models import CrmHint, CrmLink
from crm_sync.providers.values import Kind
from tests.crm_sync.conftest import webhook
from tests.factories import phone_number, run_jobs
from vocelio.organizations.scope import organization_scope
from vocelio.plugins import PluginError


@pytest.fixture
def bench(make_bench):
    return make_bench(syncSettings={"companies": True, "conflict": "manual"})


@pytest.fixture
def companies(bench):
    return bench.server.companies


def clients(bench):
    with organization_scope(bench.person.organization.id):
        return {each.name: each for each in Client.objects.alive()}


def make_client(bench, **fields):
    answer = bench.person.post("/v1/clients", fields)
    assert answer.status == 201, answer
    return answer.data["id"]


def links(bench):
    return {each.remote_id: each for each in bench.links() if each.kind == "companies"}


def test_companies_are_left_alone_unless_asked_for(make_bench):
    bench = make_bench()
    bench.server.companies.add(title="Acme")
    make_client(bench, name="Globex")
    bench.server.companies.calls.clear()
    bench.sync(fullSync=True)
    assert (list(clients(bench)), bench.server.companies.calls) == (["Globex"], [])


def test_a_first_sync_brings_companies_in_and_sends_clients_out(bench, companies):
    phone = phone_number()
    companies.add(title="Acme", site="acme.test", tel=phone, town="Rome")
    make_client(bench, name="Globex", website="https://globex.test", industry="Gas")
    bench.server.add(mail="a@example.test")
    run = bench.sync()
    assert (run["status"], run["contactsAdded"], run["errorCount"]) == ("success", 3, 0)
    done = run["syncDetails"]["done"]
    assert done == {
        "contacts": {"local": {"add": 1}},
        "companies": {"local": {"add": 1}, "remote": {"add": 1}},
    }
    acme = clients(bench)["Acme"]
    assert (acme.website, acme.domain, acme.phone, acme.city) == ("https://acme.test", "acme.test", phone, "Rome")
    (sent,) = (each.values for each in companies.records.values() if each.values["title"] == "Globex")
    assert (sent["site"], sent["trade"]) == ("https://globex.test", "Gas")
    # Totals are of contacts.
    assert (bench.show()["totalContacts"], len(links(bench))) == (1, 2)
    (item,) = bench.items(run, kind="companies", side="local")
    assert (item["clientId"], item["contactId"], item["kind"]) == (str(acme.pk), None, "companies")


def test_a_company_is_paired_by_domain_or_name_and_never_by_half(bench, companies):
    same_domain = make_client(bench, name="Acme Incorporated", website="https://acme.test")
    same_name = make_client(bench, name="GLOBEX")
    make_client(bench, name="Initech", website="https://initech.test")
    first = companies.add(title="Acme", site="acme.test")
    second = companies.add(title="Globex", site="globex.test")
    other = companies.add(title="Initech", site="initech.example")
    bench.sync()
    found = links(bench)
    assert [str(found[each].client_id) for each in (first, second)] == [same_domain, same_name]
    # Another company of that name: its domain says so.
    with organization_scope(bench.person.organization.id):
        assert Client.objects.alive().count() == len(companies.records) == 4
        assert Client.objects.get(pk=found[other].client_id).domain == "initech.example"


def test_edits_travel_both_ways_once(bench, companies):
    remote_id = companies.add(title="Acme", site="acme.test")
    bench.sync()
    client = clients(bench)["Acme"]
    bench.person.patch(f"/v1/clients/{client.pk}", {"industry": "Anvils"})
    companies.edit(remote_id, town="Turin")
    for _ in range(5):
        bench.sync()
    assert companies.records[remote_id].values["trade"] == "Anvils"
    assert len(companies.writes) == 1
    assert clients(bench)["Acme"].city == "Turin"


def test_a_name_that_another_client_has_is_withheld_and_said(bench, companies):
    acme = companies.add(title="Acme")
    twin = companies.add(title="ACME")
    globex = companies.add(title="Globex")
    nameless = companies.add(site="nobody.test")
    run = bench.sync()
    assert sorted(clients(bench)) == ["Acme", "Globex"]
    failed = {item["remoteId"]: item["code"] for item in bench.items(run, outcome="failed")}
    assert failed == {twin: "NAME_TAKEN", nameless: "NO_NAME"}
    letters = bench.person.get("/v1/crm-dead-letters?kind=companies").data
    assert {each["code"] for each in letters} == {"NAME_TAKEN", "NO_NAME"}
    companies.edit(globex, title="acme", town="Rome")
    bench.sync()
    assert clients(bench)["Globex"].city == "Rome"
    companies.edit(acme, title="Acme Two")
    bench.sync()
    assert sorted(clients(bench)) == ["Acme Two", "Globex"]


def test_deletions_and_merges_there_are_followed_and_can_be_rolled_back(bench, companies):
    winner = companies.add(title="Winner", town="Rome")
    loser = companies.add(title="Loser", trade="Gas")
    gone = companies.add(title="Gone")
    bench.sync()
    person = bench.contact(email="p@example.test")
    answer = bench.person.post(f"/v1/clients/{clients(bench)['Loser'].pk}/contacts", {"contactId": person})
    assert answer.status == 201, answer
    companies.delete(gone)
    companies.merge(loser, winner)
    run = bench.sync(confirmMassChange=True)
    (left,) = clients(bench).values()
    assert (left.name, left.industry) == ("Winner", "Gas")
    assert len(bench.person.get(f"/v1/clients/{left.pk}/contacts").data) == 1
    assert run["syncDetails"]["done"]["companies"]["local"]["merge"] == 1
    answer = bench.person.post(f"/v1/crm-sync-runs/{run['id']}/rollback")
    assert answer.status == 202, answer
    run_jobs(bench.person.organization)
    assert sorted(clients(bench)) == ["Gone", "Loser", "Winner"]
    assert bench.sync()["status"] == "success"
    assert len(companies.records) == 1


def test_a_deleted_client_stays_deleted_and_a_revived_company_comes_back(bench, companies):
    kept, revived = companies.add(title="Kept"), companies.add(title="Revived")
    bench.sync()
    bench.person.delete(f"/v1/clients/{clients(bench)['Kept'].pk}")
    stored = companies.records[revived]
    companies.delete(revived)
    bench.sync()
    assert (clients(bench), list(companies.records)) == ({}, [kept])
    companies.records[revived] = stored
    companies.edit(revived, town="Rome")
    companies.edit(kept, town="Rome")
    bench.sync()
    assert list(clients(bench)) == ["Revived"]


def test_a_purged_client_leaves_an_empty_tombstone(bench, companies):
    companies.add(title="Acme", town="Rome")
    bench.sync()
    with organization_scope(bench.person.organization.id):
        Client.objects.all().delete()
        link = CrmLink.objects.get()
    assert (link.client_id, link.state, link.code, link.local_base) == (None, "tombstoned", "LOCAL_PURGED", {})


def test_a_conflict_of_a_client_is_resolved_like_any_other(bench, companies):
    remote_id, other = companies.add(title="Acme", town="Rome"), companies.add(title="Globex")
    bench.sync()
    client = clients(bench)["Acme"]
    bench.person.patch(f"/v1/clients/{client.pk}", {"city": "Turin", "name": "Acme Ltd"})
    companies.edit(remote_id, town="Milan", title="Acme Inc")
    bench.sync()
    found = {each["field"]: each for each in bench.person.get("/v1/crm-conflicts?status=open").data}
    assert (found["city"]["clientId"], found["city"]["contactId"]) == (str(client.pk), None)
    assert (found["city"]["kind"], found["city"]["remoteValue"]) == ("companies", "Milan")
    path = f"/v1/crm-conflicts/{found['name']['id']}/resolve"
    assert bench.person.post(path, {"choice": "value", "value": "Globex"}).status == 409
    assert bench.person.post(path, {"choice": "value", "value": ""}).status == 422
    assert bench.person.post(path, {"choice": "remote"}).status == 200
    answer = bench.person.post(f"/v1/crm-conflicts/{found['city']['id']}/resolve", {"choice": "local"})
    assert answer.status == 200
    bench.sync()
    assert companies.records[remote_id].values["town"] == "Turin"
    assert sorted(clients(bench)) == ["Acme Inc", "Globex"]
    assert companies.records[other].values["title"] == "Globex"


def test_companies_have_a_mapping_of_their_own(bench, companies):
    fields = bench.person.get(f"{bench.path}/fields?kind=companies").data
    assert fields["kind"] == "companies"
    assert {each["name"]: each["mappedTo"] for each in fields["remote"]}["title"] == "name"
    assert {"name", "legalName", "domain"} <= set(fields["local"])
    assert bench.person.get(f"{bench.path}/fields?kind=deals").status == 422
    answer = bench.person.put(bench.path, {"companyMappings": {"city": None, "legalName": "town"}})
    assert answer.status == 200, answer
    assert answer.data["companyMappings"]["legalName"] == "town"
    assert answer.data["fieldMappings"] == {}
    answer = bench.person.put(bench.path, {"companyMappings": {"firstName": "trade", "name": None}})
    assert {each["field"] for each in answer.error["details"]["errors"]} == {
        "companyMappings.firstName",
        "companyMappings.name",
    }


def test_a_dry_run_plans_companies_too_and_its_cost(bench, companies):
    companies.add(title="Acme")
    make_client(bench, name="Globex")
    bench.contact(email="a@example.test")
    run = bench.sync(dryRun=True)
    assert run["syncDetails"]["plan"] == {
        "contacts": {"remote": {"add": 1}},
        "companies": {"local": {"add": 1}, "remote": {"add": 1}},
    }
    assert run["syncDetails"]["cost"] == {"tokens": 10}
    assert (list(clients(bench)), bench.links(), companies.writes) == (["Globex"], [], [])


def test_a_key_that_may_not_see_companies_still_connects_for_contacts(bench, monkeypatch):
    original = Memory.fields

    def fields(self, remote, kind):
        if kind is Kind.COMPANIES:
            raise PluginError("Not allowed.", permanent=True, code="FORBIDDEN")
        return original(self, remote, kind)

    monkeypatch.setattr(Memory, "fields", fields)
    refused = bench.person.post(f"{bench.path}/test")
    assert (refused.status, refused.error["code"]) == (422, "CRM_REFUSED")
    bench.person.put(bench.path, {"syncSettings": {"companies": False}})
    assert bench.person.post(f"{bench.path}/test").status == 200
    assert bench.person.get(f"{bench.path}/fields").data["remote"]


def test_webhooks_of_companies_are_read_where_companies_are_synced(bench, companies):
    bench.sync()
    remote_id = companies.add(title="Acme")
    bench.server.calls.clear()
    assert webhook(bench, remote_id, kind="companies").status_code == 200
    run_jobs(bench.person.organization)
    assert list(clients(bench)) == ["Acme"]
    assert "changes" not in bench.server.calls
    bench.person.put(bench.path, {"syncSettings": {"companies": False}})
    assert webhook(bench, remote_id, kind="companies", number="2").status_code == 200
    with organization_scope(bench.person.organization.id):
        assert not CrmHint.objects.exists()
