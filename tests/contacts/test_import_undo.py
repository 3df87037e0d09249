"""An import taken back: what it made goes, what it changed comes back, what people did since stays."""

import contextlib
import itertools
import random
from datetime import timedelta

import pytest
from django.utils import timezone

from contacts.models import Contact, ContactImport, ContactListMembership, ImportUndo
from contacts.services import import_files, undo
from contacts.signals import contacts_in_use
from tests.contacts.uploads import contacts_of, import_file, upload
from tests.factories import phone_number, run_jobs
from vocelio.audit.models import AuditEntry
from vocelio.jobs import services
from vocelio.organizations.scope import organization_scope

HEADER = "first_name,phone,company,tags,Score\n"
NOTHING = dict.fromkeys(["removed", "kept", "restored", "partlyRestored", "unrestored", "gone", "unlisted"], 0)


class SwitchedOff(BaseException):
    """Ends a worker without any of its own clean-up."""


def take_back(person, job_id):
    answer = person.post(f"/v1/uploads/contacts/{job_id}/undo")
    assert answer.status == 202, answer
    run_jobs(person.organization)
    return person.get(f"/v1/uploads/contacts/{job_id}/undo").data


def state(person):
    """Return every contact and membership outside the trash, byte for byte."""
    with organization_scope(person.organization.id):
        contacts = {each["id"]: each for each in Contact.objects.alive().values()}
        members = set(
            ContactListMembership.objects.filter(contact__deleted_at=None).values_list("contact_id", "list_id")
        )
    return contacts, members


def without_time(contact):
    return {name: value for name, value in contact.items() if name not in ("updated_at", "search")}


def test_undo_removes_what_was_made_and_restores_what_was_changed(manager):
    import_file(manager, HEADER + "Ann,2125550101,Acme,old,7\nZoe,2125550199,Acme,,\n")
    before, members = state(manager)
    rows = "Anna,2125550101,Globex,new,8\nBob,2125550102,Globex,,\nZoe,2125550199,Acme,,\n"
    job = import_file(manager, HEADER + rows, skipDuplicates="false", listName="Fair")
    assert job["undoableUntil"] > job["completedAt"]
    done = take_back(manager, job["id"])
    assert (done["status"], done["progress"]) == ("completed", 100)
    assert done["results"] == NOTHING | {"removed": 1, "restored": 1, "unlisted": 2}
    after, members_after = state(manager)
    assert members_after == members
    assert after.keys() == before.keys()
    ann, zoe = sorted(after)
    assert without_time(after[ann]) == without_time(before[ann])
    assert after[zoe] == before[zoe]
    assert manager.get(f"/v1/uploads/contacts/{job['id']}").data["undo"]["results"]["removed"] == 1
    with organization_scope(manager.organization.id):
        entry = AuditEntry.objects.get(action="import_undo.completed")
    assert entry.details["removed"] == 1


def test_undo_leaves_alone_what_was_changed_since(manager):
    import_file(manager, HEADER + "Ann,2125550101,Acme,,7\nEve,2125550103,Acme,,7\nMax,2125550104,Acme,,\n")
    rows = "Anna,2125550101,Globex,,8\nBob,2125550102,,,\nRob,2125550105,,,\nEva,2125550103,Acme,,7\n"
    rows += "Kim,2125550106,,,\nLea,2125550107,,,\nMaxi,2125550104,Acme,,\n"
    job = import_file(manager, HEADER + rows, skipDuplicates="false")
    ids = {contact.phone[-2:]: contact.id for contact in contacts_of(manager)}
    manager.patch(f"/v1/contacts/{ids['01']}", {"company": "Initech"})
    manager.patch(f"/v1/contacts/{ids['02']}", {"title": "Boss"})
    manager.patch(f"/v1/contacts/{ids['03']}", {"firstName": "Evelyn"})
    manager.delete(f"/v1/contacts/{ids['06']}")
    vip = manager.post("/v1/contact-lists", {"name": "VIP"}).data["id"]
    manager.post(f"/v1/contact-lists/{vip}/contacts", {"contactIds": [str(ids["07"])]})
    done = take_back(manager, job["id"])
    assert done["results"] == NOTHING | {
        "removed": 1,
        "kept": 2,
        "gone": 1,
        "restored": 1,
        "partlyRestored": 1,
        "unrestored": 1,
    }
    names = {contact.phone[-2:]: (contact.first_name, contact.company) for contact in contacts_of(manager)}
    assert names == {
        "01": ("Ann", "Initech"),
        "02": ("Bob", ""),
        "03": ("Evelyn", "Acme"),
        "04": ("Max", "Acme"),
        "07": ("Lea", ""),
    }
    with organization_scope(manager.organization.id):
        assert Contact.objects.get(pk=ids["01"]).custom_fields == {"Score": "7"}


def test_contacts_that_other_apps_have_work_on_are_kept(manager):
    job = import_file(manager, HEADER + "Ann,2125550101,,,\nBob,2125550102,,,\n")
    used = contacts_of(manager)[0].id

    def deals(contact_ids, **kwargs):
        return [used]

    contacts_in_use.connect(deals)
    try:
        done = take_back(manager, job["id"])
    finally:
        contacts_in_use.disconnect(deals)
    assert done["results"] == NOTHING | {"removed": 1, "kept": 1}
    assert [contact.id for contact in contacts_of(manager)] == [used]


def test_undo_has_its_time_and_happens_once(manager, agent, outsider):
    job = import_file(manager, HEADER + "Ann,2125550101,,,\n")
    address = f"/v1/uploads/contacts/{job['id']}/undo"
    assert manager.get(address).status == 404
    assert (agent.post(address).status, outsider.post(address).status) == (403, 404)
    with organization_scope(manager.organization.id):
        ended = timezone.now() - timedelta(days=undo.UNDO_DAYS, minutes=1)
        ContactImport.objects.update(completed_at=ended)
    assert manager.post(address).status == 409
    with organization_scope(manager.organization.id):
        ContactImport.objects.update(completed_at=timezone.now())
    assert manager.post(address).status == 202
    assert manager.post(address).status == 409
    waiting = upload(manager, HEADER + "Bob,2125550102,,,\n").data["jobId"]
    assert manager.post(f"/v1/uploads/contacts/{waiting}/undo").status == 409


def test_an_undo_goes_on_where_a_worker_died(manager, monkeypatch):
    import_file(manager, HEADER + "".join(f"Old,{phone_number(n)},Acme,,\n" for n in range(6)))
    before, _ = state(manager)
    rows = "".join(f"New,{phone_number(n)},Globex,,\n" for n in range(12))
    job = import_file(manager, HEADER + rows, skipDuplicates="false", listName="Fair")
    manager.post(f"/v1/uploads/contacts/{job['id']}/undo")
    monkeypatch.setattr(undo, "CHUNK_ROWS", 2)
    with organization_scope(manager.organization.id):
        row = ImportUndo.objects.get()
    original = services.Run.step
    # Each life ends after a few steps, as if its machine had been switched off.
    for life in range(3, 14):
        left = itertools.repeat(None, life)

        def step(run, left=left):
            if next(left, "over") is not None:
                raise SwitchedOff
            return original(run)

        monkeypatch.setattr(services.Run, "step", step)
        with organization_scope(manager.organization.id):
            ImportUndo.objects.update(lease_until=None)
        with contextlib.suppress(SwitchedOff, services.JobNotClaimed):
            undo.run_undo(row)
    done = manager.get(f"/v1/uploads/contacts/{job['id']}/undo").data
    assert done["status"] == "completed"
    assert done["results"] == NOTHING | {"removed": 6, "restored": 6, "unlisted": 6}
    after, _ = state(manager)
    assert {key: without_time(each) for key, each in after.items()} == {
        key: without_time(each) for key, each in before.items()
    }


@pytest.mark.parametrize("seed", range(5))
def test_import_then_undo_leaves_every_untouched_row_as_it_was(manager, monkeypatch, seed):
    draw = random.Random(seed)  # noqa: S311

    def text(rows):
        lines = [
            f"{draw.choice(['', 'Ann', 'Bob'])},{phone_number(draw.randint(1, 40))},{draw.choice(['', 'Acme', 'Globex'])},"
            f"{draw.choice(['', 'a', 'b;c'])},{draw.choice(['', '1', '2'])}\n"
            for _ in range(rows)
        ]
        return HEADER + "".join(lines)

    import_file(manager, text(25), listName="Old")
    # Of some, people have changed something in between.
    for contact in draw.sample(contacts_of(manager), 3):
        manager.patch(f"/v1/contacts/{contact.id}", {"title": "Boss", "customFields": {"Score": 3}})
    before, members = state(manager)
    monkeypatch.setattr(import_files, "CHUNK_ROWS", draw.choice([1, 4, 50]))
    monkeypatch.setattr(undo, "CHUNK_ROWS", draw.choice([1, 3, 50]))
    job = import_file(manager, text(40), skipDuplicates="false", listName=draw.choice(["Old", "New"]))
    changed = {each["id"] for each in state(manager)[0].values() if each != before.get(each["id"])}
    results = take_back(manager, job["id"])["results"]
    after, members_after = state(manager)
    assert after.keys() == before.keys()
    assert members_after == members
    for key, contact in before.items():
        if key in changed:
            assert without_time(after[key]) == without_time(contact)
        else:
            assert after[key] == contact
    assert results["removed"] == job["results"]["imported"]
    assert (results["kept"], results["partlyRestored"], results["unrestored"], results["gone"]) == (0, 0, 0, 0)
