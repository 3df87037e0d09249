"""From interview to placement: blind scorecards, approved offers, submissions, hotlists, claims, retention."""

from datetime import timedelta

from django.core import mail
from django.utils import timezone

from recruitment.models import Application, CandidateProfile, Offer, Placement, RenewalRequest, StageEvent
from recruitment.services.retention import keep_clock
from tests.factories import Person, make_person, run_jobs, unique
from tests.recruitment.hiring import apply, make_applicant, make_job, make_reason, move
from vocelio.organizations.models import Role
from vocelio.organizations.scope import organization_scope

TIMES = {"startsAt": "2027-01-05T10:00:00Z", "endsAt": "2027-01-05T11:00:00Z", "timezone": "Europe/Berlin"}


def test_an_interview_is_put_into_everybodys_calendar(manager: Person, agent: Person):
    application = apply(manager, make_job(manager, title="Nurse"))
    body = {"title": "Talk; first", "interviewerIds": [str(agent.user.pk)], "agenda": "Bring a pen", **TIMES}
    interview = manager.post(f"/v1/applications/{application['id']}/interviews", body)
    assert interview.status == 201, interview
    run_jobs(manager.organization)
    mine, theirs = [
        next(each for each in mail.outbox if address in each.to)
        for address in (agent.user.email, application["contact"]["email"])
    ]
    calendar = mine.attachments[0][1].replace("\r\n ", "")
    for line in ("METHOD:REQUEST", "DTSTART:20270105T100000Z", "SEQUENCE:0", "SUMMARY:Talk\\; first: Nurse\\, Ada"):
        assert line in calendar
    assert "11:00 (Europe/Berlin)" in mine.body
    assert agent.user.email not in theirs.attachments[0][1]
    manager.put(f"/v1/interviews/{interview.data['id']}", {"status": "cancelled"})
    run_jobs(manager.organization)
    last = [each for each in mail.outbox if agent.user.email in each.to][-1].attachments[0][1]
    assert "METHOD:CANCEL" in last
    assert "SEQUENCE:1" in last
    assert manager.put(f"/v1/interviews/{interview.data['id']}", {"timezone": "Mars/One"}).status == 422


def test_interviews_stand_in_the_calendar_of_who_takes_part(manager: Person, agent: Person):
    application = apply(manager, make_job(manager, title="Nurse"))
    body = {"title": "Talk", "interviewerIds": [str(agent.user.pk)], **TIMES}
    manager.post(f"/v1/applications/{application['id']}/interviews", body)
    for person, found in ((agent, True), (manager, False)):
        address = person.post("/v1/calendar-feed").data["url"].partition("/v1/")[2]
        calendar = person.client.get(f"/v1/{address}").content.decode().replace("\r\n ", "")
        assert ("SUMMARY:Talk: Nurse\\, Ada" in calendar) is found


def test_feedback_is_hidden_until_ones_own_is_in(manager: Person, agent: Person, outsider: Person):
    other = make_person(manager.organization, Role.AGENT)
    application = apply(manager, make_job(manager))
    people = [str(agent.user.pk), str(other.user.pk)]
    body = {"title": "Talk", "interviewerIds": people, "criteria": ["Care"], **TIMES}
    interview = manager.post(f"/v1/applications/{application['id']}/interviews", body).data
    cards = f"/v1/interviews/{interview['id']}/scorecards"
    assert agent.post(cards, {"verdict": 5, "ratings": {"Care": 5}, "submit": True}).status == 200
    assert other.post(cards, {"verdict": 1}).status == 200
    assert [card["verdict"] for card in other.get(cards).data] == [1]
    timeline = other.get(f"/v1/applications/{application['id']}/timeline").data
    assert not [entry for entry in timeline if entry["kind"] == "scorecard"]
    assert [card["verdict"] for card in manager.get(cards).data] == [5]
    assert other.post(cards, {"verdict": 2, "submit": True}).status == 200
    assert [card["verdict"] for card in other.get(cards).data] == [5, 2]
    assert other.post(cards, {"verdict": 3}).error["code"] == "SCORECARD_FINAL"
    assert manager.post(cards, {"verdict": 3}).status == 403
    assert other.post(cards, {"verdict": 3, "ratings": {"Care": 9}}).status == 422
    assert outsider.get(cards).status == 404


def test_an_offer_is_approved_by_somebody_else_and_ends_in_a_placement(manager: Person, admin: Person, agent: Person):
    job = make_job(manager)
    application = apply(manager, job)
    salary = {"amount": "52000.00", "currency": "EUR", "period": "year"}
    offer = manager.post(f"/v1/applications/{application['id']}/offers", {"salary": salary}).data
    change = f"/v1/offers/{offer['id']}/change-status"
    assert manager.post(f"/v1/applications/{application['id']}/offers", {}).error["code"] == "OFFER_LIVE"
    assert manager.post(change, {"status": "sent"}).error["code"] == "STATUS_REFUSED"
    manager.post(change, {"status": "pending"})
    assert manager.post(change, {"status": "approved"}).status == 403
    assert agent.post(change, {"status": "approved"}).status == 403
    assert admin.post(change, {"status": "approved"}).data["approvedBy"]["id"] == str(admin.user.pk)
    assert manager.put(f"/v1/offers/{offer['id']}", {"terms": "x"}).error["code"] == "OFFER_FIXED"
    for status in ("sent", "accepted"):
        assert manager.post(change, {"status": status}).data["status"] == status
    assert manager.get(f"/v1/offers/{offer['id']}").data["salary"] == salary
    assert agent.get(f"/v1/offers/{offer['id']}").data["salary"] is None
    body = {"startsOn": "2027-02-01", "fee": "9000", "currency": "EUR"}
    placement = manager.post(f"/v1/applications/{application['id']}/placement", body)
    assert placement.status == 201, placement
    assert manager.get(f"/v1/applications/{application['id']}").data["status"] == "hired"
    assert manager.get(f"/v1/jobs/{job['id']}").data["status"] == "filled"
    again = manager.post(f"/v1/applications/{application['id']}/placement", body)
    assert again.error["code"] == "PLACED_ALREADY"
    figures = manager.get("/v1/recruitment-analytics/offers").data["totals"]
    assert figures == {"sent": 1, "accepted": 1, "declined": 0, "acceptance": 100.0}
    contact = application["contact"]["id"]
    assert admin.post(f"/v1/contacts/{contact}/anonymise").status == 200
    with organization_scope(admin.organization.pk):
        assert [(row.fee, row.contact_id) for row in Placement.objects.all()] == [(9000, None)]
        assert [row.application_id for row in Offer.objects.all()] == [None]
    assert manager.get("/v1/recruitment-analytics/offers").data["totals"] == figures


def test_a_candidate_is_shown_to_a_client_by_who_has_them(manager: Person, agent: Person):
    client = manager.post("/v1/clients", {"name": unique("client")}).data["id"]
    application = apply(manager, make_job(manager, clientId=client))
    owner = f"/v1/contacts/{application['contact']['id']}/candidate-owner"
    assert agent.put(owner, {"note": "Spoke today"}).data["user"]["id"] == str(agent.user.pk)
    taken = manager.post(f"/v1/applications/{application['id']}/submissions", {})
    assert (taken.status, taken.error["code"]) == (409, "CLAIMED")
    assert manager.put(owner, {}).error["details"]["ownerId"] == str(agent.user.pk)
    submission = agent.post(f"/v1/applications/{application['id']}/submissions", {"note": "Fits"}).data
    assert submission["client"]["id"] == client
    again = agent.post(f"/v1/applications/{application['id']}/submissions", {})
    assert again.error["code"] == "SUBMITTED_ALREADY"
    decided = agent.put(f"/v1/submissions/{submission['id']}", {"status": "accepted", "feedback": "Good"}).data
    assert decided["decidedAt"]
    assert manager.delete(owner).status == 200
    assert manager.get(owner).status == 404
    assert [job["id"] for job in agent.get(f"/v1/clients/{client}/jobs").data] == [application["job"]["id"]]


def test_a_hotlist_keeps_a_candidate_once(agent: Person):
    hotlist = agent.post("/v1/hotlists", {"name": unique("hot")}).data
    contact = make_applicant(agent)
    people = f"/v1/hotlists/{hotlist['id']}/candidates"
    for note in ("first", "second"):
        assert agent.post(people, {"contactId": contact, "note": note}).status == 201
    assert [entry["note"] for entry in agent.get(people).data] == ["second"]
    assert agent.get(f"/v1/hotlists/{hotlist['id']}").data["candidates"] == 1
    assert agent.delete(f"{people}/{contact}").status == 200
    assert agent.delete(f"{people}/{contact}").status == 404


def test_who_does_not_answer_in_time_is_forgotten_and_who_does_is_kept(admin: Person):
    admin.put("/v1/recruitment-settings", {"retentionMonths": 12, "renewalDays": 30})
    job, reason = make_job(admin), make_reason(admin)
    kept, gone, open_one = (apply(admin, job) for _ in range(3))
    for application in (kept, gone):
        move(admin, application, job["stages"]["Rejected"], rejectionReasonId=reason)
    before = admin.get("/v1/recruitment-analytics/applications").data["totals"]
    clock = admin.organization.pk
    year_ago = timezone.now() - timedelta(days=350)
    with organization_scope(clock):
        CandidateProfile.objects.update(created_at=year_ago)
        Application.objects.update(stage_entered_at=year_ago)
        assert keep_clock() == 2
        assert keep_clock() == 0
    run_jobs(admin.organization)
    letter = next(each for each in mail.outbox if kept["contact"]["email"] in each.to)
    link = next(line for line in letter.body.splitlines() if "/careers/consent/" in line)
    path = "/careers/" + link.partition("/careers/")[2]
    assert "May we keep" in admin.client.get(path).content.decode()
    assert "We keep your data" not in admin.client.post(path, {"answer": "yes"}).content.decode()
    assert "We keep your data" in admin.client.post(path, {"answer": "keep"}).content.decode()
    assert admin.client.get(path).status_code == 404
    with organization_scope(clock):
        RenewalRequest.objects.update(due_at=timezone.now() - timedelta(days=1))
        CandidateProfile.objects.update(created_at=year_ago - timedelta(days=30))
        Application.objects.update(stage_entered_at=year_ago - timedelta(days=30))
        assert keep_clock() == 1
    assert admin.get(f"/v1/contacts/{gone['contact']['id']}").status == 404
    for application in (kept, open_one):
        assert admin.get(f"/v1/contacts/{application['contact']['id']}").status == 200
    assert admin.get("/v1/recruitment-analytics/applications").data["totals"] == before
    with organization_scope(clock):
        assert StageEvent.objects.filter(application_id=gone["id"]).count() == 2


def test_a_candidate_who_is_a_buyer_too_stays_a_contact(admin: Person):
    application = apply(admin, make_job(admin))
    contact = application["contact"]["id"]
    admin.post(f"/v1/contacts/{contact}/sales-profile", {"leadStatus": "new"})
    assert "contact stays" in admin.post(f"/v1/contacts/{contact}/anonymise").json["message"]
    assert admin.get(f"/v1/contacts/{contact}").status == 200
    assert admin.get(f"/v1/applications/{application['id']}").status == 404
    assert not admin.get(f"/v1/candidate-profiles?contactId={contact}").data
