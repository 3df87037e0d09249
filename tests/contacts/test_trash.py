"""What is deleted can be had back for 30 days."""

from datetime import timedelta

from django.utils import timezone

from contacts.models import Contact
from contacts.signals import contacts_changed
from contacts.tasks import purge_trash
from tests.contacts.test_contacts import make_contact, make_list
from tests.factories import Person
from vocelio.organizations.scope import organization_scope


def test_a_deleted_contact_leaves_every_answer_and_frees_its_phone(manager: Person):
    contact_list = make_list(manager)
    contact = make_contact(manager, firstName="Quincy", listIds=[contact_list])
    answer = manager.delete(f"/v1/contacts/{contact['id']}")
    assert (answer.status, answer.json) == (200, {"message": "Contact deleted successfully"})
    assert manager.get(f"/v1/contacts/{contact['id']}").status == 404
    for query in ("", "?search=quincy", f"?listId={contact_list}", "?cursor="):
        assert manager.get(f"/v1/contacts{query}").data == []
    assert manager.delete(f"/v1/contacts/{contact['id']}").status == 404
    assert make_contact(manager, phone=contact["phone"])["id"] != contact["id"]


def test_the_trash_lists_what_was_deleted_newest_first(manager: Person, agent: Person, outsider: Person):
    first, second = make_contact(manager)["id"], make_contact(manager)["id"]
    for contact in (first, second):
        manager.delete(f"/v1/contacts/{contact}")
    answer = manager.get("/v1/contacts/trash")
    assert [contact["id"] for contact in answer.data] == [second, first]
    assert answer.data[0]["deletedAt"]
    assert answer.json["pagination"]["total"] == 2
    cursor = manager.get("/v1/contacts/trash?cursor=&limit=1").json["pagination"]["nextCursor"]
    assert [contact["id"] for contact in manager.get(f"/v1/contacts/trash?cursor={cursor}").data] == [first]
    assert agent.get("/v1/contacts/trash").status == 403
    assert outsider.get("/v1/contacts/trash").data == []


def test_a_restored_contact_is_back_on_its_lists_and_found(manager: Person, outsider: Person):
    contact_list = make_list(manager)
    contact = make_contact(manager, firstName="Quincy", listIds=[contact_list])
    path = f"/v1/contacts/{contact['id']}/restore"
    assert manager.post(path).status == 404
    manager.delete(f"/v1/contacts/{contact['id']}")
    assert outsider.post(path).status == 404
    restored = manager.post(path)
    assert restored.status == 200
    assert restored.data["lists"] == contact["lists"]
    assert len(manager.get("/v1/contacts?search=quincy").data) == 1


def test_a_contact_whose_phone_was_taken_is_not_restored(manager: Person):
    contact = make_contact(manager)
    manager.delete(f"/v1/contacts/{contact['id']}")
    taker = make_contact(manager, phone=contact["phone"])
    answer = manager.post(f"/v1/contacts/{contact['id']}/restore")
    assert (answer.status, answer.error["code"]) == (409, "CONTACT_EXISTS")
    assert answer.error["details"]["existingId"] == taker["id"]


def test_the_trash_is_purged_after_30_days(manager: Person):
    old, recent = make_contact(manager)["id"], make_contact(manager)["id"]
    for contact in (old, recent):
        manager.delete(f"/v1/contacts/{contact}")
    with organization_scope(manager.organization.id):
        Contact.objects.filter(pk=old).update(deleted_at=timezone.now() - timedelta(days=31))
    announced = []

    def receive(organization_id, contact_ids, **kwargs):
        announced.extend(map(str, contact_ids))

    contacts_changed.connect(receive)
    try:
        assert purge_trash() >= 1
    finally:
        contacts_changed.disconnect(receive)
    assert old in announced
    assert [contact["id"] for contact in manager.get("/v1/contacts/trash").data] == [recent]
