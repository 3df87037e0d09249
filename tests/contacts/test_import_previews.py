"""Looking before importing: what the preview says is what the import then does."""

import random

import pytest

from contacts.models import Contact, ContactListMembership
from contacts.services import import_files
from tests.contacts.uploads import contacts_of, import_file, rejected_rows, upload
from tests.factories import phone_number, run_jobs
from vocelio.jobs.models import Doorbell
from vocelio.organizations.scope import organization_scope

HEADER = "first_name,last_name,phone,email,company,Score\n"
ANN = "Ann,Smith,212-555-0101,ann@example.com,Acme,7\n"
BOB = "Bob,Jones,212-555-0102,,,\n"


def draft(person, content, **fields):
    answer = upload(person, content, preview="true", **fields)
    assert answer.status == 202, answer
    return answer.data["jobId"]


def preview_of(person, job_id):
    run_jobs(person.organization)
    return person.get(f"/v1/uploads/contacts/{job_id}/preview").data


def everything(person):
    with organization_scope(person.organization.id):
        contacts = list(Contact.objects.order_by("id").values())
        return contacts, list(ContactListMembership.objects.order_by("id").values())


def test_a_preview_shows_the_file_and_what_an_import_would_do(manager):
    import_file(manager, HEADER + ANN)
    before = everything(manager)
    job_id = draft(
        manager, HEADER.replace(",", ";") + "Anna;Smith;2125550101;;Globex;8\nBob;;2125550102;;;\nX;;12;;;\n"
    )
    found = manager.post(f"/v1/uploads/contacts/{job_id}/preview", {"policy": "overwrite"})
    assert found.status == 202
    assert found.data["file"] == {
        "kind": "csv",
        "encoding": "utf-8",
        "delimiter": ";",
        "quote": '"',
        "sheet": None,
        "headerRow": 1,
    }
    phone, score = found.data["columns"][2], found.data["columns"][5]
    assert (phone["target"], phone["samples"]) == ("phone", ["2125550101", "2125550102", "12"])
    assert (phone["confidence"] > 0.5, score["target"], score["confidence"]) == (True, "custom:Score", 0)
    assert found.data["firstRows"][0] == {"row": 2, "cells": ["Anna", "Smith", "2125550101", "", "Globex", "8"]}
    shown = preview_of(manager, job_id)
    assert (shown["status"], shown["isDraft"]) == ("pending", True)
    dry_run = shown["dryRun"]
    assert (dry_run["status"], dry_run["progress"], dry_run["total"]) == ("completed", 100, 3)
    assert dry_run["results"] == {"totalRows": 3, "created": 1, "updated": 1, "skipped": 0, "rejected": 1}
    assert dry_run["fieldChanges"] == {"firstName": 1, "company": 1, "custom:Score": 1}
    (updated,) = dry_run["samples"]["updated"]
    assert updated["changes"] == {
        "firstName": {"before": "Ann", "after": "Anna"},
        "company": {"before": "Acme", "after": "Globex"},
        "custom:Score": {"before": "7", "after": "8"},
    }
    assert dry_run["samples"]["created"] == [{"row": 3, "data": {"phone": "+12125550102", "firstName": "Bob"}}]
    assert dry_run["samples"]["rejected"][0]["suggestedFix"]
    assert everything(manager) == before
    assert not Doorbell.objects.filter(organization_id=manager.organization.id).exists()


def test_a_draft_starts_once_with_what_was_chosen(manager):
    import_file(manager, HEADER + ANN)
    job_id = draft(manager, "Who,Number,Booth,Junk\nAnn B,2125550101,7,x\nEve C,2125550103,8,y\n")
    options = {
        "mapping": {"Who": "fullName", "Number": "phone", "Booth": "custom:booth", "Junk": "ignore"},
        "policy": "overwrite",
        "fieldPolicies": {"fullName": "skip", "firstName": "skip", "lastName": "skip"},
        "tags": ["fair"],
        "listName": "Fair",
    }
    started = manager.post(f"/v1/uploads/contacts/{job_id}/start", options)
    assert started.status == 202
    run_jobs(manager.organization)
    done = manager.get(f"/v1/uploads/contacts/{job_id}").data
    assert (done["status"], done["isDraft"], done["results"]["imported"], done["results"]["updated"]) == (
        "completed",
        False,
        1,
        1,
    )
    ann, eve = contacts_of(manager)
    assert (ann.name, ann.custom_fields, ann.tags) == ("Ann Smith", {"Score": "7", "booth": "7"}, ["fair"])
    assert (eve.name, eve.custom_fields, eve.tags) == ("Eve C", {"booth": "8"}, ["fair"])
    again = manager.post(f"/v1/uploads/contacts/{job_id}/start", {})
    assert again.status == 409


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({"mapping": {"phone": "telephone"}}, {"mapping.phone"}),
        ({"matchKeys": ["shoeSize"]}, {"matchKeys"}),
        ({"policy": "maybe", "region": "XX"}, {"policy", "region"}),
        ({"fieldPolicies": {"nothing": "fill"}}, {"fieldPolicies"}),
        ({"mapping": {"company": "phone", "phone": "phone"}}, {"mapping"}),
    ],
)
def test_options_that_make_no_sense_are_refused_and_named(manager, options, fields):
    job_id = draft(manager, HEADER + ANN)
    answer = manager.post(f"/v1/uploads/contacts/{job_id}/start", options)
    assert answer.status == 422
    assert {error["field"] for error in answer.error["details"]["errors"]} == fields


def test_a_file_that_is_no_table_is_refused_before_there_is_a_draft(manager):
    assert upload(manager, b"PK\x03\x04 broken", "contacts.xlsx", preview="true").status == 422
    assert manager.get("/v1/uploads").json["pagination"]["total"] == 0


def test_a_file_without_known_columns_waits_for_its_mapping(manager):
    job_id = draft(manager, "a,b\nx,y\n")
    assert preview_of(manager, job_id)["dryRun"] is None
    assert manager.post(f"/v1/uploads/contacts/{job_id}/start", {}).error["code"] == "NO_CONTACT_COLUMNS"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("skip", ("Ann", "", "Acme", {"Score": "7"})),
        ("fill", ("Ann", "Boss", "Acme", {"Score": "7", "Size": "9"})),
        ("overwrite", ("Anna", "Boss", "Globex", {"Score": "8", "Size": "9"})),
    ],
)
def test_a_policy_says_what_rows_do_to_known_contacts(manager, policy, expected):
    import_file(manager, HEADER + ANN)
    job_id = draft(manager, "first_name,phone,title,company,Score,Size\nAnna,2125550101,Boss,Globex,8,9\n")
    manager.post(f"/v1/uploads/contacts/{job_id}/start", {"policy": policy})
    run_jobs(manager.organization)
    (ann,) = contacts_of(manager)
    assert (ann.first_name, ann.title, ann.company, ann.custom_fields) == expected


@pytest.mark.parametrize("key", ["email", "externalId", "custom:Badge"])
def test_rows_are_known_by_the_chosen_key(manager, key):
    import_file(manager, "name,phone,email,External ID,Badge\nAnn,2125550101,ann@example.com,E1,B1\n")
    row = "Anna,2125550109,ann@example.com,E1,B1\n"
    other = "Eve,2125550109,eve@example.com,E2,B2\n"
    job_id = draft(manager, "first_name,phone,email,External ID,Badge\n" + row + other)
    manager.post(f"/v1/uploads/contacts/{job_id}/preview", {"matchKeys": [key], "policy": "overwrite"})
    results = preview_of(manager, job_id)["dryRun"]["results"]
    assert (results["updated"], results["created"], results["rejected"]) == (1, 0, 1)
    manager.post(f"/v1/uploads/contacts/{job_id}/start", {})
    run_jobs(manager.organization)
    (ann,) = contacts_of(manager)
    assert (ann.first_name, ann.phone) == ("Anna", "+12125550109")
    assert "belongs to another contact" in rejected_rows(manager, job_id)[1][1]


def test_the_kind_of_a_custom_value_stays(manager):
    values = {"score": 7, "vip": False, "colour": "x"}
    manager.post("/v1/contacts", {"phone": "+12125550101", "customFields": values})
    job_id = draft(manager, "phone,score,vip,colour\n2125550101,8.5,TRUE,9\n")
    manager.post(f"/v1/uploads/contacts/{job_id}/start", {"policy": "overwrite"})
    run_jobs(manager.organization)
    assert contacts_of(manager)[0].custom_fields == {"score": 8.5, "vip": True, "colour": "9"}


def test_rejected_rows_can_be_corrected_and_uploaded_again(manager):
    job = import_file(manager, HEADER + ANN + "Eve,=1+1,555-CALL,eve@example.com,'Acme,5\n")
    ours, eve = rejected_rows(manager, job["id"])
    eve[ours.index("phone")] = "212-555-0109"
    text = ",".join(f'"{cell}"' for cell in ours) + "\n" + ",".join(f'"{cell}"' for cell in eve) + "\n"
    assert import_file(manager, text)["results"]["imported"] == 1
    contact = contacts_of(manager)[1]
    assert (contact.first_name, contact.last_name, contact.company) == ("Eve", "=1+1", "'Acme")
    assert contact.custom_fields == {"Score": "5"}


def test_presets_are_kept_applied_and_offered(manager):
    options = {"mapping": {"Nr": "phone", "Wer": "fullName"}, "policy": "fill", "matchKeys": ["phone"]}
    made = manager.post("/v1/uploads/presets", {"name": "Fair", "options": options})
    assert (made.status, made.data["options"]) == (201, options)
    taken = manager.post("/v1/uploads/presets", {"name": "Fair", "options": {}})
    assert (taken.status, taken.error["code"]) == (409, "PRESET_EXISTS")
    preset_id = made.data["id"]
    assert manager.patch(f"/v1/uploads/presets/{preset_id}", {"name": "Trade fair"}).data["name"] == "Trade fair"
    shown = preview_of(manager, draft(manager, "Nr,Wer\n2125550101,Ann Smith\n"))
    assert shown["presets"] == [{"id": preset_id, "name": "Trade fair"}]
    job = import_file(manager, "Nr,Wer\n2125550101,Ann Smith\n", presetId=preset_id)
    assert (job["results"]["imported"], contacts_of(manager)[0].name) == (1, "Ann Smith")
    assert manager.get("/v1/uploads/presets").data[0]["createdBy"]["id"] == str(manager.user.id)
    assert manager.delete(f"/v1/uploads/presets/{preset_id}").status == 200
    assert manager.get(f"/v1/uploads/presets/{preset_id}").status == 404


def test_defined_custom_fields_are_checked_and_kept_as_what_they_are(manager, admin):
    for key, fields in {
        "score": {"type": "number"},
        "since": {"type": "date"},
        "vip": {"type": "boolean"},
        "size": {"type": "choice", "options": ["S", "L"], "isRequired": True},
        "areas": {"type": "multi-choice", "options": ["north", "south"]},
        "stage": {"type": "text", "default": "new"},
        "salary": {"type": "number", "isSensitive": True},
    }.items():
        made = admin.post("/v1/contact-fields", {"key": key, "label": key, **fields})
        assert made.status == 201, made
    rows = "2125550101,8.50,2026-01-31T10:00,yes,l,north; South,90000\n2125550102,eight,,,S,,\n2125550103,,,,,,\n"
    job_id = draft(manager, "phone,score,since,vip,size,areas,salary\n" + rows)
    shown = preview_of(manager, job_id)
    assert [column["target"] for column in shown["columns"]][-1] == "ignore"
    assert (shown["dryRun"]["results"]["created"], shown["dryRun"]["results"]["rejected"]) == (1, 2)
    bad = manager.post(f"/v1/uploads/contacts/{job_id}/start", {"mapping": {"salary": "custom:salary"}})
    assert (bad.status, "sensitive" in bad.error["message"]) == (422, True)
    manager.post(f"/v1/uploads/contacts/{job_id}/start", {"mapping": {"salary": "ignore"}})
    run_jobs(manager.organization)
    (contact,) = contacts_of(manager)
    values = {
        "score": 8.5,
        "since": "2026-01-31",
        "vip": True,
        "size": "L",
        "areas": ["north", "south"],
        "stage": "new",
    }
    assert contact.custom_fields == values
    errors = [row[1] for row in rejected_rows(manager, job_id)[1:]]
    assert errors == ["score: This must be a number.", "size is required"]
    # The same again, overwriting, changes nothing.
    again = import_file(manager, "phone,score,since,vip,size,areas\n" + rows.split(",90000")[0], skipDuplicates="false")
    assert again["results"]["duplicates"] == 1


def dirty(draw, rows, phones):
    lines = ["first_name,company,phone,email,tags,Score"]
    for _ in range(rows):
        phone = draw.choice([*phones, "", "12", phone_number(draw.randint(1, 40))])
        email = draw.choice(["", "", f"p{draw.randint(1, 15)}@example.com"])
        tags = draw.choice(["", "a", "a;b", "c"])
        name, company = draw.choice(["", "Ann", "Bob"]), draw.choice(["", "Acme", "Globex"])
        lines.append(f"{name},{company},{phone},{email if not phone else ''},{tags},{draw.choice(['', '1', '2'])}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("policy", ["skip", "fill", "overwrite"])
def test_a_dry_run_counts_what_the_import_then_does_whatever_the_chunk(manager, monkeypatch, seed, policy):
    draw = random.Random(seed)  # noqa: S311
    phones = [phone_number(1_000 + number) for number in range(10)]
    import_file(manager, dirty(draw, 15, phones))
    text = dirty(draw, 80, phones)
    monkeypatch.setattr(import_files, "CHUNK_ROWS", draw.choice([1, 3, 10, 100]))
    job_id = draft(manager, text)
    manager.post(f"/v1/uploads/contacts/{job_id}/preview", {"policy": policy})
    predicted = preview_of(manager, job_id)["dryRun"]["results"]
    monkeypatch.setattr(import_files, "CHUNK_ROWS", draw.choice([1, 7, 100]))
    manager.post(f"/v1/uploads/contacts/{job_id}/start", {})
    run_jobs(manager.organization)
    did = manager.get(f"/v1/uploads/contacts/{job_id}").data["results"]
    assert predicted == {
        "totalRows": did["totalRows"],
        "created": did["imported"],
        "updated": did["updated"],
        "skipped": did["duplicates"],
        "rejected": did["invalidContacts"],
    }
