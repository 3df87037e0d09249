"""Subscriptions of an organization to registries."""

from datetime import date
from typing import Any

from dnc.models import DncList, Entitlement, Registry
from dnc.services.lists import touch_lists
from vocelio.audit.services import record
from vocelio.errors import Invalid


def create_entitlement(
    *, registry: Registry, san: str, valid_from: date, valid_to: date | None = None, area_codes: Any = ()
) -> Entitlement:
    """Note a subscription."""
    entitlement = Entitlement(
        registry=registry, san=san, valid_from=valid_from, valid_to=valid_to, area_codes=sorted(set(area_codes))
    )
    _check(entitlement)
    entitlement.save()
    record("entitlement.created", "entitlement", entitlement.id, registry=registry.slug)
    _changed(entitlement)
    return _read(entitlement)


def update_entitlement(entitlement: Entitlement, **fields: Any) -> Entitlement:
    """Change a subscription."""
    for name, value in fields.items():
        setattr(entitlement, name, sorted(set(value)) if name == "area_codes" else value)
    _check(entitlement)
    entitlement.save(update_fields=list(fields))
    record("entitlement.updated", "entitlement", entitlement.id, fields=sorted(fields))
    _changed(entitlement)
    return _read(entitlement)


def delete_entitlement(entitlement: Entitlement) -> None:
    """End a subscription at once: what it covered can no longer be proven clean."""
    Entitlement.objects.filter(pk=entitlement.pk).delete()
    record("entitlement.deleted", "entitlement", entitlement.pk)
    _changed(entitlement)


def _check(entitlement: Entitlement) -> None:
    if entitlement.valid_to is not None and entitlement.valid_to < entitlement.valid_from:
        raise Invalid.field(
            "validTo", "It would end before it begins.", value=str(entitlement.valid_to), constraint="range"
        )


def _changed(entitlement: Entitlement) -> None:
    lists = DncList.objects.filter(registry=entitlement.registry_id).values_list("pk", flat=True)
    touch_lists(set(lists))


def _read(entitlement: Entitlement) -> Entitlement:
    fresh: Entitlement = Entitlement.objects.select_related("registry").get(pk=entitlement.pk)
    return fresh
