"""Our kinds of record that are kept equal with a CRM's. A further one is a module with a RecordKind and a line here."""

from crm_sync.providers.values import Kind
from crm_sync.services.kinds.clients import ClientKind
from crm_sync.services.kinds.contacts import ContactKind
from crm_sync.services.kinds.kind import RecordKind

__all__ = ["RecordKind", "record_kind", "record_kinds"]

# In the order in which a run goes through them.
_KINDS: dict[Kind, RecordKind] = {each.kind: each for each in (ContactKind(), ClientKind())}


def record_kind(kind: Kind | str) -> RecordKind:
    return _KINDS[Kind(kind)]


def record_kinds() -> list[RecordKind]:
    """Return all kinds, in the order in which a run goes through them."""
    return list(_KINDS.values())
