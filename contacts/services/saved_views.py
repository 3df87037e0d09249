"""Keep the views of contacts that people save."""

from typing import Any

from django.db import IntegrityError, transaction

from contacts.models import SavedView
from vocelio.access.principal import Principal
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden


class ViewExists(Conflict):
    code = "VIEW_EXISTS"
    message = "You already have a view of this name."


def create_saved_view(*, principal: Principal, **fields: Any) -> SavedView:
    """Save a view for the caller; raise ViewExists when they have one of the name."""
    view = SavedView(user_id=principal.user_id, **fields)
    _save(view, force_insert=True)
    record("saved_view.created", "savedview", view.pk)
    return view


def update_saved_view(view: SavedView, *, principal: Principal, **fields: Any) -> SavedView:
    """Change one's own view; raise Forbidden for somebody else's."""
    _check_owner(view, principal)
    for name, value in fields.items():
        setattr(view, name, value)
    if fields:
        _save(view, update_fields=list(fields))
    record("saved_view.updated", "savedview", view.pk, fields=sorted(fields))
    view.refresh_from_db()
    return view


def delete_saved_view(view: SavedView, *, principal: Principal) -> None:
    """Delete one's own view; raise Forbidden for somebody else's."""
    _check_owner(view, principal)
    pk = view.pk
    view.delete()
    record("saved_view.deleted", "savedview", pk)


def _check_owner(view: SavedView, principal: Principal) -> None:
    if view.user_id != principal.user_id:
        raise Forbidden("This view belongs to somebody else; save your own.")


def _save(view: SavedView, **options: Any) -> None:
    try:
        with transaction.atomic():
            view.save(**options)
    except IntegrityError as error:
        if "one_view_per_name" not in str(error):
            raise
        raise ViewExists(field="name", value=view.name, constraint="unique") from None
