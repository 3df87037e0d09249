"""Contacts on their way out: complete, safe to open, and back in again without a change."""

import csv
import io

import openpyxl
import pytest
from django.conf import settings
from django.utils import timezone

from contacts.models import Contact, ContactExport, ContactImport
from contacts.services import exports, retention
from tests.contacts.uploads import import_file, upload
from tests.factories import make_person, phone_number, run_jobs, unique
from vocelio.audit.models import AuditEntry
from vocelio.organizations.scope import organization_scope

# What spreadsheets take for formulas, what separates tags and cells, what files lose easily.
DANGEROUS = ["=1+1", "+cmd", "@SUM(A1)", "\tTab", "-x", "'=quoted", "''@", "＝full", "a;b", 'say "hi"', "two\r\nlines"]  # noqa: RUF001


def export(person, **body):
    answer = person.post("/v1/contacts/export", body)
    assert answer.status == 202, answer
    run_jobs(person.organization)
    return person.get(f"/v1/exports/{answer.data['id']}").data


def download(person, job):
    answer = person.get(f"/v1/exports/{job['id']}/download")
    assert answer.status == 200, answer
    return answer, b"".join(answer.response.streaming_content)


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def state(person):
    """Return everything contacts hold, times of change included."""
    with organization_scope(person.organization.id):
        return list(Contact.objects.order_by("id").values())


def make_contacts(person):
    """Make contacts with all that is hard to bring out and in again."""
    with organization_scope(person.organization.id):
        for number, text in enumerate(DANGEROUS):
            Contact.objects.create(
                phone=phone_number(number) if number % 3 else None,
                # Twice the same address: only the id tells them apart.
                email="same@example.com",
                first_name=text,
                company=f"{text} ",
                notes=text * 2,
                tags=[text, "b"],
                external_id=f"X{number}",
                custom_fields={
                    "score": number,
                    "ratio": 1.50,
                    "ok": number % 2 == 0,
                    "nothing": None,
                    "list": [1, "a"],
                    "source": text,
                    "Score": "other case",
                    "odd  name": "two blanks",
                    "code": "007",
                },
                status="inactive" if number % 2 else "active",
                country="DE",
            )


def test_an_export_holds_what_the_list_shows(manager):
    manager.post("/v1/contacts", {"phone": "+12125550101", "firstName": "Ann", "company": "Acme", "tags": ["vip"]})
    manager.post("/v1/contacts", {"phone": "+12125550102", "firstName": "Bob", "company": "Acme"})
    manager.post("/v1/contacts", {"phone": "+12125550103", "firstName": "Eve", "company": "Globex"})
    job = export(manager, filter={"company": "acme"}, sort="createdAt")
    assert (job["status"], job["rows"], job["total"], job["progress"]) == ("completed", 2, 2, 100)
    answer, content = download(manager, job)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="contacts-')
    assert len(content) == job["fileSize"]
    ann, bob = rows_of(content)
    assert (ann["First name"], ann["Phone"], ann["Tags"], ann["Company"]) == ("Ann", "+12125550101", "vip", "Acme")
    assert bob["First name"] == "Bob"
    narrow = export(manager, columns=["phone", "firstName"], sort="-createdAt", filter={"search": "eve"})
    assert rows_of(download(manager, narrow)[1]) == [{"First name": "Eve", "Phone": "+12125550103"}]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_importing_an_export_changes_nothing(manager, format):
    make_contacts(manager)
    before = state(manager)
    _, content = download(manager, export(manager, format=format))
    job_id = upload(manager, content, f"contacts.{format}", preview="true").data["jobId"]
    options = {"policy": "overwrite", "validatePhones": False}
    manager.post(f"/v1/uploads/contacts/{job_id}/preview", options)
    run_jobs(manager.organization)
    dry_run = manager.get(f"/v1/uploads/contacts/{job_id}/preview").data["dryRun"]
    assert dry_run["samples"]["updated"] == []
    manager.post(f"/v1/uploads/contacts/{job_id}/start", options)
    run_jobs(manager.organization)
    results = manager.get(f"/v1/uploads/contacts/{job_id}").data["results"]
    assert results["duplicates"] == len(before), results
    assert state(manager) == before


def test_an_export_imported_elsewhere_is_complete(manager, outsider):
    make_contacts(manager)
    _, content = download(manager, export(manager, filter={"hasPhone": True}))
    import_file(outsider, content, validatePhones="false")
    ours = {each["phone"]: each for each in state(manager) if each["phone"]}
    theirs = {each["phone"]: each for each in state(outsider)}
    assert ours.keys() == theirs.keys()
    for phone, contact in ours.items():
        copy = theirs[phone]
        for name in ("first_name", "company", "notes", "external_id", "status", "country", "email"):
            assert copy[name].strip() == contact[name].strip(), name
        assert copy["custom_fields"]["source"] == contact["custom_fields"]["source"].strip()
        assert copy["custom_fields"]["code"] == "007"
        assert [tag.strip() for tag in contact["tags"]] == copy["tags"]


def test_no_cell_is_a_formula(manager):
    make_contacts(manager)
    for row in rows_of(download(manager, export(manager))[1]):
        for cell in row.values():
            assert not cell.startswith(("=", "@", "\t", "\r", "\n", "＝", "+c", "-x"))  # noqa: RUF001
    workbook = openpyxl.load_workbook(io.BytesIO(download(manager, export(manager, format="xlsx"))[1]))
    (sheet,) = workbook
    kinds = {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    names = [row[1].value for row in sheet.iter_rows(min_row=2)]
    assert "'=1+1" in names
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filter": {"shoeSize": 1}}, "filter.shoeSize"),
        ({"filter": {"status": "dead"}}, "filter.status"),
        ({"filter": {"assignedTo": "somebody"}}, "assignedTo"),
        ({"sort": "shoeSize"}, "sort"),
        ({"columns": ["shoeSize"]}, "columns.0"),
        ({"format": "pdf"}, "format"),
    ],
)
def test_what_makes_no_sense_is_refused_and_named(manager, body, field):
    answer = manager.post("/v1/contacts/export", body)
    assert answer.status == 422
    assert [error["field"] for error in answer.error["details"]["errors"]] == [field]


def test_exports_are_for_those_who_may_and_audited(manager, agent, outsider):
    manager.post("/v1/contacts", {"phone": "+12125550101"})
    assert agent.post("/v1/contacts/export", {}).status == 403
    job = export(manager)
    assert outsider.get(f"/v1/exports/{job['id']}/download").status == 404
    download(manager, job)
    with organization_scope(manager.organization.id):
        entries = AuditEntry.objects.filter(resource_id=job["id"]).order_by("created_at")
        actions = list(entries.values_list("action", flat=True))
    assert actions == ["export.started", "export.completed", "export.downloaded"]


def test_whoever_lost_the_right_meanwhile_gets_no_file(manager):
    answer = manager.post("/v1/contacts/export", {})
    manager.organization.memberships.filter(user=manager.user).update(role="agent")
    run_jobs(manager.organization)
    admin = make_person(manager.organization)
    job = admin.get(f"/v1/exports/{answer.data['id']}").data
    assert (job["status"], job["error"]["code"], job["isAvailable"]) == ("failed", "FORBIDDEN", False)
    assert admin.get(f"/v1/exports/{job['id']}/download").status == 409


def test_an_export_cut_short_begins_again(manager, monkeypatch):
    for _ in range(5):
        manager.post("/v1/contacts", {"phone": phone_number()})
    monkeypatch.setattr(exports, "CHUNK_ROWS", 2)
    answer = manager.post("/v1/contacts/export", {})
    with organization_scope(manager.organization.id):
        # As a worker leaves it that died in the midst.
        ContactExport.objects.update(status="processing", epoch=1, attempt=1, processed=4, rows=4, total=5, progress=80)
    run_jobs(manager.organization)
    job = manager.get(f"/v1/exports/{answer.data['id']}").data
    assert (job["status"], job["rows"]) == ("completed", 5)
    assert len(rows_of(download(manager, job)[1])) == 5


def test_files_go_when_their_time_is_over(manager):
    imported = import_file(manager, f"phone,{unique('c')}\n{phone_number()},x\n123,y\n")
    exported = export(manager)
    with organization_scope(manager.organization.id):
        assert retention.purge_files() == 0
        ContactExport.objects.update(completed_at=timezone.now() - settings.RETENTION["exports"])
        ContactImport.objects.update(completed_at=timezone.now() - settings.RETENTION["uploads"])
        assert retention.purge_files() == 2
    assert manager.get(f"/v1/exports/{exported['id']}/download").status == 409
    shown = manager.get(f"/v1/uploads/contacts/{imported['id']}").data
    assert (shown["results"]["imported"], shown["validationErrors"]) == (1, [])


def test_erasing_a_person_deletes_the_files_that_may_hold_them(admin):
    imported = import_file(admin, f"phone\n{phone_number()}\n")
    exported = export(admin)
    (contact,) = state(admin)
    erased = admin.post(f"/v1/contacts/{contact['id']}/erase", {"confirm": True, "reason": "asked"})
    assert erased.status < 300, erased
    assert admin.get(f"/v1/exports/{exported['id']}/download").status == 409
    assert admin.get(f"/v1/uploads/contacts/{imported['id']}/preview").data["firstRows"] == []
