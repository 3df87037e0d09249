import random

import pytest
from django.db.models.functions import Now

from benchmarks.contact_files import existing_phones, write_csv
from contacts.models import Contact, ContactImport, ContactList, ContactListMembership, ImportRejection
from contacts.services import import_files
from tests.contacts.dying_worker import run_import
from tests.contacts.uploads import import_file, upload
from tests.factories import make_organization, make_person, run_jobs
from tests.mortal import run_mortal
from vocelio.audit.models import AuditEntry
from vocelio.jobs.services import LEASE
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event

ROWS, CHUNK_ROWS = 1_000, 50
FIELDS = ["phone", "first_name", "last_name", "email", "company", "address", "zip", "tags", "custom_fields", "source"]


@pytest.fixture
def dirty_file(tmp_path):
    write_csv(tmp_path / "dirty.csv", ROWS, existing=100)
    return (tmp_path / "dirty.csv").read_bytes()


def manager_with_contacts():
    manager = make_person(make_organization(), "manager")
    import_file(manager, "phone,Note\n" + "".join(f"{phone},old\n" for phone in existing_phones(100)))
    return manager


def run_worker(job, statement=0):
    """Run the job in a process of its own; say whether it was killed."""
    return run_mortal(run_import, str(job.organization_id), str(job.id), statement, CHUNK_ROWS)


def everything(manager, job):
    """Return all that the import left behind, but for ids and times."""
    with organization_scope(manager.organization.id):
        job = ContactImport.objects.get(pk=job.pk)
        members = ContactListMembership.objects.filter(list_id=job.target_list_id)
        events = list(Event.objects.order_by("sequence").values_list("sequence", flat=True))
        assert events == list(range(1, len(events) + 1))
        return {
            "status": job.status,
            "results": job.results,
            "contacts": list(Contact.objects.order_by("phone").values_list(*FIELDS)),
            "members": sorted(members.values_list("contact__phone", flat=True)),
            "counted": ContactList.objects.with_counts().get(pk=job.target_list_id).contact_count,
            "rejections": list(
                ImportRejection.objects.filter(job=job).order_by("row").values_list("row", "field", "error", "cells")
            ),
            "completed": AuditEntry.objects.filter(action="import.completed", resource_id=str(job.id)).count(),
        }


@pytest.mark.parametrize("skip_duplicates", ["true", "false"])
def test_an_import_killed_again_and_again_ends_like_an_undisturbed_one(dirty_file, monkeypatch, skip_duplicates):
    options = {"listName": "Callees", "skipDuplicates": skip_duplicates}
    monkeypatch.setattr(import_files, "CHUNK_ROWS", CHUNK_ROWS)
    undisturbed = manager_with_contacts()
    import_file(undisturbed, dirty_file, **options)
    with organization_scope(undisturbed.organization.id):
        reference = ContactImport.objects.order_by("id").last()

    manager = manager_with_contacts()
    job_id = upload(manager, dirty_file, **options).data["jobId"]
    with organization_scope(manager.organization.id):
        job = ContactImport.objects.get(pk=job_id)
    draw = random.Random(7)  # noqa: S311
    # Each life has statements enough for a few chunks: the first dies before any, others in the midst of one.
    for statement in [4, *(draw.randrange(20, 140) for _ in range(4))]:
        assert run_worker(job, statement)
        with organization_scope(job.organization_id):
            ContactImport.objects.filter(pk=job.pk).update(lease_until=Now() - LEASE)
    assert not run_worker(job)

    assert everything(manager, job) == everything(undisturbed, reference)
    run_jobs(manager.organization)
    assert everything(manager, job)["completed"] == 1
