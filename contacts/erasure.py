"""What is erased with a person, and by whom.

Rows that point to a contact by a tenant foreign key go with it by the database's own cascades, whichever app they
belong to. What knows the person otherwise, by a phone number or an e-mail address, say, is erased by its app, which
registers an eraser in its `apps.ready()`:

    def messages(person: ErasedPerson) -> int:
        return Message.objects.filter(address__in=person.emails).delete()[0]

    register("messages", messages)

Erasers run in the transaction of the erasure, before the contact goes, and return how many rows they removed or blanked.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class ErasedPerson:
    """Who is erased: the contact and those that were merged into it, with every number and address they had.

    `record_ids` are those of all rows that point to them, and of what hangs on these: applications, interviews, messages.
    """

    contact_ids: tuple[uuid.UUID, ...]
    phone_numbers: tuple[str, ...]
    emails: tuple[str, ...]
    record_ids: tuple[uuid.UUID, ...] = ()


Eraser = Callable[[ErasedPerson], int]

_erasers: dict[str, Eraser] = {}


def register(name: str, eraser: Eraser) -> None:
    """Add an eraser; the certificate tells its count under the name."""
    if _erasers.setdefault(name, eraser) is not eraser:
        raise ValueError(f"There are two erasers named {name!r}")


def erasers() -> Mapping[str, Eraser]:
    return MappingProxyType(_erasers)
