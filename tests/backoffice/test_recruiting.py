"""The recruiter's set-up and paper work in the back office, by the services of the API."""

from typing import Any

from recruitment.models import CandidateClaim, HiringProcess, Interview, Offer, Placement, Scorecard, Submission
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


def test_an_interview_is_planned_and_moved_and_judged_once(manager: Person, organization: Organization):
    application = apply(manager, make_job(manager))
    form = {
        "application": application["id"],
        "title": "First",
        "kind": "video",
        "starts_at_0": "2027-01-05",
        "starts_at_1": "10:00",
        "ends_at_0": "2027-01-05",
        "ends_at_1": "11:00",
        "timezone": "Europe/Berlin",
        "criteria": "Care\nSpelling",
        "interviewers": [str(manager.user.pk)],
    }
    page = f"{PAGES}/interview/add/"
    early = manager.client.post(page, {**form, "ends_at_1": "09:00"}).content.decode()
    assert "This is before it starts." in early
    assert manager.client.post(page, form).status_code == 302
    with organization_scope(organization.pk):
        interview = Interview.objects.get()
        assert (interview.criteria, interview.interviewers.count()) == (["Care", "Spelling"], 1)
    page = f"{PAGES}/interview/{interview.pk}/change/"
    assert manager.client.post(page, {**form, "status": "scheduled", "ends_at_1": "12:00"}).status_code == 302
    with organization_scope(organization.pk):
        moved = Interview.objects.get()
        assert (moved.ends_at.hour, moved.sequence, moved.interviewers.count()) == (12, 1, 1)

    card = {"interview": str(interview.pk), "verdict": "4", "strengths": "Calm"}
    refused = manager.client.post(f"{PAGES}/scorecard/add/", {**card, "ratings": "Care: 7"}).content.decode()
    assert "a mark is 1 to 5" in refused
    assert manager.client.post(f"{PAGES}/scorecard/add/", {**card, "ratings": "Care: 4"}).status_code == 302
    with organization_scope(organization.pk):
        page = f"{PAGES}/scorecard/{Scorecard.objects.get().pk}/change/"
    assert "Care: 4\nSpelling:" in manager.client.get(page).content.decode()
    final = {**card, "ratings": "Care: 5\nSpelling: 3", "verdict": "5", "submit": "on"}
    assert manager.client.post(page, final).status_code == 302
    assert manager.client.post(page, {**card, "verdict": "1"}).status_code == 403
    with organization_scope(organization.pk):
        done = Scorecard.objects.get()
        assert (done.verdict, done.ratings) == (5, {"Care": 5, "Spelling": 3})
        assert done.submitted_at is not None


def test_who_was_chosen_is_placed(manager: Person, organization: Organization):
    application = apply(manager, make_job(manager))
    form = {"application": application["id"], "starts_on": "2027-02-01", "fee": "5000", "currency": ""}
    page = f"{PAGES}/placement/add/"
    assert "A fee needs its currency." in manager.client.post(page, form).content.decode()
    assert manager.client.post(page, {**form, "currency": "EUR"}).status_code == 302
    with organization_scope(organization.pk):
        placement = Placement.objects.get()
        assert (placement.fee, placement.application.status) == (5000, "hired")


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
