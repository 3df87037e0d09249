"""Encrypted columns: what rests in the table, and what moving it does."""

import pytest
from django.db import connection

from contacts.models import Contact
from tests.factories import make_organization, phone_number
from vocelio.crypto.envelope import Undecryptable
from vocelio.crypto.models import OrganizationKey
from vocelio.organizations.scope import organization_scope

CANARY = "canary-4711"


def make_contact() -> Contact:
    return Contact.objects.create(first_name="Ada", phone=phone_number(), private_notes=CANARY)


def stored(contact: Contact) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_notes FROM contacts WHERE id = %s", [contact.id])
        return str(cursor.fetchone()[0])


def test_the_table_holds_ciphertext_and_the_model_plain_text(organization):
    with organization_scope(organization.id):
        contact = make_contact()
        assert CANARY not in stored(contact)
        assert Contact.objects.get(pk=contact.pk).private_notes == CANARY


def test_saving_a_row_read_back_keeps_its_secret(organization):
    with organization_scope(organization.id):
        contact = Contact.objects.get(pk=make_contact().pk)
        contact.first_name = "Grace"
        contact.save()
        assert Contact.objects.get(pk=contact.pk).private_notes == CANARY


def test_a_ciphertext_moved_to_another_row_does_not_open(organization):
    with organization_scope(organization.id):
        one, other = make_contact(), make_contact()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE contacts SET private_notes = (SELECT private_notes FROM contacts WHERE id = %s) WHERE id = %s",
                [one.id, other.id],
            )
        with pytest.raises(Undecryptable):
            _ = Contact.objects.get(pk=other.pk).private_notes


def test_each_organization_has_its_own_key(organization):
    other = make_organization()
    for organization_id in (organization.id, other.id):
        with organization_scope(organization_id):
            make_contact()
            make_contact()
            assert OrganizationKey.objects.count() == 1
