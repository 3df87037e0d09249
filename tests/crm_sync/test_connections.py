"""Connections: made, proven, changed, kept apart; their secrets never shown."""

import io
import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from crm_sync.providers.memory import SERVERS, Memory  # type: ignore[import-not-found]
from django.core.management import call_command
from django.db import connection as database

from crm_sync.models import CrmCredential, CrmIntegration, CrmQuota, CrmWebhook
from crm_sync.providers.failures import QuotaReached
from crm_sync.providers.values import Credential, Limits, Quota, Window
from crm_sync.services import limits
from crm_sync.services.credentials import Keeper, store_credential
from crm_sync.services.limits import Limiter
from tests.crm_sync.conftest import connect, webhook
from tests.factories import make_organization, make_person, run_jobs, unique
from vocelio.audit.models import AuditEntry
from vocelio.organizations.scope import organization_scope


def test_a_connection_is_shown_with_the_last_four_characters_of_its_secret_alone(bench):
    shown = bench.show()
    assert (shown["crmType"], shown["status"], shown["accountName"]) == ("memory", "connected", "In memory")
    assert shown["credential"] == {"kind": "key", "lastFour": "9876", "expiresAt": None, "expiresSoon": False}
    assert "kkkk" not in str(shown)
    (listed,) = bench.person.get("/v1/crm-integrations").data
    document = {
        "id", "crmType", "name", "status", "autoSync", "syncFrequency", "lastSyncAt", "totalContacts",
        "syncedContacts", "failedContacts", "fieldMappings", "createdAt",
    }  # fmt: skip
    assert document <= listed.keys()


def test_the_documents_bodies_are_taken_as_they_stand(admin):
    SERVERS[name := unique("server")] = type("S", (), {})()
    made = admin.post(
        "/v1/crm-integrations",
        {
            "crmType": "memory",
            "name": "Marketing",
            "apiKey": name,
            "endpointUrl": "https://api.memory.test",
            "fieldMappings": {"firstName": "first", "lastName": "last", "email": "mail", "phone": "tel"},
            "syncSettings": {"autoSync": True, "syncFrequency": 30, "syncDirection": "bidirectional"},
        },
    )
    assert (made.status, made.data["autoSync"], made.data["syncFrequency"]) == (201, True, 30)
    path = f"/v1/crm-integrations/{made.data['id']}"
    changed = admin.put(path, {"autoSync": False, "syncFrequency": 60, "fieldMappings": {"firstName": "town"}})
    assert (changed.data["autoSync"], changed.data["syncFrequency"]) == (False, 60)
    assert changed.data["fieldMappings"] == {"firstName": "town", "lastName": "last", "email": "mail", "phone": "tel"}
    again = admin.post("/v1/crm-integrations", {"crmType": "memory", "name": "Marketing"})
    assert (again.status, again.error["code"]) == (409, "CRM_CONNECTION_EXISTS")
    assert admin.post("/v1/crm-integrations", {"crmType": "memory", "name": "Sandbox"}).status == 201


def test_every_bad_setting_is_named_at_once(admin):
    answer = admin.post(
        "/v1/crm-integrations",
        {
            "crmType": "memory",
            "name": "Bad",
            "fieldMappings": {"nickname": "x", "email": {"field": "mail", "conflict": "loudest"}, "city": "mail"},
        },
    )
    assert answer.status == 422
    fields = {problem["field"] for problem in answer.error["details"]["errors"]}
    assert fields == {"fieldMappings.nickname", "fieldMappings.email.conflict", "fieldMappings.city"}
    answer = admin.post(
        "/v1/crm-integrations",
        {"crmType": "memory", "name": "Bad", "syncSettings": {"syncDirection": "up", "maxDeletes": 0, "x": 1}},
    )
    fields = {problem["field"] for problem in answer.error["details"]["errors"]}
    assert fields == {"syncSettings.syncDirection", "syncSettings.maxDeletes", "syncSettings.x"}
    assert admin.post("/v1/crm-integrations", {"crmType": "siebel", "name": "Old"}).status == 422


@pytest.mark.parametrize(
    "url", ["https://evil.test", "http://api.memory.test", "https://10.0.0.1", "https://memory.test.evil.test"]
)
def test_calls_go_to_the_vendors_own_hosts_alone(admin, url):
    answer = admin.post("/v1/crm-integrations", {"crmType": "memory", "name": "Evil", "endpointUrl": url})
    assert (answer.status, answer.error["code"]) == (422, "ADDRESS_NOT_ALLOWED")


def test_another_address_needs_the_credential_again(bench):
    answer = bench.person.put(bench.path, {"endpointUrl": "https://eu.memory.test"})
    assert (answer.status, answer.error["details"]["field"]) == (422, "apiKey")
    key = f"{bench.show()['accountId']}#{'n' * 12}"
    answer = bench.person.put(bench.path, {"endpointUrl": "https://eu.memory.test", "apiKey": key})
    assert answer.status == 200


def test_a_test_calls_the_crm_and_says_why_it_refuses(bench):
    assert bench.person.post(f"{bench.path}/test").data["status"] == "connected"
    bench.server.revoked = True
    answer = bench.person.post(f"{bench.path}/test")
    assert (answer.status, answer.error["code"]) == (422, "CRM_REFUSED")
    assert (bench.show()["status"], "Connect it again" in bench.show()["statusMessage"]) == ("expired", True)
    assert bench.person.post(f"{bench.path}/sync").status == 409


def test_the_mapping_is_made_from_the_crms_own_fields_and_samples(bench):
    bench.server.add(first="Ada", mail="a@example.test", score=5)
    bench.person.post(f"{bench.path}/test")
    shown = bench.person.get(f"{bench.path}/fields").data
    fields = {field["name"]: field for field in shown["remote"]}
    assert (fields["mail"]["type"], fields["mail"]["mappedTo"]) == ("email", "email")
    assert fields["first"]["samples"] == ["Ada"]
    assert fields["last"]["maxLength"] == 40
    assert {"firstName", "doNotCall", "tags"} <= set(shown["local"])
    answer = bench.person.put(bench.path, {"fieldMappings": {"city": "nowhere"}})
    assert "no field 'nowhere'" in answer.error["message"]


def test_a_mapped_field_that_the_crm_has_lost_fails_the_run_by_its_name(bench, monkeypatch):
    original = Memory.fields
    monkeypatch.setattr(Memory, "fields", lambda *args: [f for f in original(*args) if f.name != "town"])
    run = bench.sync()
    assert (run["status"], "town" in run["errorMessage"]) == ("error", True)


def test_a_deleted_connection_leaves_contacts_alone(bench):
    bench.server.add(mail="a@example.test")
    bench.sync()
    assert bench.person.delete(bench.path).status == 200
    assert bench.person.get(bench.path).status == 404
    assert len(bench.contacts()) == 1
    with organization_scope(bench.person.organization.id):
        assert CrmCredential.objects.count() == 0


def test_two_organizations_share_neither_token_nor_cursor_nor_quota():
    benches = [connect(make_person(make_organization())) for _ in range(2)]
    for bench in benches:
        bench.server.add(mail="same@example.test")
    threads = [threading.Thread(target=lambda each=bench: (each.sync(), database.close())) for bench in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for bench in benches:
        assert [each.email for each in bench.contacts()] == ["same@example.test"]
        assert len(bench.server.records) == 1
        assert bench.cursors().keys() >= {"changes", "local"}
    one, other = benches
    assert one.person.get(other.path).status == 404
    assert one.person.post(f"{other.path}/sync").status == 404


def test_a_webhook_is_proven_kept_once_and_read_at_once(bench):
    remote_id = bench.server.add(first="Ada", mail="a@example.test")
    bench.sync()
    bench.server.records[remote_id].values["first"] = "Augusta"
    bench.server.calls.clear()
    assert webhook(bench, remote_id).status_code == 200
    assert webhook(bench, remote_id).status_code == 200
    run_jobs(bench.person.organization)
    assert [each.first_name for each in bench.contacts()] == ["Augusta"]
    assert "changes" not in bench.server.calls
    with organization_scope(bench.person.organization.id):
        (kept,) = CrmWebhook.objects.all()
        assert kept.body == remote_id
    logs = bench.person.get(f"{bench.path}/sync-logs?syncType=webhook_sync").data
    assert [log["contactsUpdated"] for log in logs] == [1]


def test_a_webhook_of_a_stranger_is_refused_and_noted(bench):
    assert webhook(bench, secret="wrong").status_code == 401
    assert webhook(bench, token="x" * 60).status_code == 404
    assert webhook(bench, token="short").status_code == 404
    with organization_scope(bench.person.organization.id):
        assert CrmWebhook.objects.count() == 0
        assert AuditEntry.objects.filter(action="crm_webhook.refused").count() == 1


@pytest.fixture
def limiter(bench):
    windows = (Window("burst", 10, 20.0), Window("day", 100, 86400.0, unit="tokens", per_call=0))
    return Limiter(bench.person.organization.id, "memory", unique("account"), Limits(windows))


def test_workers_of_one_account_share_its_quota_and_wait_for_it(limiter, monkeypatch):
    waits = []

    def wait(seconds):
        waits.append(seconds)
        with organization_scope(limiter.organization_id):
            CrmQuota.objects.update(slots={})

    monkeypatch.setattr(limits.time, "sleep", wait)
    for _ in range(10):
        limiter.take({"day": 3})
    Limiter(limiter.organization_id, "memory", "another", limiter.limits).take({})
    assert waits == []
    limiter.take({})
    assert len(waits) == 1
    assert 18 < waits[0] <= 21.1
    with organization_scope(limiter.organization_id):
        row = CrmQuota.objects.get(window="day", account_id=limiter.account_id)
    assert (limits.used(row), row.unit) == (0, "tokens")


def test_a_quota_that_is_spent_for_long_is_reported_not_waited_for(limiter):
    limiter.take({"day": 100})
    with pytest.raises(QuotaReached) as reached:
        limiter.take({"day": 1})
    assert reached.value.resets_at > datetime.now(UTC) + timedelta(hours=22)
    limiter.take({})
    limiter.tell([Quota("burst", limit=10, remaining=0, resets_at=datetime.now(UTC) + timedelta(hours=1))])
    with pytest.raises(QuotaReached):
        limiter.take({})


def test_no_interval_ever_sees_more_than_the_window_allows(bench, monkeypatch):
    limiter = Limiter(bench.person.organization.id, "memory", unique("a"), Limits((Window("w", 5, 2.0),)))
    clock = [1_000_000.0]
    taken = []

    class Time:
        @staticmethod
        def now():
            return datetime.fromtimestamp(clock[0], UTC)

    monkeypatch.setattr(limits.timezone, "now", Time.now)
    monkeypatch.setattr(limits.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    for _ in range(30):
        limiter.take({})
        taken.append(clock[0])
        clock[0] += 0.07
    for start in taken:
        assert sum(1 for moment in taken if start <= moment < start + 2.0) <= 5


def test_quota_meters_and_vendors_are_shown(bench, limiter):
    limiter.account_id = bench.show()["accountId"]
    limiter.take({"day": 7})
    meters = {meter["window"]: meter for meter in bench.person.get(f"{bench.path}/quotas").data["quotas"]}
    assert (meters["day"]["used"], meters["day"]["limit"], meters["day"]["unit"]) == (7, 100, "tokens")
    shown = {
        vendor["crmType"]: vendor for vendor in bench.person.get("/v1/crm-integrations/providers").data["providers"]
    }
    assert {"salesforce", "hubspot", "pipedrive", "zoho"} <= shown.keys()
    assert "oauth" in shown["zoho"]["credentialKinds"]


def test_one_worker_alone_refreshes_and_the_others_get_its_token(bench, monkeypatch):
    refreshed = []
    both = threading.Barrier(2, timeout=10)

    def refresh(self, client, app, credential):
        refreshed.append(credential.refresh_token)
        return Credential("fresh-token-1234", credential.api_url, refresh_token="second-refresh-5678", kind="oauth")

    monkeypatch.setattr(Memory, "refresh", refresh)
    with organization_scope(bench.person.organization.id):
        integration = CrmIntegration.objects.get(pk=bench.id)
        old = Credential("old", "https://api.memory.test", refresh_token="first-refresh-1234", kind="oauth")
        store_credential(integration, old)
    tokens = []

    def work():
        keeper = Keeper(integration.organization_id, integration.pk, integration.provider)
        both.wait()
        keeper.renew()
        tokens.append(keeper.credential.access_token)
        database.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (refreshed, tokens) == (["first-refresh-1234"], ["fresh-token-1234"] * 2)


def test_a_canary_appears_nowhere_but_sealed(admin, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    bench = connect(admin)
    canary = "canary-" + "z" * 20
    name = bench.show()["accountId"]
    answers = [
        admin.put(bench.path, {"apiKey": f"{name}#{canary}"}),
        admin.post("/v1/crm-integrations", {"crmType": "memory", "name": "x" * 300, "apiKey": canary}),
        admin.post("/v1/crm-integrations", {"crmType": "nobody", "name": "n", "apiKey": canary}),
    ]
    run_jobs(admin.organization)
    bench.server.add(mail="a@example.test")
    bench.sync()
    bench.server.revoked = True
    answers.append(admin.post(f"{bench.path}/test"))
    seen = "".join(repr(answer) for answer in answers) + caplog.text + str(bench.show())
    with organization_scope(admin.organization.id):
        seen += str(list(AuditEntry.objects.values()))
        dump = io.StringIO()
        call_command("dumpdata", "crm_sync", stdout=dump)
        seen += dump.getvalue()
        row = CrmCredential.objects.get(integration_id=bench.id)
        seen += repr(row) + repr(Keeper(admin.organization.id, row.integration_id, Memory()).credential)
        assert canary in row.blob
    with organization_scope(admin.organization.id), database.cursor() as cursor:
        for table in ("job_doorbells", "crm_credentials", "crm_integrations", "crm_sync_logs", "events"):
            cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} AS t")
            seen += str(cursor.fetchone())
    assert canary not in seen
    assert canary not in "".join(capsys.readouterr())
