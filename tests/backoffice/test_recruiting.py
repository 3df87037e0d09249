"""The recruiter's set-up and paper work in the back office, by the services of the API."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from recruitment.models import CandidateClaim, HiringProcess, Offer, Scorecard, Submission
from recruitment.services.processes import stages_of
from recruitment.services.settings import own_settings
from tests.contacts.test_clients import make_client
from tests.factories import Person
from tests.recruitment.hiring import apply, make_job
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

PAGES = "/admin/recruitment"
STAGES = "Applied\nTrial\nHired: hired\nRejected: rejected\nWithdrawn: withdrawn"


def test_a_process_is_written_as_lines_and_keeps_stages_by_their_names(manager: Person, organization: Organization):
    form = {"name": "Nurses", "family": "Care", "is_default": "on", "stages": STAGES}
    assert manager.client.post(f"{PAGES}/hiringprocess/add/", form).status_code == 302
    with organization_scope(organization.pk):
        process = HiringProcess.objects.get(name="Nurses")
        before = {stage.name: stage.pk for stage in stages_of(process.pk)}
    page = f"{PAGES}/hiringprocess/{process.pk}/change/"
    assert "Hired: hired" in manager.client.get(page).content.decode()
    changed = {**form, "stages": STAGES.replace("Trial", "Phone\nTrial")}
    assert manager.client.post(page, changed).status_code == 302
    with organization_scope(organization.pk):
        after = {stage.name: stage.pk for stage in stages_of(process.pk)}
    assert list(after) == ["Applied", "Phone", "Trial", "Hired", "Rejected", "Withdrawn"]
    assert before.items() <= after.items()
    for stages, reason in (("Applied", "A process needs stages for"), ("Applied: odd", "A stage means one of")):
        assert reason in manager.client.post(page, {**form, "stages": stages}).content.decode()


def test_the_settings_are_one_page(manager: Person, organization: Organization):
    first = manager.client.get(f"{PAGES}/recruitmentsettings/")
    assert first.status_code == 302
    form: dict[str, Any] = {"consent_text": "Yes", "renewal_days": 20, "ownership_days": 90, "retention_months": ""}
    assert manager.client.post(first.headers["Location"], form).status_code == 302
    again = manager.client.get(f"{PAGES}/recruitmentsettings/add/")
    with organization_scope(organization.pk):
        assert again.headers["Location"].endswith(f"/{own_settings().pk}/change/")
        assert (own_settings().ownership_days, own_settings().retention_months) == (90, None)


def test_an_offer_is_drafted_changed_and_approved_by_somebody_else(
    manager: Person, admin: Person, organization: Organization
):
    application = apply(manager, make_job(manager))
    form = {"application": application["id"], "amount": "58000", "currency": "USD", "period": "year"}
    assert (
        "Say in which currency."
        in manager.client.post(f"{PAGES}/offer/add/", {**form, "currency": ""}).content.decode()
    )
    assert manager.client.post(f"{PAGES}/offer/add/", form).status_code == 302
    with organization_scope(organization.pk):
        offer = Offer.objects.get()
    page = f"{PAGES}/offer/{offer.pk}/change/"
    assert manager.client.post(page, {**form, "becomes": "pending", "amount": "60000"}).status_code == 302
    form["amount"] = "60000"
    refused = manager.client.post(page, {**form, "becomes": "approved"})
    assert "Somebody else approves" in refused.content.decode()
    assert admin.client.post(page, {**form, "becomes": "approved"}).status_code == 302
    with organization_scope(organization.pk):
        offer = Offer.objects.get()
        assert offer.amount is not None
        assert (offer.status, str(offer.amount.amount), offer.approved_by_id) == ("approved", "60000", admin.user.pk)


def test_one_writes_ones_own_scorecard_and_hands_it_in_once(manager: Person, organization: Organization):
    starts = timezone.now() + timedelta(days=1)
    body = {
        "title": "First",
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(hours=1)).isoformat(),
        "interviewerIds": [str(manager.user.pk)],
    }
    application = apply(manager, make_job(manager))
    interview = manager.post(f"/v1/applications/{application['id']}/interviews", body).data
    form = {"interview": interview["id"], "verdict": "4", "strengths": "Calm"}
    assert manager.client.post(f"{PAGES}/scorecard/add/", form).status_code == 302
    with organization_scope(organization.pk):
        card = Scorecard.objects.get()
    page = f"{PAGES}/scorecard/{card.pk}/change/"
    assert manager.client.post(page, {**form, "verdict": "5", "submit": "on"}).status_code == 302
    assert manager.client.post(page, {**form, "verdict": "1"}).status_code == 403
    with organization_scope(organization.pk):
        card = Scorecard.objects.get()
        assert (card.verdict, card.submitted_at is not None) == (5, True)


def test_a_candidate_is_claimed_and_shown_to_a_client(manager: Person, admin: Person, organization: Organization):
    application, client = apply(manager, make_job(manager)), make_client(manager)
    contact = application["contact"]["id"]
    form = {"contact": contact, "note": "Met at the fair"}
    assert manager.client.post(f"{PAGES}/candidateclaim/add/", form).status_code == 302
    shown = {"application": application["id"], "client": client["id"], "note": "Our best"}
    refused = admin.client.post(f"{PAGES}/submission/add/", shown)
    assert "Another recruiter works with this candidate." in refused.content.decode()
    assert manager.client.post(f"{PAGES}/submission/add/", shown).status_code == 302
    with organization_scope(organization.pk):
        submission, claim = Submission.objects.get(), CandidateClaim.objects.get()
    page = f"{PAGES}/submission/{submission.pk}/change/"
    assert manager.client.post(page, {"status": "accepted", "note": "", "feedback": "Yes"}).status_code == 302
    assert manager.client.post(f"{PAGES}/candidateclaim/{claim.pk}/delete/", {"post": "yes"}).status_code == 302
    with organization_scope(organization.pk):
        assert Submission.objects.get().decided_at is not None
        assert not CandidateClaim.objects.exists()
