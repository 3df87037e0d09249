"""Resolve what both sides changed and no rule decides."""

from typing import Any

from django.utils import timezone

from contacts.services import batches
from crm_sync.models import CrmConflict, CrmLink
from crm_sync.providers.values import RemoteRecord, Value
from crm_sync.services.fields import Unusable, canonical, restored
from crm_sync.services.kinds import RecordKind, record_kind
from crm_sync.services.kinds.kind import Ours
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
    kind = record_kind(link.kind)
    ours = kind.locked([conflict.record_id]).get(conflict.record_id) if conflict.record_id else None
    if ours is None or ours.deleted_at is not None:
        raise Conflict(f"The {kind.noun} is no longer there.")
    name = conflict.field
    theirs = restored(conflict.remote_value)
    mine = kind.fields.local_values(ours, [name])[name]
    chosen = {"local": mine, "remote": theirs}.get(choice) if choice != "value" else _clean(kind, conflict, value)
    if chosen != mine:
        _store(kind, ours, name, chosen)
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


def _clean(kind: RecordKind, conflict: CrmConflict, value: Any) -> Value:
    """Return a value typed in by a person as our record holds it; raise Invalid when it cannot."""
    region = Organization.objects.values_list("default_region", flat=True).get(pk=conflict.organization_id)
    plain = canonical(value)
    records = [RemoteRecord("", {conflict.field: plain})]
    (row,) = kind.fields.read_remote(records, {conflict.field: conflict.field}, {}, region)
    found = row[conflict.field]
    if isinstance(found, Unusable):
        raise Invalid.field("value", found.reason, constraint="invalid")
    return found


def _store(kind: RecordKind, ours: Ours, name: str, value: Value) -> None:
    row = kind.whole_row(ours.pk, ours, {name: value})
    kind.check_value(ours.pk, name, row)
    kind.writer.change([row])
    record(f"{kind.noun}.updated", kind.noun, ours.pk, fields=[name])
    kind.announce("synced", [ours.pk], owners_of_ids=[ours.pk])
