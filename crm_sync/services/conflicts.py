"""Resolve what both sides changed and no rule decides."""

from typing import Any

from django.utils import timezone

from contacts.models import Contact
from contacts.services import batches
from contacts.services.announcements import announce_bulk
from crm_sync.models import CrmConflict, CrmLink
from crm_sync.providers.values import RemoteRecord, Value
from crm_sync.services.fields import Unusable, canonical, local_values, read_remote, restored, whole_row
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.models import Organization


def resolve_conflict(*, conflict: CrmConflict, choice: str, value: Any = None) -> CrmConflict:
    """Settle a field as `local`, `remote` or a `value` of its own: at once here, in the CRM with the next sync."""
    conflict = CrmConflict.objects.select_for_update().get(pk=conflict.pk)
    if conflict.status != CrmConflict.Status.OPEN:
        raise Conflict("This conflict has been resolved already.", status=conflict.status)
    link = CrmLink.objects.select_for_update().get(pk=conflict.link_id)
    batches.take_turns()
    contact = batches.locked_contacts([conflict.contact_id]).get(conflict.contact_id)
    if contact is None or contact.deleted_at is not None:
        raise Conflict("The contact is no longer there.")
    name = conflict.field
    theirs = restored(conflict.remote_value)
    mine = local_values(contact, [name], {"call": set(), "email": set()})[name]
    chosen = {"local": mine, "remote": theirs}.get(choice) if choice != "value" else _clean(conflict, value)
    if chosen != mine:
        _store(contact, name, chosen)
        link.local_version = None
    link.local_base = {**link.local_base, name: list(theirs) if isinstance(theirs, tuple) else theirs}
    link.remote_base = {**link.remote_base, name: list(theirs) if isinstance(theirs, tuple) else theirs}
    link.has_conflict = CrmConflict.objects.open().filter(link=link).exclude(pk=conflict.pk).exists()
    link.is_due = True
    link.save()
    conflict.status, conflict.resolution = CrmConflict.Status.RESOLVED, choice
    conflict.resolved_by_id, conflict.resolved_at = current_actor().user_id, timezone.now()
    conflict.save()
    record("crm_conflict.resolved", "crmconflict", conflict.pk, field=name, choice=choice)
    return conflict


def _clean(conflict: CrmConflict, value: Any) -> Value:
    """Return a value typed in by a person as a contact holds it; raise Invalid when it cannot."""
    region = Organization.objects.values_list("default_region", flat=True).get(pk=conflict.organization_id)
    plain = canonical(value)
    (row,) = read_remote([RemoteRecord("", {conflict.field: plain})], {conflict.field: conflict.field}, {}, region)
    found = row[conflict.field]
    if isinstance(found, Unusable):
        raise Invalid.field("value", found.reason, constraint="invalid")
    return found


def _store(contact: Contact, name: str, value: Value) -> None:
    if name == "phone" and isinstance(value, str) and value in batches.owners_of_phones([value]):
        raise Conflict("There is already a contact with this phone number.", field="value", constraint="unique")
    row = whole_row(contact.pk, contact, {name: value})
    if not row["phone"] and not row["email"]:
        raise Invalid.field("value", "A contact needs a phone number or an e-mail address.", constraint="required")
    batches.change_contacts([row])
    record("contact.updated", "contact", contact.pk, fields=[name])
    announce_bulk("synced", [contact.pk])
