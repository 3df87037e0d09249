"""organization_scope: one organization, one unit of work."""

import pytest
from django.db import connection, transaction

from contacts.models import ContactList
from tests.factories import make_organization
from vocelio.organizations.scope import ScopeMissing, current_scope, organization_scope
from vocelio.realtime.models import Event
from vocelio.realtime.publish import publish


def setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.org', true)")
        return str(cursor.fetchone()[0] or "")


def test_nested_scopes_return_to_the_outer_organization(organization):
    other = make_organization()
    with organization_scope(organization.id):
        ContactList.objects.create(name="mine")
        with organization_scope(other.id):
            assert ContactList.objects.count() == 0
            assert setting() == str(other.id)
        assert ContactList.objects.get().name == "mine"
        assert setting() == str(organization.id)
    assert setting() == ""
    with pytest.raises(ScopeMissing):
        current_scope()


def test_a_failed_inner_scope_leaves_the_outer_one_usable(organization):
    other = make_organization()
    with organization_scope(organization.id):
        with pytest.raises(ValueError, match="inner"), organization_scope(other.id):
            raise ValueError("inner")
        ContactList.objects.create(name="after")
    with organization_scope(organization.id):
        assert ContactList.objects.filter(name="after").exists()


def test_a_scope_in_a_longer_transaction_does_not_leak_into_its_rest(organization):
    with transaction.atomic():
        with organization_scope(organization.id):
            assert setting() == str(organization.id)
        assert setting() == ""


def test_events_of_a_failed_scope_are_not_stored(organization):
    def fail() -> None:
        publish("contacts", type="contact_updated", data={})
        raise ValueError("work")

    with pytest.raises(ValueError, match="work"), organization_scope(organization.id):
        fail()
    with organization_scope(organization.id):
        publish("contacts", type="contact_updated", data={"n": 1})
        publish("contacts", type="contact_updated", data={"n": 2})
    with organization_scope(organization.id):
        assert list(Event.objects.order_by("sequence").values_list("sequence", "data")) == [
            (1, {"n": 1}),
            (2, {"n": 2}),
        ]
