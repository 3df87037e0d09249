"""Applications: moved by gates and versions, in bulk with a way back, with a history nobody alters."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import DatabaseError, connection
from django.utils import timezone

from recruitment.models import Application, BulkChange, StageEvent
from recruitment.services.applications import send_rejections
from tests.factories import Person, run_jobs
from tests.recruitment.hiring import apply, make_applicant, make_job, make_reason, move
from vocelio.organizations.scope import organization_scope


def send_due(person: Person) -> int:
    with organization_scope(person.organization.pk):
        return send_rejections()


def test_a_person_applies_once_while_the_application_is_open(manager: Person):
    job, contact, reason = make_job(manager), make_applicant(manager), make_reason(manager)
    first = apply(manager, job, contact=contact, source="Referral", referrer="Bea")
    again = manager.post("/v1/applications", {"jobId": job["id"], "contactId": contact})
    assert (again.status, again.error["details"]["existingId"]) == (409, first["id"])
    assert move(manager, first, job["stages"]["Rejected"], rejectionReasonId=reason).data["status"] == "rejected"
    second = apply(manager, job, contact=contact)
    back = move(manager, first, job["stages"]["Applied"])
    assert (back.status, back.error["details"]["existingId"]) == (409, second["id"])
    profiles = manager.get(f"/v1/candidate-profiles?contactId={contact}").data
    assert [profile["source"] for profile in profiles] == ["Referral"]


def test_a_rejection_needs_its_reason(manager: Person):
    job = make_job(manager)
    application = apply(manager, job)
    refused = move(manager, application, job["stages"]["Rejected"])
    assert (refused.status, refused.error["code"]) == (422, "STAGE_GATE")
    assert refused.error["details"]["missing"] == ["rejectionReason"]
    withdrawn = move(manager, application, job["stages"]["Withdrawn"], outcomeNote="Moved away").data
    assert (withdrawn["status"], withdrawn["outcomeNote"]) == ("withdrawn", "Moved away")
    assert withdrawn["closedAt"]


def test_the_second_of_two_movers_sees_where_it_is(agent: Person):
    job = make_job(agent)
    application = apply(agent, job)
    assert move(agent, application, job["stages"]["Screening"], version=1).status == 200
    late = move(agent, application, job["stages"]["Interview"], version=1)
    assert (late.status, late.error["details"]["current"]["stageId"]) == (409, job["stages"]["Screening"])


def test_the_timeline_tells_every_stage_and_the_events_refuse_change(agent: Person):
    job = make_job(agent)
    application = apply(agent, job)
    move(agent, application, job["stages"]["Screening"])
    titles = [entry["title"] for entry in agent.get(f"/v1/applications/{application['id']}/timeline").data]
    assert titles == ["Applied to Screening", "Applied: Applied"]
    with pytest.raises(DatabaseError), organization_scope(agent.organization.pk):
        StageEvent.objects.filter(application_id=application["id"]).update(seconds=0)


def test_a_bulk_rejection_is_undone_and_then_nobody_is_mailed(manager: Person):
    reason = make_reason(manager, message="Dear {firstName}, not {jobTitle}.")
    job = make_job(manager, title="Nurse")
    kept, moved = apply(manager, job), apply(manager, job)
    body = {
        "action": "reject",
        "applicationIds": [kept["id"], moved["id"], job["id"]],
        "data": {"rejectionReasonId": reason, "notifyCandidate": True},
    }
    result = manager.post("/v1/applications/bulk-operations", body).json
    assert (result["successful"], [error["code"] for error in result["errors"]]) == (2, ["NOT_FOUND"])
    manager.put(f"/v1/applications/{moved['id']}", {"rating": 2})
    undone = manager.post("/v1/applications/undo", {"undoId": result["undoId"]}).json
    assert (undone["successful"], [error["code"] for error in undone["errors"]]) == (1, ["CHANGED_SINCE"])
    assert manager.get(f"/v1/applications/{kept['id']}").data["stage"]["name"] == "Applied"
    assert manager.post("/v1/applications/undo", {"undoId": result["undoId"]}).error["code"] == "CANNOT_UNDO"
    with organization_scope(manager.organization.pk):
        Application.objects.filter(mail_due_at__isnull=False).update(mail_due_at=timezone.now())
    assert send_due(manager) == 1
    run_jobs(manager.organization)
    assert send_due(manager) == 0
    assert [message.body for message in mail.outbox if "Nurse" in message.body] == ["Dear Ada, not Nurse."]


def test_a_bulk_change_cannot_be_undone_after_its_window(manager: Person):
    job = make_job(manager)
    ids = [apply(manager, job)["id"]]
    body = {"action": "move", "applicationIds": ids, "data": {"stageId": job["stages"]["Interview"]}}
    undo_id = manager.post("/v1/applications/bulk-operations", body).json["undoId"]
    with organization_scope(manager.organization.pk):
        BulkChange.objects.filter(pk=undo_id).update(created_at=timezone.now() - timedelta(minutes=11))
    assert manager.post("/v1/applications/undo", {"undoId": undo_id}).status == 409


def test_a_stage_of_another_process_is_refused_by_the_database_too(manager: Person):
    job = make_job(manager)
    application = apply(manager, job)
    stages = [
        {"name": "A"},
        {"name": "B", "outcome": "hired"},
        {"name": "C", "outcome": "rejected"},
        {"name": "D", "outcome": "withdrawn"},
    ]
    other = manager.post("/v1/hiring-processes", {"name": "Other", "stages": stages}).data["stages"][0]["id"]
    assert move(manager, application, other).status == 422
    with pytest.raises(DatabaseError), organization_scope(manager.organization.pk), connection.cursor() as cursor:
        cursor.execute("UPDATE job_applications SET stage_id = %s WHERE id = %s", [other, application["id"]])


def test_a_column_is_read_page_by_page_each_card_once(agent: Person):
    job = make_job(agent)
    ids = {apply(agent, job)["id"] for _ in range(5)}
    column = agent.get(f"/v1/applications/board?jobId={job['id']}&limit=2").data["columns"][0]
    assert (column["count"], len(column["applications"])) == (5, 2)
    seen, cursor = [card["id"] for card in column["applications"]], column["nextCursor"]
    while cursor:
        address = f"/v1/applications/board/{job['stages']['Applied']}?jobId={job['id']}&limit=2&cursor={cursor}"
        page = agent.get(address)
        seen += [card["id"] for card in page.data]
        cursor = page.json["pagination"]["nextCursor"]
    assert (len(seen), set(seen)) == (5, ids)
    assert agent.get("/v1/applications/board").status == 422
