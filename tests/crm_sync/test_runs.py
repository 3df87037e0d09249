"""Dry runs, brakes, conflicts, rollbacks, cancels, parking: what a person sees of a run and does about it."""

from datetime import UTC, datetime, timedelta

import pytest
from crm_sync.providers.memory import out_of_order  # type: ignore[import-not-found]

from crm_sync.models import CrmSyncRun
from crm_sync.providers.failures import PositionLost, QuotaReached
from crm_sync.services.interruptions import MOST_PAUSES
from crm_sync.tasks import start_due_syncs
from tests.factories import phone_number, run_jobs
from vocelio.db.ticks import claim_tick
from vocelio.jobs.models import Doorbell
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event


def test_a_dry_run_shows_the_plan_of_both_sides_and_changes_neither(bench):
    phone = phone_number()
    bench.server.add(mail="new@example.test")
    bench.server.add(first="Ada", tel=phone)
    bench.contact(phone=phone, company="Ours Ltd")
    bench.contact(email="ours@example.test")
    run = bench.sync(dryRun=True)
    assert (len(bench.contacts()), bench.server.writes, bench.links(), bench.cursors()) == (2, [], [], {})
    details = run["syncDetails"]
    assert details["plan"] == {"contacts": {"local": {"add": 1, "update": 1}, "remote": {"update": 1, "add": 1}}}
    assert details["cost"] == {"tokens": 10}
    assert {item["outcome"] for item in bench.items(run)} == {"planned"}
    real = bench.sync()
    assert real["syncDetails"]["done"] == details["plan"]


def test_a_dry_run_plans_deletions_and_refusals(make_bench):
    bench = make_bench(syncSettings={"localDeletes": "delete"})
    remote_id = bench.server.add(mail="a@example.test")
    other = bench.server.add(mail="b@example.test")
    bench.sync()
    first, second = bench.contacts()
    bench.person.delete(f"/v1/contacts/{first.pk}")
    bench.server.delete(other)
    bench.contact(email="c@example.test", lastName="x" * 50)
    run = bench.sync(dryRun=True)
    assert run["syncDetails"]["plan"] == {"contacts": {"local": {"delete": 1}, "remote": {"delete": 1, "failed": 1}}}
    assert remote_id in bench.server.records
    assert second.pk in [each.pk for each in bench.contacts()]


def test_an_empty_full_pull_stops_and_asks(bench):
    bench.server.add(mail="a@example.test")
    bench.sync()
    kept = dict(bench.server.records)
    bench.server.records.clear()
    run = bench.sync(fullSync=True)
    assert (run["status"], run["errorCode"]) == ("error", "MASS_CHANGE")
    assert len(bench.contacts()) == 1
    assert bench.show()["needsConfirmation"] is True
    bench.server.records.update(kept)
    assert bench.sync(fullSync=True)["status"] == "success"
    assert bench.show()["needsConfirmation"] is False


def test_too_many_deletions_stop_before_the_first_and_go_on_once_confirmed(bench):
    ids = [bench.server.add(mail=f"c{number}@example.test") for number in range(30)]
    bench.sync()
    for remote_id in ids[:20]:
        del bench.server.records[remote_id]
    run = bench.sync(fullSync=True)
    assert (run["errorCode"], len(bench.contacts())) == ("MASS_CHANGE", 30)
    run = bench.sync(fullSync=True, confirmMassChange=True)
    assert (run["status"], len(bench.contacts())) == ("success", 10)


def test_too_many_changes_stop_before_most_are_applied(bench):
    bench.server.page_size = 50
    ids = [bench.server.add(mail=f"c{number}@example.test") for number in range(150)]
    bench.sync()
    for remote_id in ids:
        bench.server.edit(remote_id, first="Oops")
    run = bench.sync()
    assert run["errorCode"] == "MASS_CHANGE"
    assert sum(each.first_name == "Oops" for each in bench.contacts()) == 100
    assert bench.sync(confirmMassChange=True)["status"] == "success"
    assert all(each.first_name == "Oops" for each in bench.contacts())


@pytest.fixture
def conflict(make_bench):
    bench = make_bench(
        fieldMappings={"email": "mail", "firstName": {"field": "first", "conflict": "manual"}, "city": "town"}
    )
    remote_id = bench.server.add(first="Ada", mail="a@example.test")
    bench.sync()
    (ada,) = bench.contacts()
    bench.edit(str(ada.pk), firstName="Ours")
    bench.server.edit(remote_id, first="Theirs", town="London")
    bench.sync()
    (found,) = bench.person.get(f"/v1/crm-conflicts?integrationId={bench.id}&status=open").data
    return bench, remote_id, found


@pytest.mark.parametrize(
    ("body", "name"),
    [({"choice": "local"}, "Ours"), ({"choice": "remote"}, "Theirs"), ({"choice": "value", "value": "Both"}, "Both")],
)
def test_a_conflict_waits_for_a_person_while_other_fields_go_on(conflict, body, name):
    bench, remote_id, found = conflict
    assert (found["field"], found["localValue"], found["remoteValue"]) == ("firstName", "Ours", "Theirs")
    (ada,) = bench.contacts()
    assert (ada.first_name, ada.city) == ("Ours", "London")
    bench.sync()
    assert bench.server.records[remote_id].values["first"] == "Theirs"
    answer = bench.person.post(f"/v1/crm-conflicts/{found['id']}/resolve", body)
    assert (answer.status, answer.data["status"]) == (200, "resolved")
    bench.sync()
    (ada,) = bench.contacts()
    assert ada.first_name == bench.server.records[remote_id].values["first"] == name
    assert bench.person.post(f"/v1/crm-conflicts/{found['id']}/resolve", body).status == 409


def test_a_conflict_ends_by_itself_when_both_sides_agree(conflict):
    bench, remote_id, found = conflict
    bench.server.edit(remote_id, first="Ours")
    bench.sync()
    shown = bench.person.get(f"/v1/crm-conflicts/{found['id']}").data
    assert (shown["status"], shown["resolution"]) == ("resolved", "agreed")


def test_a_rollback_undoes_what_a_run_did_here_and_the_next_sync_leaves_it_so(bench):
    changed, gone = bench.server.add(first="Ada", mail="a@example.test"), bench.server.add(mail="g@example.test")
    touched = bench.server.add(first="Grace", mail="t@example.test")
    bench.sync()
    bench.server.edit(changed, first="Augusta")
    bench.server.edit(touched, first="Amazing")
    bench.server.delete(gone)
    bench.server.add(mail="new@example.test")
    run = bench.sync()
    grace = next(each for each in bench.contacts() if each.first_name == "Amazing")
    bench.edit(str(grace.pk), firstName="Edited since")
    answer = bench.person.post(f"/v1/crm-sync-runs/{run['id']}/rollback")
    assert answer.status == 202
    run_jobs(bench.person.organization)
    undone = bench.run(answer.data["syncJobId"])
    assert (undone["status"], undone["syncType"], undone["contactsSkipped"]) == ("success", "rollback", 1)

    def state():
        return sorted((each.first_name, each.email) for each in bench.contacts())

    expected = [("", "g@example.test"), ("Ada", "a@example.test"), ("Edited since", "t@example.test")]
    assert state() == expected
    bench.sync()
    bench.sync(fullSync=True)
    assert state() == expected
    assert bench.server.records[changed].values["first"] == "Augusta"
    assert bench.person.post(f"/v1/crm-sync-runs/{run['id']}/rollback").status == 409


def test_one_run_at_a_time_and_it_can_be_cancelled(bench):
    first = bench.person.post(f"{bench.path}/sync", {"syncType": "manual_sync", "options": {"fullSync": False}})
    assert (first.status, first.data["status"]) == (202, "started")
    assert first.data["estimatedDuration"] == "less than a minute"
    second = bench.person.post(f"{bench.path}/sync", {})
    assert (second.status, second.error["code"]) == (409, "SYNC_RUNNING")
    assert second.error["details"]["syncJobId"] == first.data["syncJobId"]
    assert bench.person.post(f"{bench.path}/cancel").data["status"] == "cancelled"
    assert bench.person.post(f"{bench.path}/cancel").status == 409
    assert bench.sync()["status"] == "success"


def test_a_run_that_meets_the_quota_parks_and_goes_on_where_it_stood(bench):
    for number in range(8):
        bench.server.add(mail=f"c{number}@example.test")
    until = datetime.now(UTC) + timedelta(hours=2)

    def spent(call):
        if call == "changes" and bench.server.calls.count("changes") == 2:
            raise QuotaReached(resets_at=until)

    bench.server.on_call = spent
    run = bench.sync()
    assert (run["status"], run["contactsAdded"]) == ("running", 3)
    assert datetime.fromisoformat(run["parkedUntil"]) == until
    assert Doorbell.objects.get(pk=run["id"]).due_at == until
    with organization_scope(bench.person.organization.id):
        assert Event.objects.filter(type="crm_sync_update", data__status="parked").exists()
    bench.server.on_call = None
    run_jobs(bench.person.organization)
    run = bench.run(run["id"])
    assert (run["status"], run["contactsAdded"], run["parkedUntil"]) == ("success", 8, None)


def test_a_crm_that_is_down_pauses_the_run_and_at_last_fails_it_with_the_reason(bench):
    bench.contact(email="ours@example.test")
    bench.server.before_write = out_of_order
    run = bench.sync()
    assert run["status"] == "running"
    for _ in range(MOST_PAUSES):
        run_jobs(bench.person.organization)
    run = bench.run(run["id"])
    assert (run["status"], run["errorCode"], run["errorMessage"]) == ("error", "HTTP_503", "Down for a moment.")
    bench.server.before_write = None
    assert bench.sync()["status"] == "success"
    assert len(bench.server.records) == 1


def test_a_place_the_crm_has_forgotten_is_begun_anew(bench):
    for number in range(5):
        bench.server.add(mail=f"c{number}@example.test")

    def forget(call):
        if call == "changes" and bench.server.calls.count("changes") == 2:
            raise PositionLost

    bench.server.on_call = forget
    assert bench.sync()["status"] == "success"
    assert len(bench.contacts()) == 5


def test_a_revoked_grant_ends_the_run_and_says_that_a_person_must_connect_again(bench):
    bench.server.revoked = True
    run = bench.sync()
    assert (run["status"], run["errorCode"]) == ("error", "AUTH_EXPIRED")


def test_due_syncs_start_by_themselves_and_only_once(make_bench):
    bench = make_bench(autoSync=True, syncFrequency=15)
    bench.server.add(mail="a@example.test")
    with organization_scope(bench.person.organization.id):
        model = CrmSyncRun.integration.field.related_model
        model.objects.filter(pk=bench.id).update(next_sync_at=datetime(2020, 1, 1, tzinfo=UTC))
    claim_tick("crm_sync.tasks.start_due_syncs", 0)
    from crm_sync.services.schedule import start_due_syncs as start

    assert start() >= 1
    assert start() == 0
    run_jobs(bench.person.organization)
    (log,) = bench.person.get(f"{bench.path}/sync-logs").data
    assert (log["syncType"], log["status"], log["contactsAdded"]) == ("auto_sync", "success", 1)
    assert start_due_syncs() is None


def test_progress_is_told_in_the_documents_words(bench):
    bench.server.add(mail="a@example.test")
    bench.sync()
    with organization_scope(bench.person.organization.id):
        events = list(Event.objects.filter(topic="crm_sync_update").order_by("sequence").values_list("data", flat=True))
    assert {"integrationId", "status", "progress", "contactsProcessed"} <= events[0].keys()
    assert events[0]["status"] == "syncing"
    assert (events[-1]["status"], events[-1]["progress"], events[-1]["contactsProcessed"]) == ("success", 100, 1)


def test_progress_grows_while_the_crm_is_written_to(bench):
    for number in range(3):
        bench.person.post("/v1/contacts", {"lastName": "Ours", "email": f"ours{number}@example.test"})
    bench.server.add(mail="theirs@example.test")
    bench.sync()
    with organization_scope(bench.person.organization.id):
        events = Event.objects.filter(topic="crm_sync_update").order_by("sequence").values_list("data", flat=True)
        assert {25, 99, 100} <= {event["progress"] for event in events}
