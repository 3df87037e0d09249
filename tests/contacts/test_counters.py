"""Counts are exact whoever writes, and are read rather than counted."""

import threading

from django.db import connection
from django.db.models import Sum

from contacts.models import Contact, ContactArrival, ContactList, ContactListMembership, ContactTally
from contacts.tasks import compact_tallies
from tests.contacts.test_contacts import make_contact, make_list
from tests.factories import Person, phone_number
from vocelio.organizations.scope import organization_scope


def counts(person: Person, *list_ids: str) -> tuple[int, int, list[int]]:
    filters = person.get("/v1/contacts").json["filters"]
    assert filters["totalContacts"] == filters["activeContacts"] + filters["inactiveContacts"]
    with organization_scope(person.organization.id):
        hours = ContactArrival.objects.values("status").annotate(number=Sum("delta")).values_list("status", "number")
        assert {status: number for status, number in hours if number} == {
            status: number for status, number in ContactTally.objects.by_status().items() if number
        }
    members = [person.get(f"/v1/contact-lists/{list_id}").data["contactCount"] for list_id in list_ids]
    return filters["activeContacts"], filters["inactiveContacts"], members


def test_counts_follow_every_change_through_the_api(manager: Person):
    one, two = make_list(manager, "One"), make_list(manager, "Two")
    assert counts(manager, one, two) == (0, 0, [0, 0])
    first = make_contact(manager, listIds=[one, two])["id"]
    second = make_contact(manager, listIds=[one], status="inactive")["id"]
    assert counts(manager, one, two) == (1, 1, [2, 1])
    manager.patch(f"/v1/contacts/{first}", {"status": "inactive", "listIds": [two]})
    assert counts(manager, one, two) == (0, 2, [1, 1])
    manager.delete(f"/v1/contacts/{first}")
    assert counts(manager, one, two) == (0, 1, [1, 0])
    manager.post(f"/v1/contacts/{first}/restore")
    assert counts(manager, one, two) == (0, 2, [1, 1])
    manager.delete(f"/v1/contact-lists/{two}")
    assert counts(manager, one) == (0, 2, [1])
    bulk = {"action": "delete", "contactIds": [first, second]}
    assert manager.post("/v1/contacts/bulk-operations", bulk).json["successful"] == 2
    assert counts(manager, one) == (0, 0, [0])


def test_plain_sql_is_counted_too(manager: Person):
    contact_list = make_list(manager)
    with organization_scope(manager.organization.id), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts (id, organization_id, first_name, last_name, email, phone_extension, company, title,"
            " address, city, state, zip, country, tags, custom_fields, status, source, notes, private_notes, contact_count)"
            " SELECT uuid7(), %s, '', '', n || '@example.com', '', '', '', '', '', '', '', '', '{}', '{}',"
            " CASE WHEN n %% 4 = 0 THEN 'inactive' ELSE 'active' END, '', '', '', 0 FROM generate_series(1, 100) AS n",
            [manager.organization.id],
        )
        cursor.execute(
            "INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id)"
            " SELECT uuid7(), organization_id, id, %s FROM contacts",
            [contact_list],
        )
    assert counts(manager, contact_list) == (75, 25, [100])
    with organization_scope(manager.organization.id), connection.cursor() as cursor:
        cursor.execute("UPDATE contacts SET deleted_at = now() WHERE status = 'inactive'")
        cursor.execute("DELETE FROM contacts WHERE email < '2'")
    with organization_scope(manager.organization.id):
        alive = Contact.objects.alive().count()
    assert counts(manager, contact_list) == (alive, 0, [alive])


def test_compacting_changes_no_number_and_leaves_one_row_each(manager: Person):
    contact_list = make_list(manager)
    for _ in range(3):
        make_contact(manager, listIds=[contact_list])
    compact_tallies()
    assert counts(manager, contact_list) == (3, 0, [3])
    with organization_scope(manager.organization.id):
        assert ContactTally.objects.count() == 2
        # One for each hour, source and status.
        assert ContactArrival.objects.filter(is_settled=False).count() == 0
        assert {row.delta for row in ContactArrival.objects.all()} <= {1, 2, 3}


def test_writers_of_one_organization_do_not_wait_for_each_other(manager: Person):
    """An import's open transaction must not hold up a person who adds a contact to the same list."""
    contact_list = make_list(manager)
    created = threading.Event()

    def create():
        make_contact(manager, listIds=[contact_list])
        connection.close()
        created.set()

    with organization_scope(manager.organization.id):
        contact = Contact.objects.create(phone=phone_number())
        ContactListMembership.objects.create(contact=contact, list=ContactList.objects.get(pk=contact_list))
        thread = threading.Thread(target=create)
        thread.start()
        assert created.wait(5)
    thread.join()
    assert counts(manager, contact_list) == (2, 0, [2])


def test_trashing_and_joining_a_list_at_once_are_counted_once(manager: Person):
    contact_list = make_list(manager)
    contact = make_contact(manager)["id"]

    def trash():
        with organization_scope(manager.organization.id), connection.cursor() as cursor:
            cursor.execute("UPDATE contacts SET deleted_at = now() WHERE id = %s", [contact])
        connection.close()

    thread = threading.Thread(target=trash)
    with organization_scope(manager.organization.id):
        ContactListMembership.objects.create(contact_id=contact, list_id=contact_list)
        thread.start()
        # Until this transaction ends, the other waits for the contact's lock.
        thread.join(0.3)
        assert thread.is_alive()
    thread.join()
    assert counts(manager, contact_list) == (0, 0, [0])
    manager.post(f"/v1/contacts/{contact}/restore")
    assert counts(manager, contact_list) == (1, 0, [1])
