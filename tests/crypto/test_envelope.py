"""Encrypted columns: what rests in the table, and what moving it does."""

import base64
import os

import pytest
from django.db import connection

from contacts.models import Contact
from tests.factories import make_organization, phone_number
from vocelio.crypto.envelope import Undecryptable, rewrap_key
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


def test_rotation_accepts_two_master_keys_and_ends_with_the_new_one(organization, settings):
    old = settings.MASTER_KEYS
    new = base64.b64encode(os.urandom(32)).decode()
    with organization_scope(organization.id):
        contact = make_contact()
        settings.MASTER_KEYS = [new, *old]
        assert Contact.objects.get(pk=contact.pk).private_notes == CANARY
        rewrap_key(OrganizationKey.objects.get())
        settings.MASTER_KEYS = [new]
        assert Contact.objects.get(pk=contact.pk).private_notes == CANARY
        settings.MASTER_KEYS = old
        with pytest.raises(Undecryptable):
            _ = Contact.objects.get(pk=contact.pk).private_notes
