import io

import openpyxl
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import override_settings

from benchmarks.contact_files import existing_phones, write_csv
from contacts.models import Contact, ContactImport, ContactListMembership
from contacts.services import import_chunks, import_files, imports
from contacts.services.rejections import OUR_COLUMNS
from contacts.signals import contacts_changed
from tests.contacts.uploads import contacts_of, import_file, rejected_rows, upload
from tests.factories import make_organization, make_person, phone_number, run_jobs
from vocelio.audit.models import AuditEntry
from vocelio.jobs.services import cancel_job
from vocelio.organizations.models import Tier
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event

HEADER = "first_name,last_name,phone,email,company\n"
ANN = "Ann,Smith,212-555-0101,ann@example.com,Acme\n"
BOB = "Bob,Jones,212-555-0102,,\n"


def members(person, list_id):
    with organization_scope(person.organization.id):
        rows = ContactListMembership.objects.filter(list_id=list_id)
        return set(rows.values_list("contact__phone", flat=True))


def test_an_upload_answers_with_a_job_and_imports_it(manager):
    answer = upload(manager, HEADER + ANN + BOB)
    assert answer.status == 202
    assert answer.data == {
        "jobId": answer.data["jobId"],
        "filename": "contacts.csv",
        "fileSize": len(HEADER + ANN + BOB),
        "status": "pending",
        "estimatedProcessingTime": "less than a minute",
    }
    run_jobs(manager.organization)
    done = manager.get(f"/v1/uploads/contacts/{answer.data['jobId']}").data
    assert (done["status"], done["progress"], done["total"]) == ("completed", 100, 2)
    assert done["results"] == {
        "totalRows": 2,
        "validContacts": 2,
        "invalidContacts": 0,
        "duplicates": 0,
        "imported": 2,
        "updated": 0,
        "skipped": 0,
    }
    assert done["validationErrors"] == []
    assert done["createdAt"] < done["completedAt"]
    ann, bob = contacts_of(manager)
    assert (ann.name, ann.phone, ann.email, ann.company) == ("Ann Smith", "+12125550101", "ann@example.com", "Acme")
    assert (ann.source, ann.created_by_id, str(ann.import_id)) == ("import", manager.user.id, done["id"])
    assert bob.phone == "+12125550102"
    (told,) = manager.get("/v1/feed?kind=import.completed").data
    assert (told["title"], told["data"]["imported"], told["resourceId"]) == ("contacts.csv", 2, done["id"])


def test_a_dirty_file_counts_what_plain_python_counts(manager, tmp_path, monkeypatch):
    monkeypatch.setattr(import_files, "CHUNK_ROWS", 300)
    import_file(manager, "phone\n" + "\n".join(existing_phones(200)))
    expected = write_csv(tmp_path / "dirty.csv", 2_000, existing=200)
    job = import_file(manager, (tmp_path / "dirty.csv").read_bytes(), listName="Dirty")
    results = job["results"]
    assert (results["totalRows"], results["imported"], results["duplicates"], results["invalidContacts"]) == (
        expected.total,
        expected.imported,
        expected.duplicates,
        expected.invalid,
    )
    assert results["skipped"] == expected.duplicates + expected.invalid
    assert len(contacts_of(manager)) == 200 + expected.imported
    assert len(rejected_rows(manager, job["id"])) == 1 + expected.invalid
    assert len(job["validationErrors"]) == 100


def test_rejected_rows_say_where_why_and_what(manager):
    job = import_file(
        manager, HEADER + ANN + "Eve,,555-CALL,eve@example.com,\n" + "Nobody,,,,Acme\n" + "Max,,,not mail,\n"
    )
    assert job["validationErrors"] == [
        {
            "row": 3,
            "error": "Invalid phone number format: contains letters",
            "suggestedFix": "Write the number in digits only.",
            "data": {"firstName": "Eve", "phone": "555-CALL", "email": "eve@example.com"},
        },
        {
            "row": 4,
            "error": "Neither a phone number nor an e-mail address",
            "suggestedFix": "Fill in a phone number or an e-mail address.",
            "data": {"firstName": "Nobody", "company": "Acme"},
        },
        {
            "row": 5,
            "error": "Invalid e-mail address",
            "suggestedFix": "An e-mail address looks like name@example.com.",
            "data": {"firstName": "Max", "email": "not mail"},
        },
    ]
    assert job["results"]["invalidContacts"] == 3


def test_rejected_rows_download_is_safe_to_open_in_a_spreadsheet(manager):
    job = import_file(manager, HEADER + '"=cmd|\' /C calc\'!A0",@x,+1 555,-2+3,"say ""hi"""\n')
    fix = "Digits are missing; check the number and its area code."
    assert rejected_rows(manager, job["id"]) == [
        [*OUR_COLUMNS, "first_name", "last_name", "phone", "email", "company"],
        [
            "2",
            "Invalid phone number format: too short",
            fix,
            "'=cmd|' /C calc'!A0",
            "'@x",
            "+1 555",
            "'-2+3",
            'say "hi"',
        ],
    ]


def test_rows_that_repeat_a_contact_are_skipped_but_join_the_list(manager):
    import_file(manager, HEADER + ANN)
    job = import_file(
        manager, HEADER + "Anna,,+1 212 555 0101,,\n" + BOB + "Rob,,(212) 555-0102,,\n", listName="Everyone"
    )
    assert (job["results"]["imported"], job["results"]["duplicates"]) == (1, 2)
    assert [contact.first_name for contact in contacts_of(manager)] == ["Ann", "Bob"]
    assert members(manager, job["listId"]) == {"+12125550101", "+12125550102"}


def test_rows_that_repeat_a_contact_update_it_when_asked(manager):
    import_file(manager, HEADER + ANN)
    job = import_file(
        manager,
        "first_name,last_name,phone,company,tags,Score\n"
        "Anna,,2125550101,,vip,7\n"
        "Bob,Jones,2125550102,,,\n"
        "Robert,,2125550102,Globex,lead,\n"
        "Annie,,2125550101,,lead;vip,\n",
        skipDuplicates="false",
        listName="Updated",
    )
    results = job["results"]
    assert (results["totalRows"], results["imported"], results["updated"], results["duplicates"]) == (4, 1, 3, 0)
    ann, bob = contacts_of(manager)
    assert (ann.name, ann.company, ann.tags, ann.custom_fields) == (
        "Annie Smith",
        "Acme",
        ["vip", "lead"],
        {"Score": "7"},
    )
    assert (bob.name, bob.company, bob.tags) == ("Robert Jones", "Globex", ["lead"])
    assert members(manager, job["listId"]) == {"+12125550101", "+12125550102"}


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_rows_without_phone_are_told_apart_by_email_whatever_the_chunk(manager, monkeypatch, chunk_rows):
    monkeypatch.setattr(import_files, "CHUNK_ROWS", chunk_rows)
    job = import_file(
        manager,
        HEADER
        + "Early,,,a@example.com,\n"
        + "Phone,,2125550101,a@example.com,\n"
        + "Late,,,A@Example.com,\n"
        + "Other,,2125550102,b@example.com,\n"
        + "Repeat,,,b@example.com,\n",
    )
    assert (job["results"]["imported"], job["results"]["duplicates"]) == (3, 2)
    assert {contact.first_name for contact in contacts_of(manager)} == {"Early", "Phone", "Other"}


def test_contacts_in_the_trash_do_not_count_as_existing(manager):
    import_file(manager, HEADER + ANN)
    with organization_scope(manager.organization.id):
        Contact.objects.update(deleted_at="2026-01-01T00:00:00Z")
    assert import_file(manager, HEADER + ANN)["results"]["imported"] == 1


def test_a_contact_saved_between_look_up_and_writing_wins(manager, monkeypatch):
    look_up = import_chunks.find_known
    first = {"phone": "+12125550101", "first_name": "First"}

    def slow_look_up(*args):
        found = look_up(*args)
        if first:
            Contact.objects.create(**first)
            first.clear()
        return found

    monkeypatch.setattr(import_chunks, "find_known", slow_look_up)
    job = import_file(manager, HEADER + ANN + BOB, listName="Race")
    assert (job["results"]["imported"], job["results"]["duplicates"]) == (1, 1)
    assert sorted(contact.first_name for contact in contacts_of(manager)) == ["Bob", "First"]
    assert members(manager, job["listId"]) == {"+12125550101", "+12125550102"}


def test_phones_need_only_be_dialable_when_they_are_not_to_be_validated(manager):
    rows = HEADER + "Ann,,212-111-0101,,\n" + "Eve,,555-CALL,eve@example.com,\n" + "Max,,555-CALL,,\n"
    job = import_file(manager, rows, validatePhones="false")
    assert (job["results"]["imported"], job["results"]["invalidContacts"]) == (2, 1)
    ann, eve = contacts_of(manager)
    assert ann.phone == "+12121110101"
    assert (eve.phone, eve.custom_fields) == (None, {"phone": "555-CALL"})


def test_values_are_kept_as_people_mean_them(manager):
    job = import_file(
        manager,
        "Name;Mobile;E-mail Address;Postal Code;Country;Tags;Account No\n"
        '"Smith, Ann";020 7946 0958;"Ann <ANN@Example.com>";02108;United Kingdom;vip, lead;00042\n'
        "Bob Jones;+1 212 555 0102 ext. 7;broken@;;Atlantis;;\n",
    )
    assert job["results"]["imported"] == 1
    (bob,) = contacts_of(manager)
    assert (bob.first_name, bob.last_name, bob.phone_extension) == ("Bob", "Jones", "7")
    assert (bob.email, bob.custom_fields) == ("", {"E-mail Address": "broken@", "Country": "Atlantis"})
    manager.organization.default_region = "GB"
    manager.organization.save()
    import_file(
        manager,
        "Name;Mobile;E-mail Address;Postal Code;Country;Tags;Account No\n"
        '"Smith, Ann";020 7946 0958;"Ann <ANN@Example.com>";02108;United Kingdom;vip, lead;00042\n',
    )
    ann = contacts_of(manager)[1]
    assert (ann.name, ann.phone, ann.email, ann.zip, ann.country) == (
        "Ann Smith",
        "+442079460958",
        "ann@example.com",
        "02108",
        "GB",
    )
    assert (ann.tags, ann.custom_fields) == (["vip", "lead"], {"Account No": "00042"})


def test_a_value_too_long_rejects_its_row_and_names_the_column(manager):
    job = import_file(manager, "Surname,Mobile,Zip\n" + "x" * 101 + ",2125550101,\n" + f"Y,2125550102,{'9' * 21}\n")
    assert [error["error"] for error in job["validationErrors"]] == [
        "Surname is longer than 100 characters",
        "Zip is longer than 20 characters",
    ]


def test_list_id_and_list_name_fill_existing_lists_and_make_new_ones(manager, outsider):
    first = import_file(manager, HEADER + ANN, listName="Leads")["listId"]
    assert import_file(manager, HEADER + BOB, listName="Leads")["listId"] == first
    assert import_file(manager, HEADER + BOB, listId=first)["results"]["duplicates"] == 1
    assert members(manager, first) == {"+12125550101", "+12125550102"}
    assert upload(manager, HEADER, listId=first, listName="Both").status == 422
    assert upload(outsider, HEADER, listId=first).status == 422


def test_a_list_deleted_during_the_import_leaves_the_contacts(manager):
    answer = upload(manager, HEADER + ANN, listName="Gone")
    with organization_scope(manager.organization.id):
        ContactImport.objects.get().target_list.delete()
    run_jobs(manager.organization)
    job = manager.get(f"/v1/uploads/contacts/{answer.data['jobId']}").data
    assert (job["status"], job["results"]["imported"], job["listId"]) == ("completed", 1, None)


def test_progress_is_announced_after_each_chunk_with_numbers_that_add_up(manager, monkeypatch):
    monkeypatch.setattr(import_files, "CHUNK_ROWS", 2)
    announced = []

    def listen(organization_id, contact_ids, **kwargs):
        announced.append((organization_id, len(contact_ids)))

    contacts_changed.connect(listen)
    try:
        job = import_file(manager, HEADER + ANN + BOB + ANN + "Eve,,1,,\n" + "Joe,,2125550109,,\n")
    finally:
        contacts_changed.disconnect(listen)
    with organization_scope(manager.organization.id):
        events = list(Event.objects.filter(topic="import_progress", key=job["id"]).order_by("sequence"))
        entry = AuditEntry.objects.get(action="import.completed")
    seen = [event.data for event in events]
    assert [(each["progress"], each["processed"], each["total"]) for each in seen] == [
        (0, 0, 5),
        (40, 2, 5),
        (80, 4, 5),
        (99, 5, 5),
        (100, 5, 5),
    ]
    for each in seen:
        results = each["results"]
        assert results["totalRows"] == each["processed"] == results["imported"] + results["skipped"]
    assert seen[-1]["status"] == "completed"
    assert seen[-1]["errors"] == job["validationErrors"]
    assert entry.details == {"total": 5, "imported": 3, "updated": 0, "duplicates": 1, "invalid": 1}
    assert entry.user_id == manager.user.id
    assert announced == [(manager.organization.id, 2), (manager.organization.id, 1)]


def test_cancel_stops_after_the_chunk_in_hand_and_keeps_what_was_imported(manager, monkeypatch):
    monkeypatch.setattr(import_files, "CHUNK_ROWS", 1)
    job_id = upload(manager, HEADER + ANN + BOB).data["jobId"]
    merge = imports.merge_chunk

    def cancelling_merge(records, job, *args, **kwargs):
        cancel_job(ContactImport.objects.get(pk=job.pk))
        return merge(records, job, *args, **kwargs)

    monkeypatch.setattr(imports, "merge_chunk", cancelling_merge)
    run_jobs(manager.organization)
    job = manager.get(f"/v1/uploads/contacts/{job_id}").data
    assert (job["status"], job["results"]["imported"], job["results"]["totalRows"], job["total"]) == (
        "cancelled",
        1,
        1,
        2,
    )
    assert [contact.first_name for contact in contacts_of(manager)] == ["Ann"]
    assert manager.post(f"/v1/uploads/contacts/{job_id}/cancel").status == 409


def test_cancel_ends_a_waiting_import_at_once(manager):
    job_id = upload(manager, HEADER + ANN).data["jobId"]
    assert manager.post(f"/v1/uploads/contacts/{job_id}/cancel").data["status"] == "cancelled"
    assert run_jobs(manager.organization) == 0
    assert contacts_of(manager) == []


def test_history_lists_imports_newest_first_and_filters_by_status(manager):
    import_file(manager, HEADER + ANN, name="first.csv")
    upload(manager, HEADER + BOB, name="second.csv")
    answer = manager.get("/v1/uploads")
    assert [job["filename"] for job in answer.data] == ["second.csv", "first.csv"]
    assert answer.json["pagination"]["total"] == 2
    assert [job["filename"] for job in manager.get("/v1/uploads?status=completed").data] == ["first.csv"]
    assert manager.get("/v1/uploads?status=nonsense").status == 422


def test_imports_are_for_managers_and_their_own_organization(agent, manager, outsider):
    job_id = upload(manager, HEADER + ANN).data["jobId"]
    assert upload(agent, HEADER + ANN).status == 403
    assert agent.get("/v1/uploads").status == 403
    assert agent.get("/v1/uploads/template").status == 403
    for path in (f"/v1/uploads/contacts/{job_id}", f"/v1/uploads/contacts/{job_id}/rejected"):
        assert outsider.get(path).status == 404
    assert outsider.post(f"/v1/uploads/contacts/{job_id}/cancel").status == 404
    assert outsider.get("/v1/uploads").data == []


def test_uploads_are_limited_by_the_tier():
    person = make_person(make_organization(tier=Tier.FREE))
    answers = [upload(person, HEADER) for _ in range(6)]
    assert [answer.status for answer in answers] == [202] * 5 + [429]
    assert "Retry-After" in answers[-1].headers


def test_a_repeated_request_with_the_same_key_imports_once(manager):
    key = {"Idempotency-Key": "once"}
    answers = [
        manager.call("post", "/v1/uploads/contacts", {"file": _file(HEADER + ANN)}, **key).data["jobId"] for _ in "12"
    ]
    assert answers[0] == answers[1]
    assert manager.get("/v1/uploads").json["pagination"]["total"] == 1


def test_the_template_comes_as_csv_and_xlsx_and_imports(manager):
    answer = manager.get("/v1/uploads/template?format=csv")
    header = "first_name,last_name,phone,email,company,title,address,city,state,zip"
    assert answer.response.content.decode().strip() == header
    assert answer.headers["Content-Type"].startswith("text/csv")
    workbook = openpyxl.load_workbook(io.BytesIO(manager.get("/v1/uploads/template?format=xlsx").response.content))
    assert [cell.value for cell in workbook.active[1]] == header.split(",")
    workbook.active.append(["Ann", "Smith", "212-555-0101"])
    content = io.BytesIO()
    workbook.save(content)
    assert import_file(manager, content.getvalue(), name="template.xlsx")["results"]["imported"] == 1
    assert manager.get("/v1/uploads/template?format=pdf").status == 422


def test_a_file_that_left_the_storage_fails_the_job_with_a_reason(manager):
    answer = upload(manager, HEADER + ANN)
    with organization_scope(manager.organization.id):
        default_storage.delete(ContactImport.objects.get().file)
    run_jobs(manager.organization)
    job = manager.get(f"/v1/uploads/contacts/{answer.data['jobId']}").data
    assert (job["status"], job["error"]["code"]) == ("failed", "FILE_MISSING")


@override_settings(MAX_UPLOAD_BYTES=100)
def test_a_file_over_the_size_limit_is_refused(manager):
    answer = upload(manager, HEADER + ANN * 10)
    assert (answer.status, answer.error["code"]) == (413, "FILE_TOO_LARGE")
    answer = upload(manager, HEADER + ANN * 3_000)
    assert (answer.status, answer.error["code"]) == (413, "FILE_TOO_LARGE")
    assert manager.get("/v1/uploads").data == []


def _file(content: str):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("contacts.csv", content.encode())


def test_an_import_leaves_no_table_without_statistics(manager):
    rows = (f"Ann,,{phone_number()},," for _ in range(600))
    import_file(manager, HEADER + "".join(f"{row}\n" for row in rows))
    import_file(manager, HEADER + ANN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'contacts'::regclass")
        assert cursor.fetchone()[0] > 0
