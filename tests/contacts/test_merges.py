"""Two contacts made one, and two again: fields, lists, and what other apps hang on them."""

import json
import uuid
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import connection, models
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contacts import merging
from contacts.models import Contact, ContactListMembership
from contacts.services import followers
from contacts.signals import contacts_merged
from tests.factories import Person, phone_number, unique
from vocelio.organizations.scope import organization_scope


def add(person: Person, **fields: Any) -> dict[str, Any]:
    answer = person.post("/v1/contacts", {"phone": phone_number(), **fields})
    assert answer.status == 201, answer
    return answer.data


def merge(person: Person, survivor: dict[str, Any], *others: dict[str, Any], **choices: Any) -> Any:
    body = {"contactId": survivor["id"], "mergeIds": [other["id"] for other in others]}
    return person.post("/v1/contacts/merge", body | ({"choices": choices} if choices else {}))


def tables(person: Person) -> dict[str, Any]:
    """Return every row that is or points to a contact, without the times the database keeps."""
    result = {}
    with organization_scope(person.organization.id), connection.cursor() as cursor:
        for table in ["contacts", *sorted({pointer.table for pointer in merging.pointers()})]:
            cursor.execute(f"SELECT id, to_jsonb(each) - 'updated_at' FROM {table} AS each")
            rows = {str(pk): json.loads(row) if isinstance(row, str) else row for pk, row in cursor.fetchall()}
            result[table] = rows
        cursor.execute(
            "SELECT coalesce(list_id::text, status), sum(delta)::int FROM contact_tallies GROUP BY 1 HAVING sum(delta) <> 0"
        )
        result["tallies"] = dict(cursor.fetchall())
    return result


def test_a_merge_keeps_choices_fills_blanks_and_joins_the_rest(admin: Person):
    one = add(
        admin, firstName="Ada", company="", tags=["a"], notes="first", customFields={"x": 1}, email="a@example.com"
    )
    two = add(admin, firstName="Adah", company="Acme", tags=["b"], notes="second", customFields={"x": 2, "y": 3})
    merged = merge(admin, one, two, firstName=two["id"], phone=two["id"], **{"customFields.x": two["id"]})
    assert merged.status == 200, merged
    contact = merged.data
    assert contact["id"] == one["id"]
    assert (contact["firstName"], contact["company"], contact["email"]) == ("Adah", "Acme", "a@example.com")
    assert (contact["phone"], contact["tags"]) == (two["phone"], ["a", "b"])
    assert (contact["notes"], contact["customFields"]) == ("first\n\nsecond", {"x": 2, "y": 3})
    assert admin.get(f"/v1/contacts/{two['id']}").status == 404
    assert admin.get("/v1/contacts/trash").data == []
    assert admin.post(f"/v1/contacts/{two['id']}/restore").status == 404
    (listed,) = admin.get(f"/v1/contacts/{one['id']}/merges").data
    assert listed["absorbedId"] == two["id"]


def test_the_stricter_status_holds_whatever_is_chosen(admin: Person):
    one, two = add(admin), add(admin, status="inactive")
    assert merge(admin, one, two, status=one["id"]).data["status"] == "inactive"


def test_relations_and_profiles_follow_as_well(admin: Person):
    one, two = add(admin), add(admin)
    company = admin.post("/v1/clients", {"name": unique("Company")}).data
    assert admin.post(f"/v1/clients/{company['id']}/contacts", {"contactId": two["id"]}).status == 201
    for contact in (one, two):
        assert admin.post(f"/v1/contacts/{contact['id']}/sales-profile", {"headline": "Buyer"}).status == 201
    assert merge(admin, one, two).status == 200
    assert [each["contactId"] for each in admin.get(f"/v1/clients/{company['id']}/contacts").data] == [one["id"]]
    profiles = admin.get(f"/v1/contacts/{one['id']}/profiles").data["sales"]
    assert [each["isPrimary"] for each in profiles] == [True, False]
    assert admin.post(f"/v1/contacts/{one['id']}/unmerge", {}).status == 200
    assert [each["contactId"] for each in admin.get(f"/v1/clients/{company['id']}/contacts").data] == [two["id"]]
    for contact in (one, two):
        (profile,) = admin.get(f"/v1/contacts/{contact['id']}/profiles").data["sales"]
        assert profile["isPrimary"]


def test_both_numbers_are_told_to_those_who_keep_suppressions(admin: Person):
    heard: list[dict[str, Any]] = []

    def hear(sender: object, **facts: Any) -> None:
        heard.append(facts)

    contacts_merged.connect(hear)
    try:
        one, two = add(admin), add(admin)
        merge(admin, one, two)
    finally:
        contacts_merged.disconnect(hear)
    assert heard[0]["phone_numbers"] == sorted([one["phone"], two["phone"]])


def test_bad_merges_are_refused_and_change_nothing(admin: Person, agent: Person, outsider: Person):
    one, two, foreign = add(admin), add(admin), add(outsider)
    before = tables(admin)
    assert merge(admin, one, one).status == 422
    assert merge(admin, one, foreign).status == 422
    assert merge(admin, one, two, shoeSize=one["id"]).status == 422
    assert merge(admin, one, two, email=foreign["id"]).status == 422
    assert merge(agent, one, two).status == 403
    assert admin.post(f"/v1/contacts/{one['id']}/unmerge").status == 409
    assert tables(admin) == before


def test_merges_are_taken_back_in_turn(admin: Person):
    one, two, three = add(admin), add(admin), add(admin)
    before = tables(admin)
    assert merge(admin, one, two, three).status == 200
    newest, oldest = admin.get(f"/v1/contacts/{one['id']}/merges").data
    refused = admin.post(f"/v1/contacts/{one['id']}/unmerge", {"mergeId": oldest["id"]})
    assert (refused.status, refused.error["code"]) == (409, "LATER_MERGE")
    for each in (newest, oldest):
        assert admin.post(f"/v1/contacts/{one['id']}/unmerge", {"mergeId": each["id"]}).status == 200
    assert tables(admin) | {"contact_merges": None} == before | {"contact_merges": None}


def test_what_was_edited_since_the_merge_stays(admin: Person):
    one, two = add(admin, firstName="Ada", company="A"), add(admin, city="York")
    merge(admin, one, two)
    admin.patch(f"/v1/contacts/{one['id']}", {"company": "B"})
    assert admin.post(f"/v1/contacts/{one['id']}/unmerge").status == 200
    contact = admin.get(f"/v1/contacts/{one['id']}").data
    assert (contact["company"], contact["city"]) == ("B", "")
    assert admin.get(f"/v1/contacts/{two['id']}").data["city"] == "York"


def test_a_number_taken_since_the_merge_is_named(admin: Person):
    one, two = add(admin), add(admin)
    merge(admin, one, two)
    add(admin, phone=two["phone"])
    answer = admin.post(f"/v1/contacts/{one['id']}/unmerge")
    assert (answer.status, answer.error["code"]) == (409, "CONTACT_EXISTS")


class Call(models.Model):
    """A table of another app that points to contacts, at most one of them the main one."""

    class Meta:
        app_label = "calls"
        apps = Apps()
        db_table = "test_calls"

    def __str__(self) -> str:
        return str(self.pk)


def one_main_call(*, survivor_id: uuid.UUID, absorbed_id: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM test_calls WHERE contact_id = %s AND is_main", [survivor_id])
        if cursor.fetchone()[0]:
            cursor.execute("UPDATE test_calls SET is_main = false WHERE contact_id = %s", [absorbed_id])
            cursor.execute("DELETE FROM test_calls WHERE contact_id = %s AND note = 'drop'", [absorbed_id])


@pytest.fixture(params=[None, one_main_call], ids=["without a rule", "with a rule"])
def calls(request: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make the table of another app, with or without a rule for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS test_calls (id uuid PRIMARY KEY, organization_id uuid,"
            " contact_id uuid, note text, is_main boolean);"
            "CREATE UNIQUE INDEX IF NOT EXISTS one_main_call ON test_calls (contact_id) WHERE is_main; TRUNCATE test_calls"
        )
    known = [*merging.pointers(), merging.Pointer(Call, "contact_id", models.CASCADE)]
    monkeypatch.setattr(merging, "pointers", lambda of=Contact: known)
    monkeypatch.setattr(followers, "pointers", lambda of=Contact: known)
    if request.param:
        rules: Any = merging._rules
        monkeypatch.setitem(rules, (Contact, Call), request.param)
    return request.param


NOTES = st.lists(st.sampled_from(["hello", "drop"]), max_size=3)
LISTS = st.lists(st.integers(0, 2), unique=True)
TEXT = st.sampled_from(["", "Ada", "Bea", "=1+1"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "firstName": TEXT,
        "notes": TEXT,
        "privateNotes": TEXT,
        "status": st.sampled_from(["active", "inactive"]),
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
        "customFields": st.dictionaries(st.sampled_from(["x", "y"]), st.none() | st.integers(0, 2), max_size=2),
    },
)


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(st.tuples(LISTS, LISTS), st.tuples(NOTES, NOTES), st.tuples(FIELDS, FIELDS))
def test_unmerging_restores_everything_exactly(admin: Person, calls: Any, on_lists: Any, notes: Any, values: Any):
    lists = [admin.post("/v1/contact-lists", {"name": unique("list")}).data["id"] for _ in range(3)]
    pair = [add(admin, listIds=[lists[i] for i in on], **each) for on, each in zip(on_lists, values, strict=True)]
    with connection.cursor() as cursor:
        for contact, texts in zip(pair, notes, strict=True):
            for index, text in enumerate(texts):
                row = [uuid.uuid4(), admin.organization.id, contact["id"], text, index == 0]
                cursor.execute("INSERT INTO test_calls VALUES (%s, %s, %s, %s, %s)", row)
    before = tables(admin)
    assert merge(admin, *pair).status == 200
    survivor = pair[0]["id"]
    with organization_scope(admin.organization.id):
        found = ContactListMembership.objects.filter(contact_id=survivor).values_list("list_id", flat=True)
        assert {str(each) for each in found} == {lists[index] for index in {*on_lists[0], *on_lists[1]}}
    followed = sum(row["contact_id"] == survivor for row in tables(admin)["test_calls"].values())
    if calls is None:
        # The absorbed contact's main call stays aside when there are two.
        assert followed == len(notes[0]) + len(notes[1]) - bool(notes[0] and notes[1])
    else:
        dropped = notes[1].count("drop") if notes[0] else 0
        assert followed == len(notes[0]) + len(notes[1]) - dropped
    assert admin.post(f"/v1/contacts/{survivor}/unmerge").status == 200
    assert tables(admin) == before
