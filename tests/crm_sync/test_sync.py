"""Records travel both ways, once, and nothing is lost: through the API and the worker, against a CRM in memory."""

import pytest

from contacts.signals import opted_out
from crm_sync.models import CrmOptOut
from crm_sync.providers.values import Operation
from tests.factories import phone_number
from vocelio.organizations.scope import organization_scope


def test_a_first_sync_brings_contacts_in_and_sends_ours_out(bench):
    phone, other = phone_number(), phone_number()
    bench.server.add(first="Ada", last="Lovelace", mail="ADA@example.test", tel=phone, labels=["vip", "math"])
    bench.contact(firstName="Grace", phone=other, company="Navy")
    run = bench.sync()
    assert (run["status"], run["contactsProcessed"], run["contactsAdded"]) == ("success", 2, 2)
    _, ada = bench.contacts()
    assert (ada.first_name, ada.email, ada.phone, ada.tags) == ("Ada", "ada@example.test", phone, ["math", "vip"])
    stored = next(each for each in bench.server.records.values() if each.values["first"] == "Grace")
    assert (stored.values["tel"], stored.values["org"]) == (other, "Navy")
    shown = bench.show()
    assert (shown["totalContacts"], shown["syncedContacts"], shown["failedContacts"]) == (2, 2, 0)
    assert shown["lastSyncAt"] is not None


def test_an_edit_is_written_once_however_often_one_syncs(bench):
    remote_id = bench.server.add(first="Ada", mail="a@example.test")
    bench.sync()
    (ada,) = bench.contacts()
    bench.edit(str(ada.pk), firstName="Augusta")
    for _ in range(5):
        bench.sync()
    assert bench.server.written(Operation.UPDATE) == 1
    assert bench.server.written(Operation.CREATE) == 0
    assert bench.server.records[remote_id].values["first"] == "Augusta"


def test_a_remote_edit_is_applied_once_and_not_echoed(bench):
    remote_id = bench.server.add(first="Ada", mail="a@example.test")
    bench.sync()
    bench.server.edit(remote_id, first="Augusta", town="London")
    runs = [bench.sync() for _ in range(3)]
    (ada,) = bench.contacts()
    assert (ada.first_name, ada.city) == ("Augusta", "London")
    assert [run["contactsUpdated"] for run in runs] == [1, 0, 0]
    assert bench.server.writes == []


def test_edits_of_different_fields_on_both_sides_both_survive(bench):
    remote_id = bench.server.add(first="Ada", last="King", mail="a@example.test")
    bench.sync()
    (ada,) = bench.contacts()
    bench.edit(str(ada.pk), firstName="Augusta")
    bench.server.edit(remote_id, last="Lovelace")
    bench.sync()
    (ada,) = bench.contacts()
    stored = bench.server.records[remote_id].values
    assert (ada.first_name, ada.last_name) == (stored["first"], stored["last"]) == ("Augusta", "Lovelace")


@pytest.mark.parametrize(("rule", "winner"), [("local", "Ours"), ("remote", "Theirs"), ("newest", "Theirs")])
def test_a_field_changed_on_both_sides_goes_by_its_rule(make_bench, rule, winner):
    bench = make_bench(fieldMappings={"email": "mail", "firstName": {"field": "first", "conflict": rule}})
    remote_id = bench.server.add(first="Ada", mail="a@example.test")
    bench.sync()
    (ada,) = bench.contacts()
    bench.edit(str(ada.pk), firstName="Ours")
    bench.server.edit(remote_id, first="Theirs")
    bench.sync()
    (ada,) = bench.contacts()
    assert ada.first_name == bench.server.records[remote_id].values["first"] == winner


def test_tags_of_both_sides_are_united_and_removals_hold(bench):
    remote_id = bench.server.add(mail="a@example.test", labels=["old", "kept"])
    bench.sync()
    (ada,) = bench.contacts()
    bench.edit(str(ada.pk), tags=["kept", "ours"])
    bench.server.edit(remote_id, labels=["old", "kept", "theirs"])
    bench.sync()
    (ada,) = bench.contacts()
    assert ada.tags == bench.server.records[remote_id].values["labels"] == ["kept", "ours", "theirs"]


def test_a_blank_never_wins_unless_the_field_says_so(make_bench):
    bench = make_bench(fieldMappings={"email": "mail", "city": "town", "company": {"field": "org", "blanks": "win"}})
    remote_id = bench.server.add(mail="a@example.test", town="London", org="Analytical")
    bench.sync()
    bench.server.edit(remote_id, town="", org="")
    bench.sync()
    (ada,) = bench.contacts()
    assert (ada.city, ada.company) == ("London", "")
    assert bench.server.records[remote_id].values["town"] == "London"


def test_the_same_person_on_both_sides_is_paired_not_doubled(bench):
    phone = phone_number()
    ours = bench.contact(phone=phone, company="Ours Ltd")
    bench.server.add(first="Ada", tel=phone)
    bench.sync()
    (ada,) = bench.contacts()
    assert (str(ada.pk), ada.first_name, ada.company) == (ours, "Ada", "Ours Ltd")
    assert [each.values["org"] for each in bench.server.records.values()] == ["Ours Ltd"]


def test_a_shared_switchboard_number_syncs_without_the_number_and_says_so(bench):
    phone = phone_number()
    bench.server.add(first="Ada", mail="a@example.test", tel=phone)
    bench.server.add(first="Grace", mail="g@example.test", tel=phone)
    run = bench.sync()
    assert sorted((each.first_name, each.phone) for each in bench.contacts()) == [("Ada", phone), ("Grace", None)]
    assert [each.values["tel"] for each in bench.server.records.values()] == [phone, phone]
    assert "another contact" in next(item["message"] for item in bench.items(run) if item["message"])


def test_a_record_nobody_could_reach_is_quarantined_and_replayed_once_mended(bench):
    remote_id = bench.server.add(first="Nobody", tel="call me")
    run = bench.sync()
    assert (run["status"], run["errorCount"], run["contactsProcessed"]) == ("warning", 1, 1)
    (letter,) = bench.person.get(f"/v1/crm-dead-letters?integrationId={bench.id}").data
    assert (letter["remoteId"], letter["state"], letter["code"]) == (remote_id, "quarantined", "NO_ADDRESS")
    assert "Not a phone number" in letter["reason"]
    assert bench.show()["failedContacts"] == 1
    bench.server.records[remote_id].values["mail"] = "n@example.test"
    assert bench.person.post(f"/v1/crm-dead-letters/{letter['id']}/replay").status == 200
    bench.sync()
    assert [each.email for each in bench.contacts()] == ["n@example.test"]
    assert bench.person.get(f"/v1/crm-dead-letters?integrationId={bench.id}").data == []


def test_one_bad_row_does_not_keep_its_batch_from_being_written(bench):
    bench.server.refused.add("Bad")
    for name in ["One", "Two", "Bad", "Four", "Five"]:
        bench.contact(lastName=name, email=f"{name.lower()}@example.test")
    run = bench.sync()
    assert sorted(each.values["last"] for each in bench.server.records.values()) == ["Five", "Four", "One", "Two"]
    assert (run["contactsAdded"], run["errorCount"]) == (4, 1)
    (letter,) = bench.person.get("/v1/crm-dead-letters").data
    assert (letter["state"], letter["code"], letter["field"]) == ("rejected", "BAD_VALUE", "last")


def test_a_value_the_crm_cannot_hold_is_refused_before_it_is_sent(bench):
    bench.contact(lastName="x" * 41, email="long@example.test")
    run = bench.sync()
    assert run["errorCount"] == 1
    assert bench.server.writes == []
    (item,) = bench.items(run, outcome="failed")
    assert (item["code"], item["fields"]) == ("INVALID_VALUE", ["lastName"])


def test_deletions_and_merges_in_the_crm_are_followed(bench):
    keeper, loser, deleted = (bench.server.add(mail=f"{name}@example.test") for name in ("k", "l", "d"))
    bench.sync()
    bench.server.delete(deleted)
    bench.server.merge(loser, keeper)
    run = bench.sync()
    assert [each.email for each in bench.contacts()] == ["k@example.test"]
    assert (
        run["syncDetails"]["done"]["contacts"]["local"]["delete"],
        run["syncDetails"]["done"]["contacts"]["local"]["merge"],
    ) == (1, 1)
    bench.sync(fullSync=True)
    assert [each.email for each in bench.contacts()] == ["k@example.test"]
    assert bench.server.writes == []


def test_a_merge_into_a_record_we_do_not_know_moves_the_contact_there(bench):
    loser = bench.server.add(mail="l@example.test", first="Ada")
    bench.sync()
    (before,) = bench.contacts()
    winner = bench.server.add(mail="l@example.test", first="Ada", town="London")
    bench.server.merge(loser, winner)
    bench.sync()
    (after,) = bench.contacts()
    assert (after.pk, after.city) == (before.pk, "London")


def test_a_deletion_nobody_told_of_is_found_by_a_full_sync(bench):
    gone, stays = bench.server.add(mail="g@example.test"), bench.server.add(mail="s@example.test")
    bench.sync()
    del bench.server.records[gone]
    bench.sync()
    assert len(bench.contacts()) == 2
    bench.sync(fullSync=True)
    assert [each.email for each in bench.contacts()] == ["s@example.test"]
    assert stays in bench.server.records


def test_a_contact_deleted_here_stays_in_the_crm_and_does_not_come_back(bench):
    remote_id = bench.server.add(mail="a@example.test")
    bench.sync()
    (ada,) = bench.contacts()
    assert bench.person.delete(f"/v1/contacts/{ada.pk}").status == 200
    bench.sync()
    bench.server.edit(remote_id, first="Changed")
    bench.sync()
    bench.sync(fullSync=True)
    assert bench.contacts() == []
    assert remote_id in bench.server.records
    assert bench.person.post(f"/v1/contacts/{ada.pk}/restore").status == 200
    bench.sync()
    assert [each.first_name for each in bench.contacts()] == ["Changed"]


def test_a_contact_deleted_here_is_deleted_there_where_the_connection_says_so(make_bench):
    bench = make_bench(syncSettings={"localDeletes": "delete"})
    remote_id = bench.server.add(mail="a@example.test")
    bench.sync()
    (ada,) = bench.contacts()
    bench.person.delete(f"/v1/contacts/{ada.pk}")
    bench.sync()
    assert remote_id not in bench.server.records
    assert bench.server.written(Operation.DELETE) == 1


def test_who_says_no_in_the_crm_is_opted_out_here_and_never_back_in(bench):
    phone = phone_number()
    heard = []

    def hear(sender, **fact):
        heard.append((fact["channel"], fact["phone_numbers"], fact["source"]))

    opted_out.connect(hear)
    try:
        remote_id = bench.server.add(tel=phone, no_calls=True)
        bench.sync()
        bench.server.edit(remote_id, no_calls=False)
        bench.sync()
    finally:
        opted_out.disconnect(hear)
    assert heard == [("call", [phone], "crm")]
    assert bench.server.records[remote_id].values["no_calls"] is True


def test_who_says_no_here_is_marked_in_the_crm(bench):
    remote_id = bench.server.add(tel=phone_number(), mail="a@example.test")
    bench.sync()
    with organization_scope(bench.person.organization.id):
        opted_out.send(
            sender=None,
            organization_id=bench.person.organization.id,
            phone_numbers=[],
            emails=["A@example.test"],
            channel="email",
            source="test",
            reason="",
            user_id=None,
        )
        assert CrmOptOut.objects.count() == 1
    bench.sync()
    bench.sync()
    stored = bench.server.records[remote_id].values
    assert (stored["no_mail"], stored["no_calls"]) == (True, None)
    assert bench.server.written(Operation.UPDATE) == 1


def test_a_pull_connection_writes_nothing_and_a_push_connection_takes_nothing(make_bench):
    pull = make_bench(syncSettings={"syncDirection": "pull"})
    pull.server.add(mail="theirs@example.test")
    pull.contact(email="ours@example.test")
    pull.sync()
    assert pull.server.writes == []
    assert len(pull.contacts()) == 2
    push = make_bench(syncSettings={"syncDirection": "push"})
    push.server.add(mail="stays@example.test")
    push.sync()
    assert len(push.contacts()) == 2
    assert len(push.server.records) == 3


def test_a_sync_from_a_date_leaves_older_records_for_the_cursor(bench):
    old = bench.server.add(mail="old@example.test")
    bench.server.records[old].changed_at = bench.server.now().replace(year=2020)
    bench.server.add(mail="new@example.test")
    bench.sync(dateFrom="2024-01-01T00:00:00Z")
    assert [each.email for each in bench.contacts()] == ["new@example.test"]
    bench.sync()
    assert sorted(each.email for each in bench.contacts()) == ["new@example.test", "old@example.test"]


def test_counts_add_up_in_the_log_the_document_shows(bench):
    for name in "abcde":
        bench.server.add(mail=f"{name}@example.test")
    bench.contact(email="ours@example.test")
    bench.sync()
    bench.server.edit("r1", first="Ada")
    bench.server.add(first="Nobody")
    bench.sync()
    (newest, first) = bench.person.get(f"{bench.path}/sync-logs?page=1&limit=20").data
    assert newest["syncType"] == "manual_sync"
    for log in (newest, first):
        parts = ("contactsAdded", "contactsUpdated", "contactsSkipped", "errorCount")
        assert log["contactsProcessed"] == sum(log[part] for part in parts)
        assert log["duration"] >= 0
        assert log["completedAt"] >= log["startedAt"]
    assert (newest["contactsUpdated"], newest["errorCount"], newest["status"]) == (1, 1, "warning")
