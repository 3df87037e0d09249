"""Lists, entries, subscriptions and bulk uploads."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now

from contacts.models import Contact
from dnc import tasks
from dnc.formats import all_formats
from dnc.models import DncEntry, NumberFact
from tests.dnc.registries import check, company_list, days_ago, fresh_code, load_lines, subscribe
from tests.factories import phone_number, run_jobs, unique
from vocelio.db.models import ScheduleTick
from vocelio.organizations.scope import organization_scope


def upload(person, list_id, content, name="numbers.csv", **fields):
    content = content.encode() if isinstance(content, str) else content
    answer = person.post(f"/v1/dnc-lists/{list_id}/uploads", {"file": SimpleUploadedFile(name, content), **fields})
    if answer.status != 202:
        return answer
    run_jobs(person.organization)
    return person.get(f"/v1/dnc/uploads/{answer.data['jobId']}").data


def numbers(person, list_id):
    return {entry["phoneNumber"] for entry in person.get(f"/v1/dnc-entries?listId={list_id}&limit=200").data}


def test_every_organization_begins_with_the_shared_registries(manager):
    lists = manager.get("/v1/dnc-lists?sort=name").data
    assert [(each["type"], each["registry"]) for each in lists] == [("federal", "us-federal"), ("state", "us-state")]
    first, second = fresh_code(), fresh_code()
    load_lines(first, [5550100])
    before = manager.get("/v1/dnc-lists?type=federal").data[0]["contactCount"]
    load_lines(second, range(5550100, 5550150))
    federal = manager.get("/v1/dnc-lists?type=federal").data[0]
    assert federal["contactCount"] == before + 50
    assert federal["lastUpdated"]
    assert federal["versionDate"]
    assert federal["freshness"] in ("fresh", "stale")
    assert federal["source"] == "Federal Trade Commission"
    assert federal["complianceLevel"] == "federal"


def test_a_registry_is_kept_by_the_platform(manager):
    federal = manager.get("/v1/dnc-lists?type=federal").data[0]["id"]
    assert manager.delete(f"/v1/dnc-lists/{federal}").error["code"] == "REGISTRY_LIST"
    assert manager.put(f"/v1/dnc-lists/{federal}", {"source": "mine"}).status == 409
    assert manager.post("/v1/dnc-entries", {"listId": federal, "phoneNumber": phone_number()}).status == 409
    assert upload(manager, federal, "phone\n+12125550100\n").status == 409
    assert manager.put(f"/v1/dnc-lists/{federal}", {"status": "inactive"}).data["status"] == "inactive"
    answer = manager.post("/v1/dnc-lists", {"name": "Canada", "type": "federal", "registry": "ca-dncl"})
    assert answer.status == 201
    assert manager.post("/v1/dnc-lists", {"name": "Again", "type": "federal", "registry": "ca-dncl"}).status == 409
    assert manager.post("/v1/dnc-lists", {"name": "None", "type": "federal"}).status == 422


def test_a_list_is_made_shown_changed_and_deleted(manager):
    body = {
        "name": "Company Internal DNC",
        "type": "company",
        "description": "Internal opt-out requests",
        "complianceLevel": "internal",
        "autoUpdate": False,
    }
    made = manager.post("/v1/dnc-lists", body)
    assert made.status == 201
    assert {name: made.data[name] for name in body} == body
    assert (made.data["contactCount"], made.data["status"]) == (0, "active")
    assert manager.post("/v1/dnc-lists", body).error["code"] == "DNC_LIST_EXISTS"
    list_id = made.data["id"]
    assert manager.patch(f"/v1/dnc-lists/{list_id}", {"name": unique("n")}).status == 200
    assert manager.delete(f"/v1/dnc-lists/{list_id}").json["message"] == "DNC list deleted successfully"
    assert manager.get(f"/v1/dnc-lists/{list_id}").status == 404


def test_agents_check_and_note_opt_outs_but_do_not_manage(agent):
    assert agent.get("/v1/dnc-lists").status == 403
    assert agent.post("/v1/dnc/check", {"phoneNumbers": [phone_number()]}).status == 200
    assert agent.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone_number()]}).status == 201


def test_an_entry_keeps_what_is_told_and_counts_follow(manager):
    list_id, phone = company_list(manager), phone_number()
    body = {
        "listId": list_id,
        "phoneNumber": phone,
        "source": "Customer Request",
        "reason": "Opt-out",
        "notes": "Called",
    }
    made = manager.post("/v1/dnc-entries", body)
    assert made.status == 201
    assert {name: made.data[name] for name in body} == body
    assert (made.data["expiryDate"], made.data["status"]) == (None, "active")
    assert made.data["listName"]
    assert made.data["dateAdded"]
    again = manager.post("/v1/dnc-entries", body)
    assert (again.status, again.error["details"]["existingId"]) == (409, made.data["id"])
    assert manager.post("/v1/dnc-entries", body | {"phoneNumber": "12"}).status == 422
    entry = f"/v1/dnc-entries/{made.data['id']}"

    def count():
        return manager.get(f"/v1/dnc-lists/{list_id}").data["contactCount"]

    assert count() == 1
    assert manager.put(entry, {"phoneNumber": phone}).status == 200
    assert manager.put(entry, {"reason": "Asked twice"}).data["reason"] == "Asked twice"
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert manager.patch(entry, {"expiryDate": past}).data["status"] == "expired"
    assert count() == 0
    assert manager.patch(entry, {"expiryDate": None}).data["status"] == "active"
    assert count() == 1
    tasks.compact_entry_tallies()
    assert count() == 1
    assert manager.delete(entry).status == 200
    assert count() == 0


def test_entries_are_found_by_how_their_number_begins(manager):
    list_id = company_list(manager)
    for phone in ("+12125550123", "+12125550199", "+13105550123", "+1212555*"):
        manager.post("/v1/dnc-entries", {"listId": list_id, "phoneNumber": phone})

    def found(query):
        return {entry["phoneNumber"] for entry in manager.get(f"/v1/dnc-entries?{query}").data}

    assert found("search=%2B1212") == {"+12125550123", "+12125550199", "+1212555*"}
    assert found("search=%2B12125550123") == {"+12125550123"}
    assert found("search=%28131%290555") == {"+13105550123"}
    assert found(f"listId={list_id}&status=expired") == set()
    assert found("search=none") == set()


def test_entries_run_out_by_the_clock(manager):
    list_id = company_list(manager)
    made = manager.post("/v1/dnc-entries", {"listId": list_id, "phoneNumber": phone_number()}).data
    with organization_scope(manager.organization.id):
        DncEntry.objects.filter(pk=made["id"]).update(expiry_date=Now() - timedelta(seconds=1))
    ScheduleTick.objects.filter(schedule="dnc.tasks.expire_entries").delete()
    assert tasks.expire_entries() >= 1
    assert manager.get(f"/v1/dnc-entries/{made['id']}").data["status"] == "expired"
    assert manager.get(f"/v1/dnc-lists/{list_id}").data["contactCount"] == 0


def test_a_number_stays_blocked_when_its_contact_goes_and_comes_back(manager):
    code = fresh_code()
    load_lines(code, [5550100])
    subscribe(manager)
    phone = f"+1{code}5550150"
    contact = manager.post("/v1/contacts", {"phone": phone}).data
    manager.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone]})
    manager.delete(f"/v1/contacts/{contact['id']}")
    with organization_scope(manager.organization.id):
        Contact.objects.filter(pk=contact["id"]).delete()
    assert manager.post("/v1/contacts", {"phone": phone}).status == 201
    assert check(manager, phone)[0]["code"] == "P"


def test_a_merge_keeps_the_no_of_either_contact_for_both_their_numbers(manager):
    code = fresh_code()
    load_lines(code, [5550100])
    subscribe(manager)
    refused, open_to_calls = f"+1{code}5550150", f"+1{code}5550151"
    first, second = (manager.post("/v1/contacts", {"phone": phone}).data["id"] for phone in (open_to_calls, refused))
    manager.post("/v1/dnc/opt-outs", {"phoneNumbers": [refused]})
    assert check(manager, open_to_calls)[0]["code"] != "P"
    assert manager.post("/v1/contacts/merge", {"contactId": first, "mergeIds": [second]}).status == 200
    assert check(manager, open_to_calls)[0]["code"] == check(manager, refused)[0]["code"] == "P"


def test_a_file_of_ones_own_is_loaded_and_its_counts_add_up(manager):
    list_id = company_list(manager)
    phones = [phone_number() for _ in range(5)]
    text = "Name,Phone,Reason\n" + "".join(f"Ada,{phone},asked\n" for phone in [*phones, phones[0], "12", "n/a"])
    done = upload(manager, list_id, text)
    assert done["status"] == "completed"
    assert done["results"] == {"added": 5, "updated": 0, "removed": 0, "unchanged": 1, "invalid": 2}
    assert done["total"] == 8
    assert [error["row"] for error in done["errors"]] == [8, 9]
    assert numbers(manager, list_id) == set(phones)
    assert manager.get(f"/v1/dnc-lists/{list_id}").data["contactCount"] == 5
    assert upload(manager, list_id, text).error["code"] == "FILE_ALREADY_LOADED"
    replaced = upload(manager, list_id, f"phone\n{phones[1]}\n{phones[2]}\n", replace="true")
    assert replaced["results"]["removed"] == 3
    assert numbers(manager, list_id) == {phones[1], phones[2]}


def test_a_state_list_is_read_by_its_configured_columns(manager):
    list_id = company_list(manager, type="state", state="TX")
    options = {
        "delimiter": "|",
        "header": 0,
        "phone": [0, 1],
        "date": 2,
        "dateFormat": "%m/%d/%Y",
        "action": 3,
        "addCodes": ["+"],
        "removeCodes": ["-"],
    }
    day = f"{days_ago(30):%m/%d/%Y}"
    text = f"212|5550123|{day}|+\n212|5550124|{day}|+\n212|5550123|{day}|-\n"
    done = upload(manager, list_id, text, "tx.txt", format="delimited", options=json.dumps(options))
    assert done["status"] == "completed", done
    (entry,) = manager.get(f"/v1/dnc-entries?listId={list_id}").data
    assert entry["phoneNumber"] == "+12125550124"
    assert entry["expiryDate"][:10] == str(days_ago(30).replace(year=days_ago(30).year + 3))
    fixed = {"offsets": {"phone": [4, 14]}}
    done = upload(
        manager, list_id, "TX  2125550125 x\nTX  2125550126 x\n", "f.txt", format="delimited", options=json.dumps(fixed)
    )
    assert done["results"]["added"] == 2


# Each format: a golden sample, how many numbers or facts it holds, and files that break its promise.
GOLDEN = {
    "ftc-flat": (b"212,5550100\n212,0000818\n", 2, [b"212,5550100\n212,555010\n", b"212,5550100\n2125550101\n"]),
    "ftc-changes": (
        b"2125550100,2022-12-07T02:20:18,A\n2125550101,2022-12-07T02:20:19,A\n",
        2,
        [b"2125550100,2022-12-07T02:20:18,A\n2125550101,2022-12-07T02:20:19,X\n",
         b"2125550100,2022-13-07T02:20:18,A\n", b"2125550100 2022-12-07 A\n2125550100,2022-12-07T02:20:18,A\n"],
    ),
    "ftc-xml": (
        b"<list type='full' level='ac' val='212'>\n<ac val='212'> <ph val='5550100' /> <ph val='5550101' />\n</ac> </list>",
        2,
        [b"<list type='full' level='ac' val='212'><ac val='212'><ph val='55501' /></ac></list>",
         b"<list type='full' level='ac' val='212'><ph val='5550100' /><script/></list>",
         b"<list type='full' level='ac' val='212'><ph val='5550100' /><ph val="],
    ),
    "lnnte": (b"416,5550100\n416,5550101\n", 2, [b"416,5550100\n416;5550101\n"]),
    "tps": (
        b"01635 506160\r\n0207 3787244\r\n02073787245 \r\n",
        3,
        [b"01635 506160\r\n01635 50616\r\n", b"01635 506160\r\n0163A 506160\r\n", b"0163       6\r\n"],
    ),
    "rnd": (
        b"phone,date,reassigned\n2125550100,2024-03-01,no\n2125550101,11/15/2021,yes\n2125550102,1/5/21,no data\n",
        3,
        [b"phone,date,reassigned\n2125550100,2024-03-01,no\n2125550101,2024-03-01,maybe\n",
         b"2125550100,2024-03-01,no\n2125550101,yesterday,no\n"],
    ),
    "line-types": (
        b"phone,line_type,ported_at\n12125550100,wireless,2026-01-02\n442071234567,landline,\n",
        2,
        [b"phone,line_type,ported_at\n12125550100,satellite,\n", b"phone,line_type,ported_at\nx,voip,\n"],
    ),
    "delimited": (b"phone;reason\n+12125550100;asked\n212-555-0101;asked\n", 2, [b"phone,expiry\n+12125550100,soon\n"]),
}  # fmt: skip


def test_every_format_has_a_golden_sample_and_broken_ones():
    assert set(GOLDEN) == set(all_formats())


@pytest.mark.parametrize("slug", GOLDEN)
def test_a_golden_sample_is_taken_whole_and_a_broken_one_changes_nothing(manager, slug):
    golden, count, broken = GOLDEN[slug]
    list_id = company_list(manager)

    def stored():
        with organization_scope(manager.organization.id):
            return DncEntry.objects.count() + NumberFact.objects.count()

    for content in broken:
        done = upload(manager, list_id, content, format=slug)
        failed = done["status"] == "failed" and done["error"]["code"] if isinstance(done, dict) else done.status == 422
        assert failed, done
        assert stored() == 0
    done = upload(manager, list_id, golden)
    assert done["status"] == "completed", done
    assert sum(done["results"].values()) == count
    assert stored() == count


@pytest.mark.parametrize(
    "content", [b"", b"first_name,email\nAda,ada@example.test\n", b"\x00\x01\x02", b"PK\x03\x04broken", b"%PDF-1.7\n"]
)
def test_unknown_content_is_refused_and_never_guessed(manager, content):
    answer = upload(manager, company_list(manager), content)
    assert (answer.status, answer.error["code"]) == (422, "UNKNOWN_FORMAT")


def test_subscriptions_are_kept_and_checked(manager):
    made = subscribe(manager, "212", "310")
    assert made["areaCodes"] == ["212", "310"]
    assert made["isValid"]
    path = f"/v1/dnc/entitlements/{made['id']}"
    assert manager.patch(path, {"validTo": "2001-01-01"}).status == 422
    assert manager.patch(path, {"areaCodes": ["1"]}).status == 422
    assert not manager.patch(path, {"validTo": str(days_ago(1))}).data["isValid"]
    assert manager.delete(path).status == 200
    assert manager.get(path).status == 404


def test_the_registries_show_each_area_code(manager):
    fresh, stale, missing = fresh_code(), fresh_code(), fresh_code()
    load_lines(fresh, [5550100])
    load_lines(stale, [5550100], days_ago(60))
    federal = next(each for each in manager.get("/v1/dnc/registries").data if each["slug"] == "us-federal")
    states = {area["area"]: area["status"] for area in federal["areas"]}
    assert (states[fresh], states[stale], states[missing]) == ("fresh", "stale", "missing")
    assert len(states) > 340
