"""Scrubs: the document's counts, results, clean lists that stay clean, evidence."""

import csv
import io
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.db.models.functions import Now

from contacts.models import Contact
from dnc import tasks
from dnc.models import Certificate, DncList, Scrub, ScrubResult
from dnc.services import scrubs
from tests.dnc.registries import check, company_list, fresh_code, list_of, load_lines, members, subscribe
from tests.factories import run_jobs
from vocelio.db.models import ScheduleTick
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event


@pytest.fixture(scope="module")
def code():
    """An area code of which 555-0100 to 555-0119 are listed."""
    chosen = fresh_code()
    load_lines(chosen, range(5550100, 5550120))
    return chosen


def phones(code, first, last):
    return [f"+1{code}{line}" for line in range(first, last)]


def scrub(person, *lists, **fields):
    body = {"contactListIds": [str(each.pk) for each in lists], "campaignId": str(uuid.uuid4()), **fields}
    answer = person.post("/v1/dnc/scrub-campaign", body)
    assert answer.status == 202, answer
    return answer.data


def finish(person, started):
    run_jobs(person.organization)
    return person.get(f"/v1/dnc/scrub-results/{started['scrubJobId']}").data


def follow(person):
    ScheduleTick.objects.filter(schedule="dnc.tasks.follow_outdated_scrubs").delete()
    before = manager_scrubs(person)
    tasks.follow_outdated_scrubs()
    run_jobs(person.organization)
    # Other organizations' scrubs may be out of date, too.
    return manager_scrubs(person) - before


def manager_scrubs(person):
    with organization_scope(person.organization.id):
        return Scrub.objects.count()


def test_a_campaign_is_scrubbed_as_the_document_shows(manager, code):
    subscribe(manager)
    callees = list_of(manager, [*phones(code, 5550110, 5550130), *phones("876", 5550100, 5550102), None])
    own = company_list(manager)
    manager.post("/v1/dnc-entries", {"listId": own, "phoneNumber": f"+1{code}5550125"})
    started = scrub(manager, callees, options={"createCleanList": True, "cleanListName": "Scrubbed Campaign List"})
    assert started["status"] == "processing"
    assert started["totalContacts"] == 23
    assert started["estimatedCompletion"]
    done = finish(manager, started)
    expected = {
        "status": "completed",
        "totalContacts": 22,
        "matchedDNC": 11,
        "blockedContacts": 2,
        "cleanContacts": 9,
        "withoutPhone": 1,
        "complianceRate": 40.9,
        "progress": 100,
    }
    assert {name: done[name] for name in expected} == expected
    assert done["listsChecked"] == ["federal_dnc", "state_dnc", "company_dnc"]
    assert done["completedAt"]
    clean = set(phones(code, 5550120, 5550130)) - {f"+1{code}5550125"}
    assert members(manager, done["cleanListId"]) == clean
    assert manager.get(f"/v1/contact-lists/{done['cleanListId']}").data["name"] == "Scrubbed Campaign List"
    with organization_scope(manager.organization.id):
        events = list(Event.objects.filter(topic="scrub_progress").order_by("sequence").values_list("type", "data"))
    assert {kind for kind, _ in events} == {"scrub_progress", "scrub_completed"}
    assert events[-1][1]["results"]["cleanContacts"] == 9


def test_each_number_has_its_result_listed_filtered_and_exported(manager, code):
    subscribe(manager)
    done = finish(manager, scrub(manager, list_of(manager, phones(code, 5550118, 5550122))))
    address = f"/v1/dnc/scrub-results/{done['id']}"
    rows = manager.get(f"{address}/numbers").data
    assert [(row["phoneNumber"], row["code"]) for row in rows] == list(
        zip(phones(code, 5550118, 5550122), "DDCC", strict=True)
    )
    assert "registry" in {reason["code"] for reason in rows[0]["reasons"]}
    assert [row["code"] for row in manager.get(f"{address}/numbers?isClean=true").data] == ["C", "C"]
    assert len(manager.get(f"{address}/numbers?code=D&cursor=&limit=1").data) == 1
    assert len(manager.get(f"{address}/numbers?phoneNumber=%2B1{code}5550118").data) == 1
    exported = manager.get(f"{address}/export?code=D")
    table = list(csv.DictReader(io.StringIO(b"".join(exported.response.streaming_content).decode())))
    assert [row["phone_number"] for row in table] == phones(code, 5550118, 5550120)
    assert "National Do Not Call Registry" in table[0]["reasons"]
    assert manager.get(f"{address}/export?code=Q").status == 422


def test_a_scrub_agrees_with_checks_of_the_same_numbers(manager, code):
    subscribe(manager)
    wanted = [*phones(code, 5550105, 5550145), *phones(fresh_code(), 5550100, 5550102)]
    own = company_list(manager)
    for index in (3, 20, 30):
        manager.post("/v1/dnc-entries", {"listId": own, "phoneNumber": wanted[index], "channels": ["sms"]})
    manager.post("/v1/dnc/permissions", {"phoneNumber": wanted[1], "kind": "consent", "occurredOn": "2026-01-05"})
    done = finish(manager, scrub(manager, list_of(manager, wanted)))
    rows = manager.get(f"/v1/dnc/scrub-results/{done['id']}/numbers?limit=200").data
    scrubbed = {row["phoneNumber"]: (row["code"], row["modes"]) for row in rows}
    checked = {
        answer["phoneNumber"]: (answer["code"], {mode: each["allowed"] for mode, each in answer["modes"].items()})
        for answer in check(manager, *wanted)
    }
    assert scrubbed == checked


def test_the_companys_own_lists_are_consulted_whichever_are_chosen(manager, code):
    subscribe(manager)
    phone, other = f"+1{code}5550150", f"+1{code}5550101"
    manager.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone]})
    industry = company_list(manager, type="industry")
    done = finish(manager, scrub(manager, list_of(manager, [phone, other]), dncListIds=[industry]))
    assert (done["matchedDNC"], done["cleanContacts"]) == (1, 1)


def test_unknown_and_foreign_lists_are_named(manager, outsider, code):
    foreign = list_of(outsider, phones(code, 5550150, 5550151))
    answer = manager.post(
        "/v1/dnc/scrub-campaign", {"contactListIds": [str(foreign.pk)], "dncListIds": [str(uuid.uuid4())]}
    )
    fields = [error["field"] for error in answer.error["details"]["errors"]]
    assert (answer.status, fields) == (422, ["contactListIds", "dncListIds"])


def test_a_changed_list_scrubs_again_and_tells_what_changed(manager, code):
    subscribe(manager)
    callees = list_of(manager, phones(code, 5550150, 5550160))
    done = finish(manager, scrub(manager, callees))
    assert done["cleanContacts"] == 10
    assert follow(manager) == 0
    manager.post("/v1/dnc/opt-outs", {"phoneNumbers": phones(code, 5550150, 5550153)})
    assert follow(manager) == 1
    old = manager.get(f"/v1/dnc/scrub-results/{done['id']}").data
    new = manager.get(f"/v1/dnc/scrub-results/{old['followedBy']}").data
    assert (new["newlyBlocked"], new["newlyClean"], new["cleanContacts"]) == (3, 0, 7)
    assert members(manager, done["cleanListId"]) == set(phones(code, 5550153, 5550160))
    with organization_scope(manager.organization.id):
        changed = Event.objects.get(type="scrub_changed")
    assert changed.data["newlyBlocked"] == 3
    # A number taken off the list again is clean again; one that left the scrubbed list is not kept.
    entry = next(e for e in manager.get("/v1/dnc-entries").data if e["phoneNumber"] == f"+1{code}5550150")
    manager.delete(f"/v1/dnc-entries/{entry['id']}")
    contact = manager.get(f"/v1/contacts?listId={callees.pk}&limit=200").data[0]
    manager.call("delete", f"/v1/contact-lists/{callees.pk}/contacts", {"contactIds": [contact["id"]]})
    assert follow(manager) == 1
    assert contact["phone"] not in members(manager, done["cleanListId"])
    unwatched = manager.get(f"/v1/dnc/scrub-results/{new['id']}").data["followedBy"]
    assert manager.post(f"/v1/dnc/scrub-results/{unwatched}/unwatch").data["keepClean"] is False
    manager.post("/v1/dnc/opt-outs", {"phoneNumbers": phones(code, 5550156, 5550157)})
    assert follow(manager) == 0


def test_a_registry_load_scrubs_again(manager):
    area = fresh_code()
    load_lines(area, [5550100])
    subscribe(manager)
    done = finish(manager, scrub(manager, list_of(manager, phones(area, 5550150, 5550155))))
    assert done["cleanContacts"] == 5
    load_lines(area, [5550100, 5550151])
    assert follow(manager) == 1
    assert len(members(manager, done["cleanListId"])) == 4


def test_a_number_listed_while_a_scrub_runs_is_refused_by_the_chunks_that_begin_after(manager, code, monkeypatch):
    subscribe(manager)
    monkeypatch.setattr(scrubs, "CHUNK_CONTACTS", 5)
    wanted = phones(code, 5550150, 5550170)
    started = scrub(manager, list_of(manager, wanted))
    with organization_scope(manager.organization.id):
        # Chunks go by the contacts' ids.
        late = Contact.objects.order_by("id").last().phone
    judge, chunks = scrubs._judge_chunk, []

    def judge_and_list(step, low, high):
        judge(step, low, high)
        chunks.append(high)

    def list_between(step, low, high):
        if len(chunks) == 2:
            # Another connection, committed before this chunk's first statement.
            import threading

            thread = threading.Thread(target=opt_out)
            thread.start()
            thread.join()
        judge_and_list(step, low, high)

    def opt_out():
        manager.post("/v1/dnc/opt-outs", {"phoneNumbers": [late]})
        connection.close()

    monkeypatch.setattr(scrubs, "_judge_chunk", list_between)
    done = finish(manager, started)
    assert (done["totalContacts"], done["matchedDNC"], done["cleanContacts"]) == (20, 1, 19)
    assert late not in members(manager, done["cleanListId"])


def test_a_scrub_can_be_cancelled(manager, code):
    subscribe(manager)
    started = scrub(manager, list_of(manager, phones(code, 5550150, 5550152)))
    assert manager.post(f"/v1/dnc/scrub-results/{started['scrubJobId']}/cancel").data["status"] == "cancelled"
    assert finish(manager, started)["certificateId"] is None


def test_every_check_and_scrub_leaves_a_certificate_in_one_chain(manager, code):
    subscribe(manager, san="SAN-77")
    check(manager, f"+1{code}5550150", "nonsense")
    done = finish(manager, scrub(manager, list_of(manager, phones(code, 5550118, 5550122))))
    check(manager, f"+1{code}5550150")
    certificates = manager.get("/v1/dnc/certificates?sort=number").data
    assert [(each["number"], each["kind"]) for each in certificates] == [(1, "check"), (2, "scrub"), (3, "check")]
    content = certificates[1]["content"]
    assert content["outcomes"] == {"C": 2, "D": 2}
    assert content["scrubId"] == done["id"]
    assert content["subscriptions"] == ["SAN-77"]
    assert content["versions"]["us-federal"].keys() == {f"1{code}"}
    assert certificates[2]["previousHash"] == certificates[1]["hash"]
    assert manager.get("/v1/dnc/certificates/verify").data["isIntact"]
    pdf = manager.get(f"/v1/dnc/certificates/{done['certificateId']}/pdf").response.content
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 2000
    call_command("verify_dnc", manager.organization.slug, results=True, verbosity=0)
    accesses = manager.get("/v1/dnc/registry-accesses").data
    assert [each["purpose"] for each in accesses] == ["check", "scrub", "check"]
    assert accesses[0]["areas"] == [f"1{code}"]


def test_certificates_cannot_be_changed_and_changed_results_are_found(manager, code):
    subscribe(manager)
    done = finish(manager, scrub(manager, list_of(manager, phones(code, 5550118, 5550122))))
    with organization_scope(manager.organization.id):
        for statement in ("UPDATE dnc_certificates SET kind = 'check'", "DELETE FROM dnc_certificates"):
            with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
        assert Certificate.objects.get().subject_id == uuid.UUID(done["id"])
        result = ScrubResult.objects.filter(code="D").first()
        ScrubResult.objects.filter(pk=result.pk).update(code="C")
    call_command("verify_dnc", manager.organization.slug, verbosity=0)
    with pytest.raises(CommandError):
        call_command("verify_dnc", manager.organization.slug, results=True, verbosity=0)


def test_the_history_of_a_number_holds_everything(manager, code):
    subscribe(manager)
    phone = f"+1{code}5550119"
    manager.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone], "reason": "STOP"})
    manager.post("/v1/dnc/permissions", {"phoneNumber": phone, "kind": "inquiry", "occurredOn": "2026-01-05"})
    manager.post("/v1/dnc/attempts", {"phoneNumber": phone, "attemptedAt": "2026-02-01T15:00:00Z"})
    done = finish(manager, scrub(manager, list_of(manager, [phone])))
    history = manager.get(f"/v1/dnc/history?phoneNumber=%2B{phone[1:]}").data
    assert [entry["reason"] for entry in history["entries"]] == ["STOP"]
    assert [each["kind"] for each in history["permissions"]] == ["inquiry"]
    assert len(history["attempts"]) == 1
    assert [(each["scrubJobId"], each["code"]) for each in history["scrubs"]] == [(done["id"], "P")]
    federal = next(each for each in history["registries"] if each["registry"] == "us-federal")
    assert (federal["listedNow"], federal["listedOn"]) == (True, True)
    before = manager.get(f"/v1/dnc/history?phoneNumber=%2B{phone[1:]}&on=2020-01-01").data["registries"]
    assert next(each for each in before if each["registry"] == "us-federal")["listedOn"] is None


def test_the_figures_add_up(manager, code):
    subscribe(manager)
    finish(manager, scrub(manager, list_of(manager, phones(code, 5550110, 5550130))))
    check(manager, f"+1{code}5550150")
    figures = manager.get("/v1/dnc/analytics?days=7").data
    assert (figures["contactsScrubbed"], figures["contactsClean"], figures["complianceRate"]) == (20, 10, 50.0)
    assert figures["numbersChecked"] == 1
    assert figures["outcomes"] == {"C": 11, "D": 10}
    assert figures["trend"][-1]["complianceRate"] == 50.0


def test_the_estimate_learns_from_the_organizations_own_runs(manager, code):
    subscribe(manager)
    callees = list_of(manager, phones(code, 5550150, 5550152))
    finish(manager, scrub(manager, callees))
    with organization_scope(manager.organization.id):
        Scrub.objects.update(total_contacts=1000, started_at=Now() - timedelta(seconds=10), completed_at=Now())
        slow = Scrub(contact_list_ids=[], total=100_000)
        estimated = scrubs.estimate_completion(slow)
        Scrub.objects.update(started_at=Now() - timedelta(seconds=1))
        assert scrubs.estimate_completion(slow) < estimated - timedelta(seconds=500)
        assert DncList.objects.count() == 2
