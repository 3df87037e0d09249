"""The history of contacts: what every change leaves behind, and how it is put back."""

import json
import uuid
from datetime import UTC
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact, ContactChange, ContactListMembership, ListDeparture
from contacts.services.history import UNRECORDED, Change, change_cause, put_back
from tests.factories import Person, phone_number
from tests.rows import make_row
from vocelio.organizations.scope import organization_scope


def make_contact(person: Person, **fields: Any) -> str:
    answer = person.post("/v1/contacts", {"phone": phone_number(), **fields})
    assert answer.status == 201, answer
    return str(answer.data["id"])


def changes_of(person: Person, contact_id: object) -> list[ContactChange]:
    with organization_scope(person.organization.id):
        return list(ContactChange.objects.of_contact(contact_id))


def as_it_is(person: Person, contact_id: Any) -> dict[str, Any]:
    with organization_scope(person.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(contact) - 'updated_at' FROM contacts AS contact WHERE id = %s", [contact_id])
        ((document,),) = cursor.fetchall()
    found: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    return found


def test_a_change_leaves_what_was_before_and_after_and_who_did_it(admin: Person):
    contact_id = make_contact(admin, firstName="Ada", customFields={"size": 3, "kept": "same"}, tags=["new"])
    assert changes_of(admin, contact_id) == []
    admin.patch(f"/v1/contacts/{contact_id}", {"firstName": "Bea", "customFields": {"kept": "same", "colour": "red"}})
    (change,) = changes_of(admin, contact_id)
    assert change.before == {"first_name": "Ada", "custom_fields": {"size": 3}}
    assert change.after == {"first_name": "Bea", "custom_fields": {"colour": "red"}}
    assert (change.user_id, change.cause, change.cause_id) == (admin.user.id, "api", None)


def test_an_update_that_changes_nothing_leaves_nothing(admin: Person):
    contact_id = make_contact(admin, firstName="Ada")
    assert admin.patch(f"/v1/contacts/{contact_id}", {"firstName": "Ada"}).status == 200
    assert changes_of(admin, contact_id) == []


def test_every_column_is_told_of(admin: Person):
    contact_id = make_contact(admin)
    with organization_scope(admin.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'record_contact_changes'")
        ((definition,),) = cursor.fetchall()
    columns = {field.column for field in Contact._meta.local_concrete_fields} - UNRECORDED[Contact]
    assert {name for name in columns if f"""'"{name}":'""" not in definition} == set()
    admin.delete(f"/v1/contacts/{contact_id}")
    (change,) = changes_of(admin, contact_id)
    assert set(change.after) == {"deleted_at", "deleted_by_id"}


def test_a_cause_holds_for_what_is_done_inside_it_and_no_longer(admin: Person):
    contact_id, outer, inner = make_contact(admin), uuid.uuid4(), uuid.uuid4()
    chosen = Contact.objects
    with organization_scope(admin.organization.id):
        with change_cause("bulk", outer):
            chosen.filter(pk=contact_id).update(city="A")
            with change_cause("import", inner):
                chosen.filter(pk=contact_id).update(city="B")
                membership = make_row(ContactListMembership, contact_id=contact_id)
            chosen.filter(pk=contact_id).update(city="C")
        chosen.filter(pk=contact_id).update(city="D")
        membership.refresh_from_db()
        with pytest.raises(IntegrityError), transaction.atomic(), change_cause("bulk", inner):
            chosen.filter(pk=contact_id).update(status="unknown")
        chosen.filter(pk=contact_id).update(city="E")
    causes = [(change.cause, change.cause_id) for change in reversed(changes_of(admin, contact_id))]
    assert causes == [("bulk", outer), ("import", inner), ("bulk", outer), ("system", None), ("system", None)]
    assert membership.cause_id == inner


def test_leaving_a_list_is_remembered_and_a_deleted_list_forgotten(admin: Person):
    contact_id = make_contact(admin)
    chosen = admin.post("/v1/contact-lists", {"name": "Spring"}).data["id"]
    admin.post(f"/v1/contact-lists/{chosen}/contacts", {"contactIds": [contact_id]})
    admin.call("delete", f"/v1/contact-lists/{chosen}/contacts", {"contactIds": [contact_id]})
    with organization_scope(admin.organization.id):
        departure = ListDeparture.objects.get(contact_id=contact_id)
        assert (str(departure.list_id), departure.user_id, departure.added_by_id) == (
            chosen,
            admin.user.id,
            admin.user.id,
        )
    admin.post(f"/v1/contact-lists/{chosen}/contacts", {"contactIds": [contact_id]})
    admin.delete(f"/v1/contact-lists/{chosen}")
    with organization_scope(admin.organization.id):
        assert not ListDeparture.objects.filter(contact_id=contact_id).exists()


def test_a_contact_removed_for_good_takes_its_history_along(admin: Person):
    contact_id = make_contact(admin)
    with organization_scope(admin.organization.id):
        make_row(ContactListMembership, contact_id=contact_id)
        Contact.objects.filter(pk=contact_id).update(city="A")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM contacts WHERE id = %s", [contact_id])
        assert not ContactChange.objects.filter(contact_id=contact_id).exists()
        assert not ListDeparture.objects.filter(contact_id=contact_id).exists()


def undo(person: Person, *contact_ids: object) -> Any:
    with organization_scope(person.organization.id):
        changes = ContactChange.objects.filter(contact_id__in=contact_ids).order_by("-changed_at", "-id")
        with change_cause("undo"):
            return put_back([Change(change.contact_id, change.before, change.after) for change in changes])


def test_what_was_changed_since_stays_and_the_rest_is_put_back(admin: Person):
    contact_id = make_contact(admin, firstName="Ada", city="Bath", tags=["a"], customFields={"x": 1, "y": 1})
    path = f"/v1/contacts/{contact_id}"
    admin.patch(path, {"firstName": "Bea", "city": "York", "tags": ["a", "b"], "customFields": {"x": 2, "y": 2}})
    with organization_scope(admin.organization.id):
        changes = [Change(c.contact_id, c.before, c.after) for c in ContactChange.objects.of_contact(contact_id)]
    admin.patch(path, {"city": "Hull", "tags": ["a", "b", "c"], "customFields": {"x": 2, "y": 3, "z": 0}})
    with organization_scope(admin.organization.id):
        result = put_back(changes)
    assert result.restored == {uuid.UUID(contact_id)}
    assert result.kept == {uuid.UUID(contact_id): {"city", "custom_fields"}}
    contact = admin.get(path).data
    assert (contact["firstName"], contact["city"], contact["tags"]) == ("Ada", "Hull", ["a", "c"])
    assert contact["customFields"] == {"x": 1, "y": 3, "z": 0}


def test_a_phone_that_was_taken_since_fails_alone(admin: Person):
    first, second = make_contact(admin), make_contact(admin)
    phone = admin.get(f"/v1/contacts/{first}").data["phone"]
    for contact_id in (first, second):
        admin.patch(f"/v1/contacts/{contact_id}", {"phone": phone_number()})
    taker = make_contact(admin, phone=phone)
    result = undo(admin, first, second)
    assert result.failed == {uuid.UUID(first): "one_contact_per_phone"}
    assert result.restored == {uuid.UUID(second)}
    assert admin.get(f"/v1/contacts/{taker}").data["phone"] == phone


def test_history_tells_who_changed_what_and_hides_what_is_private(admin: Person, agent: Person):
    contact_id = make_contact(admin, firstName="Ada", privateNotes="first")
    admin.patch(f"/v1/contacts/{contact_id}", {"firstName": "Bea", "customFields": {"x": 1}})
    admin.patch(f"/v1/contacts/{contact_id}", {"privateNotes": "second"})
    newest, older = admin.get(f"/v1/contacts/{contact_id}/history").data
    assert newest["changes"] == [{"field": "privateNotes", "before": "first", "after": "second"}]
    assert older["changedBy"] == {"id": str(admin.user.id), "name": admin.user.name}
    assert older["changes"] == [
        {"field": "customFields.x", "before": None, "after": 1},
        {"field": "firstName", "before": "Ada", "after": "Bea"},
    ]
    shown = agent.get(f"/v1/contacts/{contact_id}/history").data
    assert shown[0]["changes"] == [{"field": "privateNotes", "before": "hidden", "after": "hidden"}]
    page = admin.get(f"/v1/contacts/{contact_id}/history?cursor=&limit=1").json
    rest = admin.get(f"/v1/contacts/{contact_id}/history?cursor={page['pagination']['nextCursor']}&limit=1").json
    assert [page["data"][0]["id"], rest["data"][0]["id"]] == [newest["id"], older["id"]]


def test_one_field_or_one_change_is_reverted(admin: Person, agent: Person):
    contact_id = make_contact(admin, firstName="Ada", city="Bath", customFields={"x": 1, "y": 1})
    path = f"/v1/contacts/{contact_id}"
    admin.patch(path, {"firstName": "Bea", "city": "York", "customFields": {"x": 2, "y": 2}})
    (change,) = admin.get(f"{path}/history").data
    revert = f"{path}/history/{change['id']}/revert"
    assert admin.post(revert, {"names": ["customFields.x"]}).data["customFields"] == {"x": 1, "y": 2}
    assert admin.post(revert, {"names": ["state"]}).status == 422
    admin.patch(path, {"city": "Hull"})
    refused = admin.post(revert, {"names": ["city", "firstName"]})
    assert (refused.status, refused.error["code"], refused.error["details"]["fields"]) == (
        409,
        "CHANGED_SINCE",
        ["city"],
    )
    assert admin.get(path).data["firstName"] == "Bea"
    reverted = admin.post(revert, {"force": True}).data
    assert (reverted["firstName"], reverted["city"], reverted["customFields"]) == ("Ada", "Bath", {"x": 1, "y": 1})
    assert admin.get(f"{path}/history").data[0]["cause"] == "revert"
    admin.delete(path)
    deletion = admin.get(f"{path}/history").data[0]["id"]
    assert agent.post(f"{path}/history/{deletion}/revert").status == 403
    assert admin.post(f"{path}/history/{deletion}/revert").status == 200
    assert admin.get(path).status == 200


def test_the_timeline_gathers_what_every_source_knows(admin: Person):
    contact_id = make_contact(admin, firstName="Ada")
    spring = admin.post("/v1/contact-lists", {"name": "Spring"}).data["id"]
    admin.post(f"/v1/contact-lists/{spring}/contacts", {"contactIds": [contact_id]})
    admin.patch(f"/v1/contacts/{contact_id}", {"firstName": "Bea"})
    admin.call("delete", f"/v1/contact-lists/{spring}/contacts", {"contactIds": [contact_id]})
    entries = admin.get(f"/v1/contacts/{contact_id}/timeline").data
    assert [entry["title"] for entry in entries] == ["Left Spring", "Changed firstName", "Joined Spring", "Created"]
    assert all(entry["by"]["id"] == str(admin.user.id) for entry in entries)
    read, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"/v1/contacts/{contact_id}/timeline?limit=1&cursor={cursor}").json
        read += page["data"]
        cursor = page["pagination"]["nextCursor"]
    assert read == entries


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "first_name": TEXT,
        "phone": st.sampled_from([None, "+12125550001", "+12125550002"]),
        "notes": TEXT,
        "tags": st.lists(TEXT.filter(bool), max_size=4, unique=True),
        "custom_fields": st.dictionaries(TEXT, st.none() | st.integers(0, 3) | TEXT | st.lists(TEXT), max_size=3),
        "status": st.sampled_from(["active", "inactive"]),
        "contact_count": st.integers(0, 5),
        "last_contacted_at": st.none() | st.datetimes(timezones=st.just(UTC)),
    },
)


@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(first=VALUES, changes=st.lists(VALUES, min_size=1, max_size=4))
def test_undoing_all_changes_restores_the_contact_exactly(admin: Person, first: Any, changes: list[Any]):
    with organization_scope(admin.organization.id):
        Contact.objects.all().delete()
        contact = Contact.objects.create(email="ada@example.com", **first)
    before = as_it_is(admin, contact.pk)
    with organization_scope(admin.organization.id):
        for values in changes:
            if values:
                Contact.objects.filter(pk=contact.pk).update(**values)
    undo(admin, contact.pk)
    assert as_it_is(admin, contact.pk) == before
