"""The tenancy scope: one organization, one transaction, one unit of work.

    with organization_scope(organization.id):
        Contact.objects.count()      # this organization's contacts
    Contact.objects.count()          # raises ScopeMissing

Inside, the manager filters by the organization and PostgreSQL's policies see it as `app.org`.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db import connection, transaction


class ScopeMissing(RuntimeError):
    """Tenant data was touched outside an organization scope."""


@dataclass
class Scope:
    """The open unit of work; `before_commit` runs inside its transaction, after the last statement of the work."""

    organization_id: uuid.UUID
    before_commit: list[Callable[[], None]] = field(default_factory=list)
    # Facts gathered during the work for what runs before commit, keyed by their owner.
    notes: dict[str, list[object]] = field(default_factory=dict)


# What else each transaction is told: names of settings, and who knows their values. Filled by apps at start.
transaction_settings: dict[str, Callable[[], str]] = {}

_current: ContextVar[Scope | None] = ContextVar("organization_scope", default=None)


def current_scope() -> Scope:
    """Return the open scope; raise ScopeMissing when there is none."""
    scope = _current.get()
    if scope is None:
        raise ScopeMissing("Tenant data is only reachable inside organization_scope(...)")
    return scope


def scope_if_open() -> Scope | None:
    """Return the open scope, for those that only tell of it."""
    return _current.get()


def current_organization_id() -> uuid.UUID:
    """Return the organization of the open scope; raise ScopeMissing when there is none."""
    return current_scope().organization_id


@contextmanager
def organization_scope(organization_id: uuid.UUID) -> Iterator[Scope]:
    """Open a transaction in which one organization's rows, and no others, exist.

    Re-entering the same organization joins the open scope. Leaving by an exception rolls back.
    """
    outer = _current.get()
    if outer is not None and outer.organization_id == organization_id:
        yield outer
        return
    scope = Scope(organization_id)
    is_nested = connection.in_atomic_block
    with transaction.atomic():
        set_organization(organization_id)
        token = _current.set(scope)
        try:
            yield scope
            if not connection.needs_rollback:
                for hook in scope.before_commit:
                    hook()
        finally:
            _current.reset(token)
        if is_nested and not connection.needs_rollback:
            set_organization(outer.organization_id if outer else None)


def set_organization(organization_id: uuid.UUID | None) -> None:
    """Tell the policies which organization the rest of this transaction works for, and triggers what they ask for."""
    settings = {"app.org": str(organization_id or "")}
    set_locally(settings | {name: read() for name, read in transaction_settings.items()})


def set_locally(settings: dict[str, str]) -> None:
    """Set PostgreSQL settings until the transaction ends, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(settings))}",
            [text for setting in settings.items() for text in setting],
        )
