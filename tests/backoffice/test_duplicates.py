"""Duplicates, merges and bulk changes in the back office."""

from typing import Any

from django.urls import reverse

from contacts.models import BulkJob, Contact, ContactDuplicate
from tests.factories import Person, phone_number, run_jobs
from vocelio.organizations.scope import organization_scope


def add(person: Person, **fields: Any) -> Any:
    with organization_scope(person.organization.id):
        return Contact.objects.create(phone=phone_number(), **fields).pk


def test_two_contacts_are_merged_side_by_side_and_brought_back(admin: Person):
    first = add(admin, first_name="Ada", email="ada@example.com")
    second = add(admin, first_name="Adah", email="ada@example.com")
    assert "Ada" in admin.client.get(reverse("admin:contacts_contactduplicate_changelist")).content.decode()
    with organization_scope(admin.organization.id):
        pair = ContactDuplicate.objects.get()
    page = reverse("admin:contacts_contactduplicate_change", args=[pair.pk])
    shown = admin.client.get(page).content.decode()
    assert "Adah" in shown
    answer = admin.client.post(page, {"survivor": str(first), "choice-firstName": str(second), "merge": ""})
    contact_page = reverse("admin:contacts_contact_change", args=[first])
    assert answer.headers["Location"] == contact_page
    assert "Take the merge of" in admin.client.get(contact_page).content.decode()
    admin.client.post(reverse("admin:contacts_contact_unmerge", args=[first]))
    with organization_scope(admin.organization.id):
        assert Contact.objects.alive().count() == 2
        assert Contact.objects.get(pk=first).first_name == "Ada"


def test_a_bulk_change_is_counted_started_and_undone(admin: Person):
    contact_id = add(admin, state="CA")
    add(admin, state="NY")
    page = reverse("admin:contacts_bulkjob_add")
    form = {"filter": "state=CA", "operation": "add-tags", "tags": "vip"}
    assert "This concerns 1 contacts" in admin.client.post(page, form | {"preview": ""}).content.decode()
    admin.client.post(page, form | {"start": ""})
    run_jobs(admin.organization)
    with organization_scope(admin.organization.id):
        job = BulkJob.objects.get()
        assert Contact.objects.get(pk=contact_id).tags == ["vip"]
    admin.client.post(reverse("admin:contacts_bulkjob_undo", args=[job.pk]))
    run_jobs(admin.organization)
    with organization_scope(admin.organization.id):
        assert Contact.objects.get(pk=contact_id).tags == []
