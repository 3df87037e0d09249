"""The careers page: opt-in, of one organization, and the same to everybody, known or not."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recruitment.models import CandidateConsent, JobOpening, SentApplication
from tests.factories import Answer, Person, run_jobs, unique
from tests.recruitment import cv_files
from tests.recruitment.hiring import make_applicant, make_job
from vocelio.organizations.scope import organization_scope

QUESTIONS = [{"key": "start", "text": "When can you start?", "isRequired": True}]


def public_job(person: Person, **fields):
    settings = {"isCareersPageOn": True, "consentText": "I agree."}
    assert person.put("/v1/recruitment-settings", settings).status == 200
    return make_job(person, isPublic=True, title="Nurse", **fields)


def send(job, **fields) -> Answer:
    values = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": f"{unique('ada')}@example.test",
        "consent": "I agree.",
    }
    return Answer(
        Client(SERVER_NAME="localhost").post(f"/v1/public/jobs/{job['publicSlug']}/apply", {**values, **fields})
    )


def test_an_application_arrives_with_cv_answers_and_the_proof_of_consent(manager: Person):
    job = public_job(manager, questions=QUESTIONS)
    shown = Answer(Client(SERVER_NAME="localhost").get(f"/v1/public/jobs/{job['publicSlug']}")).data
    assert (shown["title"], shown["consentText"], shown["salary"]) == ("Nurse", "I agree.", None)
    assert "id" not in shown
    assert send(job).error["details"]["errors"][0]["field"] == "answers.start"
    assert send(job, consent="Whatever").status == 422
    email = f"{unique('ada')}@example.test"
    file = cv_files.upload(cv_files.pdf(cv_files.text_of(email=email)))
    sent = send(job, email=email.upper(), file=file, coverNote="Hello", **{"answers.start": "Monday"})
    assert sent.status == 202, sent
    run_jobs(manager.organization)
    run_jobs(manager.organization)
    (application,) = manager.get(f"/v1/applications?jobId={job['id']}").data
    assert (application["source"], application["answers"]) == ("Careers page", {"start": "Monday"})
    assert application["contact"]["email"] == email
    profile = manager.get(f"/v1/candidate-profiles?contactId={application['contact']['id']}").data[0]
    assert [each["kind"] for each in profile["files"]] == ["pdf"]
    (cv,) = manager.get(f"/v1/cvs?profileId={profile['id']}").data
    assert cv["proposals"]["lastName"]["value"] == "Lovelace"
    (consent,) = manager.get(f"/v1/contacts/{application['contact']['id']}/candidate-consents").data
    assert (consent["kind"], consent["text"], len(consent["textSha256"])) == ("application", "I agree.", 64)
    with organization_scope(manager.organization.pk):
        assert not SentApplication.objects.exists()
    timeline = manager.get(f"/v1/contacts/{application['contact']['id']}/timeline").data
    assert "Nurse: Applied" in [entry["title"] for entry in timeline]


def test_known_and_unknown_people_are_answered_alike_by_the_same_work(manager: Person):
    job = public_job(manager)
    email = f"{unique('known')}@example.test"
    contact = make_applicant(manager, email=email)
    send(job)
    seen = []
    for address in (email, f"{unique('new')}@example.test", email):
        with CaptureQueriesContext(connection) as queries:
            answer = send(job, email=address, firstName="Mallory")
        seen.append((answer.status, answer.json, len(queries)))
        run_jobs(manager.organization)
    assert seen[0] == seen[1] == seen[2]
    assert manager.get(f"/v1/contacts/{contact}").data["firstName"] == "Ada"
    assert len(manager.get(f"/v1/applications?contactId={contact}").data) == 1
    with organization_scope(manager.organization.pk):
        assert CandidateConsent.objects.filter(contact_id=contact).count() == 2


def test_a_job_is_not_there_unless_it_is_open_public_and_the_page_is_on(manager: Person):
    job, stranger = public_job(manager), Client(SERVER_NAME="localhost")
    address = f"/v1/public/jobs/{job['publicSlug']}"
    unknown = Answer(stranger.get("/v1/public/jobs/nonsense")).error
    assert stranger.get(address).status_code == 200
    for change in (
        {"isPublic": False},
        {"isPublic": True, "status": "on_hold"},
        {"status": "open", "applyBy": "2020-01-01"},
    ):
        assert manager.put(f"/v1/jobs/{job['id']}", change).status == 200
        hidden = Answer(stranger.get(address))
        assert (hidden.status, hidden.error["message"]) == (404, unknown["message"])
    manager.put(f"/v1/jobs/{job['id']}", {"applyBy": None})
    manager.put("/v1/recruitment-settings", {"isCareersPageOn": False})
    assert stranger.get(address).status_code == 404


def test_the_page_shows_the_job_and_takes_the_form(manager: Person):
    job, stranger = public_job(manager, description="<b>Care</b>"), Client(SERVER_NAME="localhost")
    address = f"/careers/{job['publicSlug']}"
    page = stranger.get(address).content.decode()
    assert "&lt;b&gt;Care" in page
    form = {"firstName": "Bea", "lastName": "B", "email": f"{unique('bea')}@example.test", "consent": "I agree."}
    assert stranger.post(address, {**form, "email": "nonsense"}).status_code == 422
    assert "Thank you" in stranger.post(address, {**form, "file": cv_files.upload(cv_files.word())}).content.decode()
    assert stranger.post(address, {**form, "file": cv_files.upload(b"MZ")}).status_code == 422
    run_jobs(manager.organization)
    assert len(manager.get(f"/v1/applications?jobId={job['id']}").data) == 1
    assert stranger.get("/careers/nonsense").status_code == 404


def test_an_address_sends_only_so_many(manager: Person, monkeypatch):
    job = public_job(manager)
    monkeypatch.setattr("recruitment.services.careers.FROM_ADDRESS", (0, 3600))
    assert send(job).status == 429
    with organization_scope(manager.organization.pk):
        assert JobOpening.objects.count() == 1
