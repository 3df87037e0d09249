"""Finding a contact by what one remembers of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, ContactList, live
from tests.contacts.test_contacts import make_contact
from tests.factories import Person
from vocelio.organizations.scope import organization_scope


@pytest.mark.parametrize(
    "words",
    [
        "zoë",
        "ZOE",
        "van der",
        "o'brien",
        "OBrien",
        "obrien zo",
        "obrien-smith",
        "smith",
        "tyrell",
        "at&t",
        "zoe.obrien@mail",
        "zoe.obrien",
        "@mail.example.co.uk",
        "mail.example",
        "example.co",
        "(415) 555-2671",
        "4155552671",
        "+1 415 555 2671",
        "555-2671",
        "2671",
        "zoe 2671",
        "z s",
        "Łukasiewicz",
        "lukas",
    ],
)
def test_a_contact_is_found_by(manager: Person, words):
    contact = make_contact(
        manager,
        firstName="Zoë van der",
        lastName="O\u2019Brien-Smith",
        company="Tyrell, AT&T and Łukasiewicz Ltd.",
        email="zoe.obrien@mail.example.co.uk",
        phone="+14155552671",
    )
    make_contact(manager, firstName="Somebody", lastName="Else", email="else@nowhere.test")
    answer = manager.client.get(
        "/v1/contacts", {"search": words}, headers={"Authorization": f"Bearer {manager.token}"}
    ).json()
    assert [found["id"] for found in answer["data"]] == [contact["id"]]
    assert answer["pagination"]["total"] == 1


@pytest.mark.parametrize("words", ["0958", "+44 20 7946 0958", "020 7946 0958", "2079460958", "79460958"])
def test_a_phone_with_zeros_is_found_as_it_ends_and_as_it_is_dialled_at_home(manager: Person, words: str):
    contact = make_contact(manager, phone="+442079460958")
    make_contact(manager, phone="+442079460959")
    answer = manager.client.get(
        "/v1/contacts", {"search": words}, headers={"Authorization": f"Bearer {manager.token}"}
    ).json()
    assert [found["id"] for found in answer["data"]] == [contact["id"]]


@pytest.mark.parametrize(
    "words", ["brien else", "671", "5552", "ith", "...", "'; DROP TABLE contacts; --", "\\", "vip"]
)
def test_a_contact_is_not_found_by(manager: Person, words):
    make_contact(manager, firstName="Zoë", lastName="O'Brien-Smith", phone="+14155552671", tags=["vip"])
    answer = manager.client.get("/v1/contacts", {"search": words}, headers={"Authorization": f"Bearer {manager.token}"})
    assert answer.status_code == 200
    assert answer.json()["data"] == []


def test_search_follows_changes_and_stays_in_the_organization(manager: Person, outsider: Person):
    contact = make_contact(manager, firstName="Quincy")
    make_contact(outsider, firstName="Quincy")
    assert len(manager.get("/v1/contacts?search=quin").data) == 1
    manager.patch(f"/v1/contacts/{contact['id']}", {"firstName": "Ulysses"})
    assert manager.get("/v1/contacts?search=quin").data == []
    assert len(manager.get("/v1/contacts?search=ulys").data) == 1


def test_the_view_of_contacts_shows_one_organization_and_takes_no_writes(manager: Person, outsider: Person):
    make_contact(manager)
    with organization_scope(outsider.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM live_contacts")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT has_table_privilege('live_contacts', 'INSERT, UPDATE, DELETE')")
        assert cursor.fetchone() == (False,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM live_contacts")
        assert cursor.fetchone() == (0,)


@pytest.fixture
def hundred(manager: Person) -> Person:
    """Give the organization 100 contacts: the 30 oldest share a tag, every second one a name."""
    with organization_scope(manager.organization.id):
        for number in range(100):
            Contact.objects.create(
                first_name="Even" if number % 2 == 0 else "Odd",
                last_name=f"Number {number:03}",
                email=f"{number}@example.com",
                tags=["old"] if number < 30 else [],
            )
    return manager


@pytest.mark.parametrize("way", ["by the index", "in the order of the list", "the order of the list gives up"])
@pytest.mark.parametrize("sort", ["-createdAt", "createdAt", "name", "-updatedAt"])
def test_both_ways_to_a_page_find_the_same(hundred: Person, monkeypatch, way, sort):
    """Large organizations are read differently; make this one large by moving the limits."""
    if way != "by the index":
        monkeypatch.setattr(live, "COMMON", 0)
        monkeypatch.setattr(live, "COUNT_BOUND", 5)
        monkeypatch.setattr(live, "PROBE", 5 if "gives up" in way else 60)
        monkeypatch.setattr(live, "TELLING", 1)
        monkeypatch.setattr(live, "PATIENCE", 0 if "gives up" in way else 4)
    for query, expected in (
        ("search=even", 50),
        ("tags=old", 30),
        ("search=odd&tags=old", 15),
        ("search=even%20number", 50),
        ("hasEmail=true", 100),
    ):
        by_page, page = [], 1
        while rows := hundred.get(f"/v1/contacts?{query}&sort={sort}&limit=20&page={page}").data:
            by_page += [row["id"] for row in rows]
            page += 1
        by_cursor, cursor = [], ""
        while cursor is not None:
            answer = hundred.get(f"/v1/contacts?{query}&sort={sort}&limit=20&cursor={cursor}").json
            by_cursor += [row["id"] for row in answer["data"]]
            cursor = answer["pagination"]["nextCursor"]
        assert by_page == by_cursor
        assert len(set(by_page)) == len(by_page) == expected


def test_a_list_filled_a_moment_ago_is_not_read_anew_for_each_contact(hundred: Person, monkeypatch):
    """The planner knows nothing of the list yet, so the statement must leave it no choice."""
    with organization_scope(hundred.organization.id):
        filled = ContactList.objects.create(name="Filled")
        ids = list(Contact.objects.order_by("created_at").values_list("pk", flat=True))
    hundred.post(f"/v1/contact-lists/{filled.pk}/contacts", {"contactIds": [str(each) for each in ids]})
    monkeypatch.setattr(live, "COMMON", 0)
    monkeypatch.setattr(live, "COUNT_BOUND", 5)
    with CaptureQueriesContext(connection) as queries:
        rows = hundred.get(f"/v1/contacts?listId={filled.pk}&sort=createdAt&limit=20").data
    assert [row["id"] for row in rows] == [str(each) for each in ids[:20]]
    reading = [query["sql"] for query in queries if "WITH found" in query["sql"]]
    with organization_scope(hundred.organization.id), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {reading[-1]}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "SubPlan" in plan
    assert "Semi Join" not in plan


def test_totals_beyond_the_bound_are_estimates_and_say_so(hundred: Person, monkeypatch):
    assert "isEstimate" not in hundred.get("/v1/contacts?search=even").json["pagination"]
    monkeypatch.setattr(live, "COUNT_BOUND", 10)
    pagination = hundred.get("/v1/contacts?search=even").json["pagination"]
    assert pagination["isEstimate"] is True
    assert pagination["total"] > 10
    assert "isEstimate" not in hundred.get("/v1/contacts?status=active").json["pagination"]
