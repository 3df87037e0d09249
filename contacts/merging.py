"""What follows a contact when two are made one.

Every row that points to a contact by a tenant foreign key follows by itself, whichever app it belongs to: merging asks
Django's models, and unmerging puts each row back. Clients are merged in the same way. A row that cannot follow because a unique constraint of its table
allows one of its kind per contact stays with the absorbed contact and comes back with it.

Where that is not enough, the app registers a rule in its `apps.ready()`; it runs before the rows are moved:

    def one_primary(*, survivor_id: uuid.UUID, absorbed_id: uuid.UUID) -> None:
        if SalesProfile.objects.filter(contact_id=survivor_id, is_primary=True).exists():
            SalesProfile.objects.filter(contact_id=absorbed_id).update(is_primary=False)

    register(SalesProfile, one_primary)

A rule may change, add and remove rows of its model that point to either contact; all of it is taken back by unmerging.
`stays(Model)` says of a model that its rows never follow. What follows from a merge elsewhere, such as suppressions by
number, hears `contacts.signals.contacts_merged`.
"""

from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db import models

from contacts.models import ClientMerge, Contact, ContactMerge
from vocelio.db.fields import TenantForeignKey


class Rule(Protocol):
    """Prepares the rows of one model for the merge of two contacts or clients."""

    def __call__(self, *, survivor_id: UUID, absorbed_id: UUID) -> None: ...


class Pointer(NamedTuple):
    """A column by which a table points to contacts or clients."""

    model: type[models.Model]
    column: str
    on_delete: Any

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    @property
    def table(self) -> str:
        return self.model._meta.db_table


_rules: dict[tuple[type[models.Model], type[models.Model]], Rule] = {}
_staying: set[type[models.Model]] = {ContactMerge, ClientMerge}


def register(model: type[models.Model], rule: Rule, of: type[models.Model] = Contact) -> None:
    """Let a rule prepare the rows of the model when two contacts, or rows `of` another model, are merged; one a model."""
    if _rules.setdefault((of, model), rule) is not rule:
        raise ValueError(f"{model.__name__} has a merge rule already")


def stays(model: type[models.Model]) -> None:
    """Say that rows of the model stay with the contact or client they were made for."""
    _staying.add(model)


def rule_of(model: type[models.Model], of: type[models.Model] = Contact) -> Rule | None:
    return _rules.get((of, model))


def pointers(of: type[models.Model] = Contact) -> list[Pointer]:
    """Return every column whose rows follow a merge, of every app, in a fixed order."""
    return [pointer for pointer in all_pointers(of) if pointer.model not in _staying]


def all_pointers(of: type[models.Model] = Contact) -> list[Pointer]:
    """Return every column that points to contacts, or to rows of another model, of every app, in a fixed order."""
    found: list[Pointer] = []
    # Hidden ones too: most of these keys have no name on the other side.
    for relation in of._meta.get_fields(include_hidden=True):
        field: Any = getattr(relation, "field", None)
        if relation.auto_created and isinstance(field, TenantForeignKey) and field.model._meta.managed:
            found.append(Pointer(field.model, field.column, field.remote_field.on_delete))
    return sorted(found, key=lambda pointer: (pointer.label, pointer.column))
