"""Records that a message may belong to besides its contact: deals, and whatever an app offers.

    register(Subject("deal", Deal))

Registered in apps.ready(); a message keeps the kind and the id, and shows the record's name.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vocelio.access.principal import Principal
from vocelio.errors import Invalid


@dataclass(frozen=True)
class Subject:
    """A kind of record; `model` is a tenant model whose rows print as their names, with the help of `related`."""

    kind: str
    model: Any
    permission: str
    related: tuple[str, ...] = ()


_subjects: dict[str, Subject] = {}


def register(subject: Subject) -> None:
    """Offer the kind; names are unique."""
    if _subjects.setdefault(subject.kind, subject) is not subject:
        raise ValueError(f"There are two kinds of subject named {subject.kind!r}")


def checked(kind: str, row_id: uuid.UUID | None, principal: Principal) -> tuple[str, uuid.UUID | None]:
    """Return the link as it is stored; raise Invalid for a kind or a row that the person cannot see."""
    if not kind and row_id is None:
        return "", None
    subject = _subjects.get(kind)
    if subject is None or not principal.may(subject.permission):
        raise Invalid.field(
            "subjectType", f"One of: {', '.join(sorted(_subjects))}.", value=kind[:30], constraint="choice"
        )
    if row_id is None or not subject.model.objects.get_queryset().visible_to(principal).filter(pk=row_id).exists():
        raise Invalid.field("subjectId", f"There is no such {kind}.", constraint="does_not_exist")
    return kind, row_id


def names(links: Iterable[tuple[str, uuid.UUID]]) -> dict[uuid.UUID, str]:
    """Return the names of the rows that still are there, one statement a kind."""
    found: dict[uuid.UUID, str] = {}
    wanted: dict[str, set[uuid.UUID]] = {}
    for kind, row_id in links:
        wanted.setdefault(kind, set()).add(row_id)
    for kind, ids in wanted.items():
        if subject := _subjects.get(kind):
            rows = subject.model.objects.filter(pk__in=ids).select_related(*subject.related)
            found |= {row.pk: str(row) for row in rows}
    return found
