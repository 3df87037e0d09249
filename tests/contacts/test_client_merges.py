"""Two clients made one, and two again: fields, people, deals, projects, subsidiaries."""

import json
from typing import Any

from django.db import connection

from contacts import merging
from contacts.models import Client
from sales.models import Activity, Deal, Project
from tests.contacts.test_clients import at_once, make_client
from tests.contacts.test_contacts import make_contact
from tests.factories import Person, unique
from tests.rows import make_row
from vocelio.organizations.scope import organization_scope


def merge(person: Person, survivor: Any, *others: Any, **choices: Any) -> Any:
    body = {"clientId": survivor["id"], "mergeIds": [other["id"] for other in others]}
    return person.post("/v1/clients/merge", body | ({"choices": choices} if choices else {}))


def tables(person: Person) -> dict[str, Any]:
    """Return every row that is or points to a client, without the times the database keeps."""
    result = {}
    with organization_scope(person.organization.id), connection.cursor() as cursor:
        for table in ["clients", *sorted({pointer.table for pointer in merging.pointers(Client)})]:
            cursor.execute(f"SELECT id, to_jsonb(each) - 'updated_at' FROM {table} AS each")
            rows = {str(pk): json.loads(row) if isinstance(row, str) else row for pk, row in cursor.fetchall()}
            result[table] = rows
    return result


def test_a_merge_of_clients_keeps_choices_fills_blanks_and_joins_the_rest(admin: Person):
    one = make_client(
        admin, name="Acme", industry="Energy", tags=["a"], notes="first", customFields={"erp": 1}, domain="acme.com"
    )
    two = make_client(
        admin, name="Acme Inc", city="Boston", tags=["b"], notes="second", annualRevenue="5", currency="EUR",
        customFields={"erp": 2, "crm": 3}, industry="Machines", domain="acme.de",
    )  # fmt: skip
    admin.post(f"/v1/clients/{one['id']}/verify", {"verification": "verified"})
    merged = merge(admin, one, two, name=two["id"], **{"customFields.erp": two["id"]})
    assert merged.status == 200, merged
    client = merged.data
    assert (client["id"], client["name"], client["domain"]) == (one["id"], "Acme Inc", "acme.com")
    assert (client["industry"], client["city"]) == ("Energy", "Boston")
    assert (client["annualRevenue"], client["currency"]) == ("5.00", "EUR")
    assert (client["tags"], client["customFields"]) == (["a", "b"], {"erp": 2, "crm": 3})
    assert (client["notes"], client["verification"]) == ("first\n\nsecond", "unverified")
    assert admin.get(f"/v1/clients/{two['id']}").status == 404
    assert admin.get("/v1/clients/trash").data == []
    assert admin.post(f"/v1/clients/{two['id']}/restore").status == 404
    (listed,) = admin.get(f"/v1/clients/{one['id']}/merges").data
    assert listed["absorbedId"] == two["id"]


def test_whatever_points_to_a_client_follows_and_comes_back(admin: Person):
    one, two = make_client(admin, city="Rome"), make_client(admin, website="beta.com", tags=["x"])
    child = make_client(admin, parentId=two["id"])
    ada, bea = make_contact(admin)["id"], make_contact(admin)["id"]
    for client, contact in ((one, ada), (two, ada), (two, bea)):
        body = {"contactId": contact, "isPrimary": contact == ada}
        assert admin.post(f"/v1/clients/{client['id']}/contacts", body).status == 201
    with organization_scope(admin.organization.id):
        for model in (Deal, Project, Activity):
            make_row(model, client_id=two["id"])
    before = tables(admin)
    assert merge(admin, one, two).status == 200
    after = tables(admin)
    for table in ("deals", "projects", "sales_activities"):
        assert {row["client_id"] for row in after[table].values()} == {one["id"]}, table
    people = admin.get(f"/v1/clients/{one['id']}/contacts").data
    assert {(each["contactId"], each["isPrimary"]) for each in people} == {(ada, True), (bea, False)}
    assert admin.get(f"/v1/clients/{child['id']}").data["parent"]["id"] == one["id"]
    unmerged = admin.post(f"/v1/clients/{one['id']}/unmerge", {})
    assert (unmerged.status, unmerged.data["absorbedId"]) == (200, two["id"]), unmerged
    assert tables(admin) == before
    again = admin.post(f"/v1/clients/{one['id']}/unmerge", {})
    assert (again.status, again.error["code"]) == (409, "NOT_MERGED")


def test_unmerging_keeps_what_was_changed_since_and_refuses_a_taken_name(admin: Person):
    one, two = make_client(admin, name=unique("One")), make_client(admin, name=unique("Two"), city="Rome")
    assert merge(admin, one, two).data["city"] == "Rome"
    admin.patch(f"/v1/clients/{one['id']}", {"city": "Oslo"})
    taken = make_client(admin, name=two["name"])
    refused = admin.post(f"/v1/clients/{one['id']}/unmerge", {})
    assert (refused.status, refused.error["code"]) == (409, "CLIENT_EXISTS")
    assert refused.error["details"]["existingId"] == taken["id"]
    assert admin.get(f"/v1/clients/{two['id']}").status == 404
    admin.delete(f"/v1/clients/{taken['id']}")
    assert admin.post(f"/v1/clients/{two['id']}/unmerge", {}).status == 200
    assert admin.get(f"/v1/clients/{one['id']}").data["city"] == "Oslo"
    assert admin.get(f"/v1/clients/{two['id']}").data["city"] == "Rome"


def test_no_merge_puts_a_company_above_itself(admin: Person):
    top = make_client(admin)
    middle = make_client(admin, parentId=top["id"])
    bottom = make_client(admin, parentId=middle["id"])
    refused = merge(admin, bottom, top)
    assert (refused.status, refused.error["details"]["constraint"]) == (422, "cycle"), refused
    refused = merge(admin, top, bottom, parentId=bottom["id"])
    assert (refused.status, refused.error["details"]["field"]) == (422, "choices.parentId")
    before = tables(admin)
    # A child takes the place of its parent, a parent that of its child.
    assert merge(admin, middle, top).data["parent"] is None
    assert admin.post(f"/v1/clients/{middle['id']}/unmerge", {}).status == 200
    assert merge(admin, top, bottom).data["parent"] is None
    assert admin.post(f"/v1/clients/{top['id']}/unmerge", {}).status == 200
    assert tables(admin) == before


def test_merges_that_make_no_sense_are_refused_and_change_nothing(admin: Person, outsider: Person):
    one, two = make_client(admin), make_client(admin)
    foreign = make_client(outsider)
    for answer, status in (
        (merge(admin, one, one), 422),
        (merge(admin, one, foreign), 422),
        (merge(admin, one, two, name=foreign["id"]), 422),
        (merge(admin, one, two, colour=two["id"]), 422),
        (outsider.post(f"/v1/clients/{one['id']}/unmerge", {}), 404),
    ):
        assert answer.status == status, answer
    assert len(admin.get("/v1/clients").data) == 2


def test_of_two_who_merge_the_same_clients_at_once_one_wins(admin: Person):
    one, two = make_client(admin), make_client(admin)
    answers = at_once(lambda: merge(admin, one, two), lambda: merge(admin, two, one))
    assert sorted(answer.status for answer in answers) in ([200, 409], [200, 422])
    assert len(admin.get("/v1/clients").data) == 1
