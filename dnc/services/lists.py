"""Make, change and delete an organization's Do-Not-Call lists."""

from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from dnc.models import DncList, Registry
from dnc.models.lists import ListType
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.realtime.publish import publish

OPT_OUT_LIST = "Company opt-outs"


class DncListExists(Conflict):
    code = "DNC_LIST_EXISTS"
    message = "There is already a list of this name, or of this registry."


class RegistryListKept(Conflict):
    code = "REGISTRY_LIST"
    message = "The platform keeps this registry for everybody: it can be switched off, not edited or deleted."


def create_list(*, name: str, type: str, registry: Registry | None = None, **fields: Any) -> DncList:
    """Make an empty list, or begin to use a registry; raise DncListExists when the name is taken."""
    if registry is not None:
        fields |= {"compliance_level": registry.kind, "source": registry.keeper}
        if type != registry.kind:
            raise Invalid.field("type", f"The registry is of type {registry.kind}.", value=type, constraint="registry")
    elif type == ListType.FEDERAL:
        raise Invalid.field("registry", "A federal list is a registry; name which.", constraint="required")
    dnc_list = DncList(name=name, type=type, registry=registry, **fields)
    _save(dnc_list)
    record("dnc_list.created", "dnclist", dnc_list.id, type=type)
    return read_list(dnc_list)


def update_list(dnc_list: DncList, **fields: Any) -> DncList:
    """Change the given fields; of a registry's list only its name and status."""
    if dnc_list.registry_id is not None and set(fields) - {"name", "status", "description"}:
        raise RegistryListKept
    if fields.get("type") == ListType.FEDERAL and dnc_list.registry_id is None:
        raise Invalid.field("type", "A federal list is a registry.", value=fields["type"], constraint="registry")
    for name, value in fields.items():
        setattr(dnc_list, name, value)
    changed = list(fields)
    if {"status", "state", "type"} & set(fields):
        dnc_list.changed_at = Now()
        changed.append("changed_at")
    _save(dnc_list, update_fields=changed)
    record("dnc_list.updated", "dnclist", dnc_list.id, fields=sorted(fields))
    return read_list(dnc_list)


def delete_list(dnc_list: DncList) -> None:
    """Delete the list and its entries; the audit log keeps how many they were."""
    if dnc_list.registry_id is not None:
        raise RegistryListKept
    count = read_list(dnc_list).contact_count  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        # The foreign keys take the entries along in one pass; Django would read them first.
        cursor.execute(
            "DELETE FROM dnc_lists WHERE organization_id = %s AND id = %s", [dnc_list.organization_id, dnc_list.pk]
        )
    record("dnc_list.deleted", "dnclist", dnc_list.pk, entries=count)


def opt_out_list() -> DncList:
    """Return the company list that opt-outs go to, made on first use."""
    found: DncList | None = DncList.objects.filter(
        type=ListType.COMPANY, registry__isnull=True, name=OPT_OUT_LIST
    ).first()
    if found is not None:
        return found
    try:
        return create_list(
            name=OPT_OUT_LIST,
            type=ListType.COMPANY,
            description="Everybody who told this company not to be contacted, by whatever way.",
            source="Opt-outs",
        )
    except DncListExists:
        # Made by somebody else since the look-up.
        again: DncList = DncList.objects.get(name=OPT_OUT_LIST)
        return again


def touch_lists(list_ids: set[Any], **counts: int) -> None:
    """Say that entries changed: what was scrubbed with these lists is out of date, and who watches is told."""
    DncList.objects.filter(pk__in=list_ids).update(changed_at=Now())
    for list_id in list_ids:
        publish("dnc_lists", type="dnc_list_changed", data={"listId": str(list_id), **counts})


def read_list(dnc_list: DncList) -> DncList:
    """Return the list with its counts."""
    fresh: DncList = DncList.objects.with_counts().select_related("registry").get(pk=dnc_list.pk)
    return fresh


def _save(dnc_list: DncList, **options: Any) -> None:
    try:
        with transaction.atomic():
            dnc_list.save(**options)
    except IntegrityError as error:
        if "one_dnc_list_per" not in str(error):
            raise
        same = {"registry": dnc_list.registry} if "per_registry" in str(error) else {"name": dnc_list.name}
        existing = DncList.objects.only("id").get(**same)
        raise DncListExists(
            field="registry" if "per_registry" in str(error) else "name",
            value=dnc_list.name,
            constraint="unique",
            existingId=str(existing.id),
        ) from None
