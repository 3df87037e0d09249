"""Both paginations, on contact lists."""

import pytest

from contacts.models import ContactList
from tests.factories import Person
from vocelio.organizations.scope import organization_scope


@pytest.fixture
def lists(admin: Person) -> list[str]:
    names = [f"list {number:02d}" for number in range(25)]
    with organization_scope(admin.organization.id):
        ContactList.objects.bulk_create(ContactList(name=name) for name in names)
    return names


def test_pages_have_totals(admin, lists):
    answer = admin.get("/v1/contact-lists?page=3&limit=10&sort=name")
    assert [row["name"] for row in answer.data] == lists[20:]
    assert answer.json["pagination"] == {"page": 3, "limit": 10, "total": 25, "pages": 3}


@pytest.mark.parametrize("sort", ["name", "-name", "createdAt", "-createdAt", "contactCount", "-contactCount,name"])
def test_cursors_read_everything_once_in_the_order_of_pages(admin, lists, sort):
    by_page = [row["id"] for row in admin.get(f"/v1/contact-lists?limit=200&sort={sort}").data]
    by_cursor, cursor = [], ""
    while cursor is not None:
        answer = admin.get(f"/v1/contact-lists?limit=7&sort={sort}&cursor={cursor}")
        by_cursor += [row["id"] for row in answer.data]
        assert set(answer.json["pagination"]) == {"limit", "nextCursor"}
        cursor = answer.json["pagination"]["nextCursor"]
    assert by_cursor == by_page
    assert len(set(by_cursor)) == 25


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=1000000000", "limit"),
        ("limit=0", "limit"),
        ("limit=ten", "limit"),
        ("page=-1", "page"),
        ("page=0", "page"),
        ("page=1000000&limit=200", "page"),
        ("sort=nonsense", "sort"),
        ("sort=--name", "sort"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
        ("colour=red", "colour"),
        ("search=%00", "search"),
        ("status=sleeping", "status"),
    ],
)
def test_what_a_list_does_not_understand_is_422_and_named(admin, query, field):
    answer = admin.get(f"/v1/contact-lists?{query}")
    assert answer.status == 422
    assert answer.error["details"]["field"] == field


def test_a_cursor_of_another_order_is_refused(admin, lists):
    cursor = admin.get("/v1/contact-lists?limit=7&sort=name&cursor=").json["pagination"]["nextCursor"]
    assert admin.get(f"/v1/contact-lists?sort=-name&cursor={cursor}").status == 422
