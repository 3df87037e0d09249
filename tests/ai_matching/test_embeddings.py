"""Vectors: made of what changed, never twice of the same text, one model after another."""

from typing import Any

import pytest
from django.db.models.functions import Now

from ai_matching.embedders import Embedder, all_embedders
from ai_matching.models import Embedding, EmbeddingMark, EmbeddingRun
from ai_matching.services import embeddings
from ai_matching.services.texts import texts_of
from contacts.models import Contact
from recruitment.models import CandidateProfile
from tests.ai_matching.dying_worker import run_in_steps_of_two
from tests.ai_matching.people import DATA, ask, candidate, data_job, ids, vectors_made
from tests.contacts.uploads import import_file
from tests.factories import Person, run_jobs, unique
from tests.mortal import run_mortal
from vocelio.jobs.models import Doorbell
from vocelio.jobs.services import LEASE
from vocelio.organizations.scope import organization_scope


def runs(person: Person) -> Any:
    return person.get("/v1/ai/embedding-runs").data


def stored(person: Person, **fields) -> int:
    with organization_scope(person.organization.pk):
        return Embedding.objects.filter(**fields).count()


def start(person: Person, body=None) -> Any:
    answer = person.post("/v1/ai/update-embeddings", body)
    assert (answer.status, answer.data["status"]) == (202, "pending")
    run_jobs(person.organization)
    return person.get(f"/v1/ai/embedding-runs/{answer.data['id']}").data


def test_what_changes_gets_new_vectors_and_what_does_not_keeps_them(admin: Person):
    job, profile = data_job(admin), candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    assert stored(admin, kind="job") == stored(admin, kind="candidate") == 2
    assert start(admin)["unchanged"] == 4
    with organization_scope(admin.organization.pk):
        # As an upgrade that brings another model finds them.
        Embedding.objects.update(model="before")
        EmbeddingRun.objects.update(model="before")
    vectors_made(admin)
    assert (stored(admin, model=all_embedders()["esco"].model), stored(admin, model="before")) == (4, 0)
    before = runs(admin)
    vectors_made(admin)
    assert runs(admin) == before
    admin.put(f"/v1/candidate-profiles/{profile}", {"headline": "Analytics engineer"})
    vectors_made(admin)
    newest = runs(admin)[0]
    assert (newest["kinds"], newest["embedded"], newest["unchanged"], newest["status"]) == (
        ["candidate"],
        1,
        1,
        "completed",
    )
    admin.put(f"/v1/jobs/{job}", {"skills": []})
    vectors_made(admin)
    newest = runs(admin)[0]
    assert (newest["kinds"], newest["embedded"], newest["unchanged"]) == (["job"], 1, 1)
    admin.delete(f"/v1/jobs/{job}")
    vectors_made(admin)
    assert stored(admin, kind="job") == 0


def test_a_text_that_another_subject_has_is_not_embedded_again(admin: Person):
    candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    newest = runs(admin)[0]
    assert (newest["embedded"], newest["reused"]) == (0, 2)
    assert stored(admin, kind="candidate") == 4
    usage = admin.get("/v1/ai/usage").data
    (row,) = usage["rows"]
    assert (row["provider"], row["texts"], row["cost"]) == ("esco", 2, "0.000000000")
    (covered,) = [each for each in usage["coverage"] if each["kind"] == "candidate"]
    assert (covered["embedded"], covered["total"], float(usage["monthlyBudget"])) == (2, 2, 10)
    assert admin.get("/v1/ai/usage?from=2020-01-01&to=2020-01-31").data["rows"] == []


def test_named_records_alone_are_looked_at(admin: Person):
    one, _ = candidate(admin, "Cook"), candidate(admin, "Baker")
    done = start(admin, {"kinds": ["candidate"], "ids": [one]})
    assert (done["status"], done["processed"], done["embedded"]) == ("completed", 1, 1)
    refused = admin.post("/v1/ai/update-embeddings", {"ids": [one]})
    assert (refused.status, refused.error["details"]["errors"][0]["field"]) == (422, "kinds")


@pytest.mark.parametrize("statement", [9, 17, 26])
def test_a_run_goes_on_where_a_killed_worker_stopped(admin: Person, statement):
    profiles = [candidate(admin, name, DATA) for name in ("Cook", "Baker", "Smith", "Roofer", "Nurse", "Cooper")]
    job = admin.post("/v1/ai/update-embeddings", {"kinds": ["candidate"]}).data["id"]
    killed = run_mortal(run_in_steps_of_two, str(admin.organization.pk), job, statement)
    assert killed
    with organization_scope(admin.organization.pk):
        assert EmbeddingRun.objects.get(pk=job).status == "processing"
        assert Doorbell.objects.filter(pk=job).exists()
        EmbeddingRun.objects.filter(pk=job).update(lease_until=Now() - LEASE)
    run_jobs(admin.organization)
    done = admin.get(f"/v1/ai/embedding-runs/{job}").data
    assert (done["status"], done["processed"], done["unchanged"]) == ("completed", len(profiles), 0)
    # Six titles, and one text of skills, which the others have word for word.
    assert done["embedded"] + done["reused"] == 2 * len(profiles) == stored(admin, kind="candidate")
    (row,) = admin.get("/v1/ai/usage").data["rows"]
    assert row["texts"] == len(profiles) + 1


def test_a_waiting_run_can_be_cancelled(admin: Person):
    answer = admin.post("/v1/ai/update-embeddings")
    assert admin.post(f"/v1/ai/embedding-runs/{answer.data['id']}/cancel").data["status"] == "cancelled"
    assert admin.post(f"/v1/ai/embedding-runs/{answer.data['id']}/cancel").status == 409


def test_the_old_model_answers_until_the_new_one_has_everything(admin: Person, openai):
    admin.put("/v1/ai/settings", {"provider": "esco"})
    job, profile = data_job(admin), candidate(admin, "Data engineer", DATA)
    vectors_made(admin)
    changed = admin.put("/v1/ai/settings", {"provider": "openai"}).data
    assert (changed["makesVectors"], changed["answers"]) == ("openai", "esco")
    answer = ask(admin, job)
    assert (answer.data["provider"], ids(answer), answer.data["notice"]) == ("esco", [profile], "")
    assert start(admin)["status"] == "completed"
    assert admin.get("/v1/ai/settings").data["answers"] == "openai"
    assert stored(admin, provider="esco") == 0
    answer = ask(admin, job)
    assert (answer.data["provider"], ids(answer)) == ("openai", [profile])


def test_texts_say_nothing_of_who_somebody_is(admin: Person):
    profile = candidate(
        admin,
        "Data engineer",
        DATA,
        name="Zebedee",
        city="Paris",
        languages=[{"language": "fr", "level": "native"}],
        education=[
            {"institution": "St Mary's College for Women", "degree": "BSc", "field": "Statistics", "until": "1988"}
        ],
        experience=[{"company": "Acme", "title": "Analyst", "description": "Reports in SQL", "since": "1989-01"}],
    )
    with organization_scope(admin.organization.pk):
        (text,) = texts_of("candidate", [CandidateProfile.objects.get(pk=profile).pk]).values()
    assert text.title == "Data engineer Analyst"
    assert text.body.splitlines() == ["Analyst Reports in SQL", "Python, SQL", "BSc Statistics"]


def test_the_offline_model_needs_no_network_and_is_the_same_each_time(monkeypatch):
    import socket

    def no_network(*args, **kwargs):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    offline = all_embedders()["esco"]
    first, second = offline.embed(["Data engineer", ""]).vectors, offline.embed(["Data engineer"]).vectors
    assert first.shape == (2, 692)
    assert (first[0] == second[0]).all()
    assert not first[1].any()


@pytest.mark.parametrize("embedder", all_embedders().values(), ids=lambda each: each.slug)
def test_every_embedder_says_what_it_is(embedder: Embedder):
    assert embedder.label
    assert embedder.version
    assert 0 < embedder.dimensions <= 1536
    assert embedder.unlike < embedder.alike
    assert embedder.likeness(embedder.alike) == 1
    assert embedder.likeness(-1) == 0


def test_of_many_contacts_at_once_only_those_one_may_look_for_are_embedded(admin: Person, monkeypatch):
    monkeypatch.setattr(embeddings, "MANY", 2)
    with organization_scope(admin.organization.pk):
        profile = CandidateProfile.objects.get(pk=candidate(admin, "Data engineer", DATA))
    known = admin.post("/v1/contacts", {"email": f"{unique('k')}@example.test", "title": "Chemist"}).data["id"]
    vectors_made(admin)
    rows = "".join(f"{unique('n')}@example.test,Baker\n" for _ in range(3))
    import_file(admin, f"email,title\n{rows}")
    with organization_scope(admin.organization.pk):
        assert not EmbeddingMark.objects.exists()
        everybody = [str(pk) for pk in Contact.objects.values_list("pk", flat=True)]
    changed = {"action": "add-tags", "contactIds": everybody, "data": {"tags": ["met"]}}
    assert admin.post("/v1/contacts/bulk-operations", changed).status == 200
    with organization_scope(admin.organization.pk):
        marked = {str(pk) for pk in EmbeddingMark.objects.values_list("subject_id", flat=True)}
    assert marked == {known, str(profile.contact_id)}
    start(admin, {"kinds": ["contact"]})
    assert stored(admin, kind="contact", part="title") == len(everybody) - 1
