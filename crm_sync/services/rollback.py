"""Undo, on our side alone, what a run did here. The CRM keeps what it has, and the next sync does not fight over it."""

import uuid
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from contacts.models import Contact
from contacts.services import batches
from contacts.services.announcements import announce_bulk
from contacts.services.followers import NotMerged
from contacts.services.merges import unmerge_contact
from crm_sync.models import CrmLink, CrmSyncItem, CrmSyncRun
from crm_sync.providers.values import Value
from crm_sync.services.fields import TIGHTENING, local_values, restored, whole_row
from crm_sync.services.gone import tombstone
from crm_sync.services.journal import Journal
from crm_sync.services.link_rows import store_links
from crm_sync.services.totals import refresh_totals
from vocelio.audit.services import record
from vocelio.errors import Conflict
from vocelio.jobs.services import Run

CHUNK = 500


def undo_run(run: Run[CrmSyncRun]) -> None:
    """Put contacts back to what they were before the run, where nobody has changed them since."""
    while True:
        with run.step() as step:
            items = list(
                CrmSyncItem.objects.select_for_update()
                .filter(run_id=run.job.undoes_id, side=CrmSyncItem.Side.LOCAL, outcome=CrmSyncItem.Outcome.DONE)
                .exclude(action__in=[CrmSyncItem.Action.LINK, CrmSyncItem.Action.SKIP])
                .order_by("-id")[:CHUNK]
            )
            if not items:
                refresh_totals(run.job.integration)
                return
            journal = Journal(run.job, linked=0, max_deletes=100, max_changes=100)
            _undo(run.job, journal, items)
            CrmSyncItem.objects.filter(pk__in=[item.pk for item in items]).update(outcome=CrmSyncItem.Outcome.UNDONE)
            journal.store(step)


def _undo(run: CrmSyncRun, journal: Journal, items: list[CrmSyncItem]) -> None:
    batches.take_turns()
    merges = [item for item in items if item.action == CrmSyncItem.Action.MERGE]
    for item in merges:
        _undo_merge(journal, item)
    items = [item for item in items if item not in merges]
    contacts = batches.locked_contacts(item.contact_id for item in items if item.contact_id)
    links = {
        link.pk: link
        for link in CrmLink.objects.select_for_update()
        .filter(pk__in=[item.link_id for item in items if item.link_id])
        .order_by("id")
    }
    rows: dict[uuid.UUID, dict[str, Any]] = {}
    changed_links: dict[uuid.UUID, CrmLink] = {}
    trashed: list[uuid.UUID] = []
    restored_ids: list[uuid.UUID] = []
    for item in items:
        contact = contacts.get(item.contact_id) if item.contact_id else None
        link = links.get(item.link_id) if item.link_id else None
        if contact is None or not _undo_one(item, contact, link, rows, trashed, restored_ids):
            _kept(journal, item, link)
            continue
        if link is not None:
            changed_links[link.pk] = link
        journal.add(
            side=CrmSyncItem.Side.LOCAL,
            action={"add": "delete", "delete": "add"}.get(item.action, "update"),
            link=link,
            contact_id=item.contact_id,
            remote_id=item.remote_id,
            before=item.after,
            after=item.before,
        )
    versions = batches.change_contacts(list(rows.values()))
    for link in changed_links.values():
        link.local_version = versions.get(link.contact_id, link.local_version) if link.contact_id else None
    if trashed:
        announce_bulk("deleted", trashed)
        Contact.objects.filter(pk__in=trashed).update(deleted_at=Now(), deleted_by_id=run.created_by_id)
    if restored_ids:
        Contact.objects.filter(pk__in=restored_ids).update(deleted_at=None, deleted_by=None)
        announce_bulk("restore", restored_ids)
    if rows:
        announce_bulk("synced", rows)
    store_links(list(changed_links.values()))
    record(
        "contact.sync_undone",
        "contact",
        runId=str(run.undoes_id),
        changed=len(rows),
        trashed=len(trashed),
        restored=len(restored_ids),
    )


def _undo_merge(journal: Journal, item: CrmSyncItem) -> None:
    """Make two of a contact again that followed a merge in the CRM."""
    absorbed = Contact.objects.filter(pk=item.contact_id).first()
    try:
        if absorbed is None:
            raise NotMerged
        with transaction.atomic():
            unmerge_contact(contact=absorbed, principal=None)
    except Conflict:
        _kept(journal, item, None)
        return
    journal.add(
        side=CrmSyncItem.Side.LOCAL,
        action=CrmSyncItem.Action.ADD,
        link=None,
        contact_id=item.contact_id,
        remote_id=item.remote_id,
        message="The merge was taken back.",
    )


def _undo_one(
    item: CrmSyncItem,
    contact: Contact,
    link: CrmLink | None,
    rows: dict[uuid.UUID, dict[str, Any]],
    trashed: list[uuid.UUID],
    restored_ids: list[uuid.UUID],
) -> bool:
    """Prepare the undoing of one item; False when somebody has changed the contact since."""
    match item.action:
        case CrmSyncItem.Action.ADD:
            if contact.deleted_at is not None or link is None or link.local_version != contact.updated_at:
                return False
            trashed.append(contact.pk)
            tombstone(link, "ROLLED_BACK")
            return True
        case CrmSyncItem.Action.DELETE:
            if contact.deleted_at is None:
                return False
            if contact.phone and contact.phone in batches.owners_of_phones([contact.phone]):
                return False
            restored_ids.append(contact.pk)
            return True
    if contact.deleted_at is not None:
        return False
    names = [name for name in item.after if name not in TIGHTENING]
    current = local_values(contact, names, {"call": set(), "email": set()})
    back: dict[str, Value] = {
        name: restored(item.before.get(name)) for name in names if current[name] == restored(item.after[name])
    }
    phone = back.get("phone")
    if isinstance(phone, str) and phone in batches.owners_of_phones([phone]):
        del back["phone"]
    if not back:
        return False
    rows[contact.pk] = whole_row(contact.pk, contact, back)
    for column, value in rows[contact.pk].items():
        # A later item of the same contact builds on this one.
        setattr(contact, column, value)
    if link is not None and link.state == CrmLink.State.LINKED:
        # Both sides now count as unchanged, so that the next sync neither brings the values back nor sends these out.
        link.local_base = {**link.local_base, **back}
    return True


def _kept(journal: Journal, item: CrmSyncItem, link: CrmLink | None) -> None:
    journal.add(
        side=CrmSyncItem.Side.LOCAL,
        action=CrmSyncItem.Action.SKIP,
        link=link,
        contact_id=item.contact_id,
        remote_id=item.remote_id,
        message="Left as it is: it has been changed since.",
    )
