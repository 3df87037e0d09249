"""Changes to whatever a filter finds: previewed, run as a job, undone."""

import uuid
from typing import Any

import pytest

from contacts.models import BulkJob, Contact, ContactListMembership
from contacts.services import bulk_jobs
from tests.factories import Person, make_person, phone_number, run_jobs
from vocelio.organizations.scope import organization_scope


def add(person: Person, **fields: Any) -> str:
    answer = person.post("/v1/contacts", {"phone": phone_number(), **fields})
    assert answer.status == 201, answer
    return str(answer.data["id"])


def change(person: Person, action: str, filter: dict[str, Any], **data: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"action": action, "filter": filter} | ({"data": data} if data else {})
    started = person.post("/v1/contacts/bulk-operations", body)
    assert started.status == 202, started
    run_jobs(person.organization)
    return person.get(f"/v1/contacts/bulk-jobs/{started.data['jobId']}").data


def undo(person: Person, job: dict[str, Any]) -> dict[str, Any]:
    started = person.post(f"/v1/contacts/bulk-jobs/{job['jobId']}/undo")
    assert started.status == 202, started
    run_jobs(person.organization)
    return person.get(f"/v1/contacts/bulk-jobs/{started.data['jobId']}").data


def state(person: Person) -> Any:
    with organization_scope(person.organization.id):
        contacts = Contact.objects.order_by("pk").values(
            "pk", "tags", "city", "custom_fields", "assigned_to", "deleted_at"
        )
        members = ContactListMembership.objects.order_by("contact_id", "list_id")
        return list(contacts), list(members.values("contact_id", "list_id", "added_at", "added_by_id"))


def test_a_filter_is_previewed_changed_and_undone(admin: Person, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk_jobs, "CHUNK", 2)
    west = [add(admin, state="CA", tags=["old"]) for _ in range(5)]
    east = add(admin, state="NY")
    before = state(admin)
    preview = admin.post("/v1/contacts/bulk-jobs/preview", {"filter": {"state": "CA"}})
    assert preview.data == {"count": 5, "isEstimate": False}
    job = change(admin, "add-tags", {"state": "CA"}, tags=["vip"])
    assert (job["status"], job["processed"], job["succeeded"], job["failed"]) == ("completed", 5, 5, 0)
    assert {tuple(admin.get(f"/v1/contacts/{each}").data["tags"]) for each in west} == {("old", "vip")}
    assert admin.get(f"/v1/contacts/{east}").data["tags"] == []
    undone = undo(admin, job)
    assert (undone["status"], undone["succeeded"], undone["undoes"]) == ("completed", 5, job["jobId"])
    assert state(admin) == before
    assert admin.post(f"/v1/contacts/bulk-jobs/{job['jobId']}/undo").status == 409


def test_every_operation_by_filter_can_be_undone(admin: Person, agent: Person):
    lists = [admin.post("/v1/contact-lists", {"name": name}).data["id"] for name in ("one", "two")]
    for number in range(4):
        add(admin, state="CA", tags=["old"], listIds=lists[: number % 3], customFields={"x": number})
    for action, data in {
        "remove-tags": {"tags": ["old"]},
        "add-to-list": {"listId": lists[0]},
        "remove-from-list": {"listId": lists[0]},
        "move-to-list": {"listId": lists[1]},
        "update-fields": {"values": {"city": "Bath", "customFields": {"x": 9, "y": True}}},
        "assign": {"assignedTo": str(agent.user.id)},
        "delete": {},
    }.items():
        before = state(admin)
        job = change(admin, action, {"state": "CA"}, **data)
        assert job["status"] == "completed", job
        assert state(admin) != before
        assert undo(admin, job)["status"] == "completed"
        assert state(admin) == before, action


def test_the_trash_is_restored_as_a_whole(admin: Person):
    phone = phone_number()
    first = add(admin, phone=phone)
    second = add(admin)
    for each in (first, second):
        admin.delete(f"/v1/contacts/{each}")
    add(admin, phone=phone)
    job = change(admin, "restore", {})
    assert (job["succeeded"], job["failed"]) == (1, 1)
    assert job["failures"] == [
        {"contactId": first, "code": "CONTACT_EXISTS", "error": "There is already a contact with this phone number."}
    ]


def test_undoing_leaves_what_was_changed_since_and_says_so(admin: Person):
    kept, restored = add(admin, city="A"), add(admin, city="A")
    job = change(admin, "update-fields", {}, values={"city": "B"})
    admin.patch(f"/v1/contacts/{kept}", {"city": "C"})
    undone = undo(admin, job)
    assert [(each["contactId"], each["code"]) for each in undone["failures"]] == [(kept, "CHANGED_SINCE")]
    assert admin.get(f"/v1/contacts/{kept}").data["city"] == "C"
    assert admin.get(f"/v1/contacts/{restored}").data["city"] == "A"


def test_a_crashed_job_goes_on_where_it_stood(admin: Person, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk_jobs, "CHUNK", 2)
    for _ in range(5):
        add(admin)
    started = admin.post("/v1/contacts/bulk-operations", {"action": "add-tags", "filter": {}, "data": {"tags": ["x"]}})
    with organization_scope(admin.organization.id):
        job = BulkJob.objects.get(pk=started.data["jobId"])
        first = Contact.objects.order_by("pk").values_list("pk", flat=True)[1]
        # As a worker that was killed after its first chunk leaves it.
        BulkJob.objects.filter(pk=job.pk).update(checkpoint={"last": str(first)}, processed=2, succeeded=2)
    run_jobs(admin.organization)
    shown = admin.get(f"/v1/contacts/bulk-jobs/{job.pk}").data
    assert (shown["status"], shown["processed"]) == ("completed", 5)
    with organization_scope(admin.organization.id):
        assert Contact.objects.filter(tags=["x"]).count() == 3


def test_what_makes_no_sense_is_refused(admin: Person, agent: Person):
    def start(**body: Any) -> int:
        return int(admin.post("/v1/contacts/bulk-operations", body).status)

    assert start(action="delete") == 422
    assert start(action="delete", filter={}, contactIds=[str(uuid.uuid4())]) == 422
    assert start(action="delete", filter={"nonsense": 1}) == 422
    assert start(action="add-tags", filter={}) == 422
    assert start(action="restore", filter={"state": "CA"}) == 422
    assert start(action="update-fields", filter={}, data={"values": {"phone": "1"}}) == 422
    assert start(action="add-to-list", filter={}, data={"listId": str(uuid.uuid4())}) == 422
    dynamic = admin.post("/v1/contact-lists", {"name": "Californians", "filter": {"state": "CA"}}).data["id"]
    assert start(action="move-to-list", filter={}, data={"listId": dynamic}) == 422
    assert agent.post("/v1/contacts/bulk-operations", {"action": "delete", "filter": {}}).status == 403
    assert agent.post("/v1/contacts/bulk-jobs/preview", {"filter": {}}).status == 403


def test_update_and_assign_also_take_ids(admin: Person):
    member = make_person(admin.organization, "agent")
    contact_id = add(admin, customFields={"x": 1, "y": 2})
    body = {
        "action": "update-fields",
        "contactIds": [contact_id],
        "data": {"values": {"customFields": {"x": None, "z": 3}}},
    }
    assert admin.post("/v1/contacts/bulk-operations", body).json["successful"] == 1
    body = {"action": "assign", "contactIds": [contact_id], "data": {"assignedTo": str(member.user.id)}}
    assert admin.post("/v1/contacts/bulk-operations", body).json["successful"] == 1
    contact = admin.get(f"/v1/contacts/{contact_id}").data
    assert (contact["customFields"], contact["assignedTo"]["id"]) == ({"y": 2, "z": 3}, str(member.user.id))


def test_an_export_of_ids_or_of_a_filter_is_started_as_a_bulk_operation(manager: Person):
    ids = [add(manager, city="Turin"), add(manager, city="Turin"), add(manager, city="Bari")]
    for chosen, expected in ({"contactIds": ids[:2]}, ids[:2]), ({"filter": {"city": "Bari"}}, ids[2:]):
        body = {"action": "export", "data": {"format": "csv"}, **chosen}
        started = manager.post("/v1/contacts/bulk-operations", body)
        assert started.status == 202, started
        run_jobs(manager.organization)
        answer = manager.get(f"/v1/exports/{started.data['id']}/download")
        rows = b"".join(answer.response.streaming_content).decode("utf-8-sig")
        assert [each in rows for each in ids] == [each in expected for each in ids]
    wrong = manager.post("/v1/contacts/bulk-operations", {"action": "export", "filter": {"ids": "1,2"}})
    assert (wrong.status, wrong.json["error"]["details"]["errors"][0]["field"]) == (422, "ids")
