"""CVs: read in a child, proposed with confidence, accepted by a person; harmful ones refused."""

import io
import zipfile

import pytest

from recruitment.models import CandidateFile, CvBatch, DiscardedFile
from recruitment.services import batches
from recruitment.services.cvs import store_cv
from tests.factories import Person, run_jobs, unique
from tests.recruitment import cv_files
from tests.recruitment.hiring import make_applicant
from tests.recruitment.test_profiles import make_candidate
from vocelio.organizations.scope import organization_scope


def take_in(person: Person, content: bytes, name: str = "cv.docx"):
    return person.post("/v1/cvs", {"file": cv_files.upload(content, name)})


@pytest.mark.parametrize("make", [cv_files.word, cv_files.pdf])
def test_a_cv_is_proposed_and_written_only_when_accepted(make, agent: Person):
    email = f"{unique('ada')}@example.test"
    cv = take_in(agent, make(cv_files.text_of(email=email)))
    assert cv.status == 201, cv
    found = cv.data["proposals"]
    assert (found["firstName"]["value"], found["lastName"]["value"]) == ("Ada", "Lovelace")
    assert (found["email"]["value"], found["phone"]["value"]) == (email, "+12125550142")
    assert found["yearsOfExperience"]["value"] == 7.0
    skills = {skill["value"]: skill["confidence"] for skill in found["skills"]}
    assert skills["Python"] > 0.9 > 0.6 > skills["Basket weaving"]
    assert agent.get("/v1/contacts").json["pagination"]["total"] == 0
    body = {"firstName": "Ada", "lastName": "King", "email": email, "skills": ["Python"], "yearsOfExperience": "7"}
    profile = agent.post(f"/v1/cvs/{cv.data['id']}/accept", body)
    assert profile.status == 200, profile
    assert [skill["name"] for skill in profile.data["skills"]] == ["Python"]
    assert len(agent.get(f"/v1/candidate-profiles/{profile.data['id']}").data["files"]) == 1
    assert agent.post(f"/v1/cvs/{cv.data['id']}/accept", body).error["code"] == "CV_DONE"


def test_a_cv_finds_the_contact_there_is(agent: Person):
    email = f"{unique('ada')}@example.test"
    contact = make_applicant(agent, email=email)
    cv = take_in(agent, cv_files.word(cv_files.text_of(email=email.upper()))).data
    assert cv["contact"]["id"] == contact
    profile = agent.post(f"/v1/cvs/{cv['id']}/accept", {"email": email, "firstName": "Eve"}).data
    assert profile["contactId"] == contact
    assert agent.get(f"/v1/contacts/{contact}").data["firstName"] == "Ada"


def test_a_document_given_to_a_candidate_is_read_once_and_proposes(agent: Person):
    profile = make_candidate(agent)
    files = f"/v1/candidate-profiles/{profile['id']}/files"
    content = cv_files.word()
    assert agent.post(files, {"file": cv_files.upload(content, "cv.docx")}).status == 201
    assert agent.post(files, {"file": cv_files.upload(content, "again.docx")}).status == 201
    run_jobs(agent.organization)
    (cv,) = agent.get(f"/v1/cvs?profileId={profile['id']}").data
    assert (cv["status"], cv["contact"]["id"]) == ("parsed", profile["contactId"])
    assert "Python" in [skill["value"] for skill in agent.get(f"/v1/cvs/{cv['id']}").data["proposals"]["skills"]]
    accepted = agent.post(f"/v1/cvs/{cv['id']}/accept", {"skills": ["Python"]}).data
    assert (accepted["id"], [skill["name"] for skill in accepted["skills"]]) == (profile["id"], ["Python"])
    assert len(agent.get(files).data) == 2


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (cv_files.encrypted_pdf, "ENCRYPTED"),
        (cv_files.scripted_pdf, "ACTIVE_CONTENT"),
        (cv_files.launching_pdf, "ACTIVE_CONTENT"),
        (cv_files.endless_pdf, "UNREADABLE"),
        (cv_files.bomb_docx, "TOO_LARGE_UNPACKED"),
        (cv_files.macro_docx, "ACTIVE_CONTENT"),
        (cv_files.entity_docx, "UNREADABLE"),
    ],
)
def test_a_harmful_file_is_refused_with_the_reason(make, reason: str, agent: Person):
    refused = take_in(agent, make())
    assert (refused.status, refused.error["details"]["reason"]) == (422, reason)


def test_a_file_of_the_wrong_kind_is_refused(agent: Person):
    assert take_in(agent, b"MZ\x90 not a CV", "cv.pdf").error["code"] == "NOT_A_DOCUMENT"


def zip_of(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return content.getvalue()


def test_a_zip_of_cvs_is_taken_in_once_whatever_stops_the_worker(manager: Person, monkeypatch):
    files = {f"cv{n}.pdf": cv_files.pdf(cv_files.text_of(email=f"{unique('x')}@example.test")) for n in range(3)}
    files |= {"bad.pdf": b"nonsense", "__MACOSX/cv.pdf": b"", "locked.pdf": cv_files.encrypted_pdf()}
    monkeypatch.setattr(batches, "CHUNK", 2)
    answer = manager.post("/v1/cv-batches", {"file": cv_files.upload(zip_of(files), "cvs.zip")})
    assert (answer.status, answer.data["total"]) == (202, 5)
    calls = []

    def dying(**values):
        calls.append(values["place"])
        if len(calls) == 4:
            raise KeyboardInterrupt
        return store_cv(**values)

    monkeypatch.setattr("recruitment.services.batches.store_cv", dying)
    with pytest.raises(KeyboardInterrupt):
        run_jobs(manager.organization)
    monkeypatch.setattr("recruitment.services.batches.store_cv", store_cv)
    with organization_scope(manager.organization.pk):
        CvBatch.objects.update(lease_until=None)
    run_jobs(manager.organization)
    job = manager.get(f"/v1/cv-batches/{answer.data['id']}").data
    assert [job[name] for name in ("status", "processed", "parsed", "refused")] == ["completed", 5, 3, 2]
    rows = manager.get(f"/v1/cvs?batchId={job['id']}").data
    assert sorted(row["errorCode"] for row in rows) == ["", "", "", "ENCRYPTED", "NOT_A_DOCUMENT"]
    with organization_scope(manager.organization.pk):
        assert DiscardedFile.objects.count() == 1


def test_a_zip_that_is_none_is_refused(manager: Person):
    assert manager.post("/v1/cv-batches", {"file": cv_files.upload(b"PK nonsense", "a.zip")}).status == 422


def test_a_deleted_cv_leaves_no_file(agent: Person):
    cv = take_in(agent, cv_files.word()).data
    assert agent.delete(f"/v1/cvs/{cv['id']}").status == 200
    with organization_scope(agent.organization.pk):
        assert (DiscardedFile.objects.count(), CandidateFile.objects.count()) == (1, 0)
