"""What the engine needs to know of one kind of our records, and nothing of how it syncs."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from contacts.models import Client, Contact
from contacts.services.batches import Writer
from crm_sync.models.links import POINTERS
from crm_sync.providers.values import Kind, Value
from crm_sync.services.fields import NOBODY, Fields, Refused

if TYPE_CHECKING:
    from crm_sync.services.comparison import Comparison, Row

Ours = Contact | Client


class RecordKind(ABC):
    """One kind of our records. Stateless; works in the caller's transaction, after `batches.take_turns()`."""

    kind: ClassVar[Kind]
    # In the audit log and in messages.
    noun: ClassVar[str]
    model: ClassVar[type[Contact] | type[Client]]
    # Where a connection keeps the pairs of fields.
    mappings: ClassVar[str]
    # The setting that turns the kind on; empty for one that is always on.
    setting: ClassVar[str] = ""
    fields: ClassVar[Fields]
    # Said to who maps none of the needed fields.
    need: ClassVar[str]
    writer: ClassVar[Writer]

    @property
    def pointer(self) -> str:
        """Return the column by which links and histories point to a record."""
        return POINTERS[self.kind]

    def among(self, record_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Ours]:
        """Return records, in the trash or not, without what only search reads."""
        found: dict[uuid.UUID, Ours] = self.model.objects.defer("search").in_bulk(list(record_ids))
        return found

    def versions(self, record_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
        """Return when each record was last changed."""
        return dict(self.model.objects.filter(pk__in=list(record_ids)).values_list("pk", "updated_at"))

    def blank(self, row: "Row") -> Ours:
        """Return a record that is nobody's yet, with what a stranger is known by."""
        return self.model()

    def refused(self, records: Iterable[Ours], names: Iterable[str]) -> Refused:
        """Return, by channel, those of the records' addresses whose owners said no."""
        return NOBODY

    def whole_row(self, record_id: uuid.UUID, ours: Ours | None, changes: Mapping[str, Value]) -> dict[str, Any]:
        """Return the row to be written."""
        return self.fields.whole_row(record_id, ours, changes)

    @abstractmethod
    def tell(self, comparison: "Comparison", rows: Sequence["Row"]) -> None:
        """Announce to other apps what the CRM says of these records, in this transaction."""

    @abstractmethod
    def locked(self, record_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, Ours]:
        """Return records, in the trash or not, that nobody else changes until the transaction ends."""

    @abstractmethod
    def choices(self, rows: Sequence["Row"]) -> list[list[uuid.UUID]]:
        """Return for each row those of our records that are certainly the same, the best first."""

    @abstractmethod
    def check_paired(self, rows: Sequence["Row"]) -> None:
        """Make values of the CRM's unusable that belong to another record than the one a row is paired with."""

    @abstractmethod
    def settle(self, comparison: "Comparison", rows: Sequence["Row"]) -> None:
        """Decide of merged rows whether they can be stored here; withhold what cannot."""

    @abstractmethod
    def free_to_restore(self, records: Sequence[Ours]) -> list[uuid.UUID]:
        """Return those in the trash that nobody has taken the place of."""

    @abstractmethod
    def announce(self, action: str, record_ids: Iterable[uuid.UUID], *, owners_of_ids: Iterable[uuid.UUID]) -> None:
        """Tell sockets and apps that records changed; `owners_of_ids` are those that somebody may be responsible for."""

    @abstractmethod
    def merge(self, survivor: Ours, absorbed: Ours) -> None:
        """Make one record of two, as in the CRM."""

    @abstractmethod
    def unmerge(self, absorbed: Ours) -> None:
        """Bring back a record that was merged; raise Conflict when that cannot be."""

    @abstractmethod
    def check_value(self, record_id: uuid.UUID, name: str, row: Mapping[str, Any]) -> None:
        """Raise Conflict or Invalid when a field's value in a whole row cannot be stored."""
