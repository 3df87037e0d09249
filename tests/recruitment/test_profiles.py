"""Contacts as people who may be hired, through the API."""

import io
import zipfile
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from recruitment.models import CandidateFile, DiscardedFile
from recruitment.tasks import remove_discarded_files
from tests.contacts.test_clients import at_once
from tests.contacts.test_contacts import make_contact
from tests.factories import Answer, Person, make_person
from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope

SALARY = {"amount": "85000.00", "currency": "EUR", "period": "year"}
FULL: dict[str, Any] = {
    "headline": "Senior Python engineer",
    "summary": "Twelve years of back ends",
    "jobSearch": "active",
    "skills": [{"name": "Python", "level": 5, "years": "12.0"}, {"name": "SQL", "level": 4, "years": "10.0"}],
    "yearsOfExperience": "12.5",
    "experience": [{"company": "Initech", "title": "Engineer", "since": "2019-03"}],
    "education": [{"institution": "TU Berlin", "degree": "MSc", "field": "Physics", "since": "2005", "until": "2010"}],
    "languages": [{"language": "de", "level": "native"}, {"language": "en", "level": "C1"}],
    "desiredSalary": SALARY,
    "currentSalary": {**SALARY, "amount": "78000.00"},
    "city": "Berlin",
    "state": "",
    "country": "DE",
    "remotePreference": "hybrid",
    "willRelocate": True,
    "noticePeriodDays": 90,
    "availableOn": "2027-01-01",
    "workAuthorization": [
        {"country": "DE", "basis": "citizen", "until": None},
        {"country": "US", "basis": "visa", "until": "2028-05-01"},
    ],
    "source": "Referral",
    "linkedinUrl": "https://www.linkedin.com/in/ada",
    "portfolioUrl": "",
    "notes": "",
}
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def docx(*, is_word: bool = True) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml" if is_word else "xl/workbook.xml", "<document/>")
    return content.getvalue()


def make_candidate(person: Person, contact_id: str = "", **fields: Any) -> Any:
    contact_id = contact_id or make_contact(person)["id"]
    answer = person.post(f"/v1/contacts/{contact_id}/candidate-profile", fields)
    assert answer.status == 201, answer
    return answer.data


def upload(person: Person, profile: Any, name: str, content: bytes) -> Answer:
    file = SimpleUploadedFile(name, content, "application/octet-stream")
    return person.post(f"/v1/candidate-profiles/{profile['id']}/files", {"file": file})


def body_of(answer: Answer) -> bytes:
    return b"".join(answer.response.streaming_content)


def test_a_candidate_profile_is_added_read_changed_and_deleted(manager: Person):
    profile = make_candidate(manager, **FULL)
    assert profile["isPrimary"] is True
    assert {name: profile[name] for name in FULL} == FULL
    path = f"/v1/candidate-profiles/{profile['id']}"
    assert manager.get(path).data == profile
    changed = manager.put(path, {"skills": [{"name": "Rust"}], "jobSearch": "placed"}).data
    assert changed["skills"] == [{"name": "Rust", "level": 3, "years": "0.0"}]
    assert changed["experience"] == FULL["experience"]
    assert manager.patch(path, {"desiredSalary": None}).data["desiredSalary"] is None
    assert manager.delete(path).json == {"message": "Candidate profile deleted successfully"}
    assert manager.get(path).status == 404


def test_each_bad_field_of_a_candidate_profile_is_named(manager: Person):
    body = {
        "jobSearch": "maybe",
        "skills": [{"name": "Go"}, {"name": " GO "}],
        "experience": [{"company": "X", "since": "2020-05", "until": "2019"}],
        "languages": [{"language": "de", "level": "good"}],
        "desiredSalary": {"amount": "-1", "currency": "Euro", "period": "century"},
        "workAuthorization": [{"country": "Germany", "basis": "citizen"}],
        "noticePeriodDays": 9999,
        "linkedinUrl": "no url at all",
    }
    answer = manager.post(f"/v1/contacts/{make_contact(manager)['id']}/candidate-profile", body)
    assert answer.status == 422
    named = {error["field"].split(".")[0].split("[")[0] for error in answer.error["details"]["errors"]}
    assert named == set(body)


def test_salaries_rest_encrypted_and_show_by_role(manager: Person, agent: Person):
    profile = make_candidate(agent, desiredSalary=SALARY)
    assert profile["desiredSalary"] is None
    path = f"/v1/candidate-profiles/{profile['id']}"
    assert manager.get(path).data["desiredSalary"] == SALARY
    assert agent.get(path).data["desiredSalary"] is None
    assert agent.get("/v1/candidate-profiles").data[0]["desiredSalary"] is None
    contact_path = f"/v1/contacts/{profile['contactId']}/profiles"
    assert agent.get(contact_path).data["candidate"][0]["desiredSalary"] is None
    assert manager.get(contact_path).data["candidate"][0]["desiredSalary"] == SALARY
    with organization_scope(manager.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT desired_salary FROM candidate_profiles WHERE id = %s", [profile["id"]])
        ((stored,),) = cursor.fetchall()
        assert stored.startswith("v1|")
        assert "85000" not in stored
        assert not AuditEntry.objects.filter(details__icontains="85000").exists()


def test_of_two_candidate_profiles_made_primary_at_the_same_moment_one_wins(manager: Person):
    contact = make_contact(manager)
    _, one, two = (make_candidate(manager, contact["id"]) for _ in range(3))
    answers = at_once(
        *[
            lambda profile=profile: manager.post(f"/v1/candidate-profiles/{profile['id']}/make-primary")
            for profile in (one, two)
        ]
    )
    assert {answer.status for answer in answers} <= {200, 409}
    profiles = manager.get(f"/v1/contacts/{contact['id']}/profiles").data["candidate"]
    assert [profile["isPrimary"] for profile in profiles] == [True, False, False]


def test_candidates_are_found_by_skill_and_more(manager: Person):
    wanted = make_candidate(manager, **FULL)
    make_candidate(manager, jobSearch="not_looking", remotePreference="onsite", skills=[{"name": "python", "level": 2}])
    for query in (
        "skills=PYTHON:4,sql", "jobSearch=active", "remotePreference=hybrid", "city=berlin", "country=de",
        "experienceFrom=10", f"contactId={wanted['contactId']}", "availableBy=2027-02-01&jobSearch=active",
    ):  # fmt: skip
        assert [row["id"] for row in manager.get(f"/v1/candidate-profiles?{query}").data] == [wanted["id"]], query
    assert len(manager.get("/v1/candidate-profiles?skills=python&isPrimary=true").data) == 2
    assert manager.get("/v1/candidate-profiles?availableBy=2026-12-01&jobSearch=active").data == []


@pytest.mark.upkeep
def test_a_cv_is_stored_listed_downloaded_and_deleted(manager: Person, agent: Person):
    profile = make_candidate(agent)
    answer = upload(agent, profile, "../Łukasz\tCV;.exe", PDF)
    assert answer.status == 201, answer
    file = answer.data
    assert (file["filename"], file["kind"], file["size"]) == ("ŁukaszCV.pdf", "pdf", len(PDF))
    word = upload(agent, profile, "CV.docx", docx()).data
    listed = agent.get(f"/v1/candidate-profiles/{profile['id']}/files").data
    assert [each["id"] for each in listed] == [word["id"], file["id"]]
    assert len(agent.get(f"/v1/candidate-profiles/{profile['id']}").data["files"]) == 2
    download = agent.get(f"/v1/candidate-files/{file['id']}/download")
    assert body_of(download) == PDF
    assert download.headers["Content-Type"] == "application/pdf"
    assert download.headers["Content-Disposition"].startswith("attachment;")
    assert download.headers["X-Content-Type-Options"] == "nosniff"
    with organization_scope(manager.organization.id):
        assert AuditEntry.objects.filter(action="candidate_file.downloaded", resource_id=file["id"]).exists()
        stored = CandidateFile.objects.get(pk=file["id"]).file
    assert agent.delete(f"/v1/candidate-files/{file['id']}").json == {"message": "File deleted successfully"}
    assert agent.get(f"/v1/candidate-files/{file['id']}/download").status == 404
    assert default_storage.exists(stored)
    remove_discarded_files()
    assert not default_storage.exists(stored)


def test_what_is_no_document_is_refused_whatever_its_name_says(manager: Person):
    profile = make_candidate(manager)
    for name, content in (
        ("cv.pdf", b"MZ\x90\x00"),
        ("cv.docx", docx(is_word=False)),
        ("cv.docx", b"PK\x03\x04 broken"),
        ("cv.pdf", b"<html>%PD</html>"),
    ):
        answer = upload(manager, profile, name, content)
        assert (answer.status, answer.error["code"]) == (422, "NOT_A_DOCUMENT"), name
    assert upload(manager, profile, "cv.pdf", PDF + b"0" * 10 * 1024 * 1024).status == 413
    assert upload(manager, profile, "cv.pdf", b"").status == 422
    assert manager.get(f"/v1/candidate-profiles/{profile['id']}/files").data == []


@pytest.mark.upkeep
def test_files_go_with_the_profile_whatever_deletes_it(manager: Person):
    profile = make_candidate(manager)
    file_id = upload(manager, profile, "cv.pdf", PDF).data["id"]
    with organization_scope(manager.organization.id):
        stored = CandidateFile.objects.get(pk=file_id).file
    manager.delete(f"/v1/candidate-profiles/{profile['id']}")
    remove_discarded_files()
    assert not default_storage.exists(stored)
    with organization_scope(manager.organization.id):
        assert not DiscardedFile.objects.exists()


def test_files_of_another_teams_candidate_read_like_unknown_ones(manager: Person):
    organization = manager.organization
    organization.visibility = Visibility.TEAM
    organization.save()
    west, east = make_person(organization, Role.AGENT, "West"), make_person(organization, Role.AGENT, "East")
    profile = make_candidate(east, make_contact(manager, assignedTo=str(east.user.id))["id"])
    file = upload(east, profile, "cv.pdf", PDF).data
    assert east.get(f"/v1/candidate-files/{file['id']}").status == 200
    for path in ("", "/download"):
        assert west.get(f"/v1/candidate-files/{file['id']}{path}").status == 404
    assert west.get(f"/v1/candidate-profiles/{profile['id']}/files").status == 404
    assert west.get("/v1/candidate-profiles?skills=x").data == []
