"""Make, change and delete contact lists."""

from typing import Any

from django.db import IntegrityError, connection, transaction

from contacts.models import ContactList
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict


class ListExists(Conflict):
    code = "LIST_EXISTS"
    message = "There is already a list of this name."


def create_list(*, name: str, **fields: Any) -> ContactList:
    """Create an empty list; raise ListExists when the name is taken."""
    contact_list = ContactList(name=name, created_by_id=current_actor().user_id, **fields)
    _save(contact_list)
    record("list.created", "contactlist", contact_list.id)
    return _read(contact_list)


def update_list(contact_list: ContactList, **fields: Any) -> ContactList:
    """Change the given fields; raise ListExists when the new name is taken."""
    for name, value in fields.items():
        setattr(contact_list, name, value)
    _save(contact_list, update_fields=list(fields))
    record("list.updated", "contactlist", contact_list.id, fields=sorted(fields))
    return _read(contact_list)


def delete_list(contact_list: ContactList) -> None:
    """Delete the list; its contacts stay."""
    with connection.cursor() as cursor:
        # The foreign keys take memberships and counts along in one pass; Django would read them first.
        cursor.execute(
            "DELETE FROM contact_lists WHERE organization_id = %s AND id = %s",
            [contact_list.organization_id, contact_list.pk],
        )
    record("list.deleted", "contactlist", contact_list.pk)


def _read(contact_list: ContactList) -> ContactList:
    fresh: ContactList = ContactList.objects.with_counts().select_related("created_by").get(pk=contact_list.pk)
    return fresh


def _save(contact_list: ContactList, **options: Any) -> None:
    try:
        with transaction.atomic():
            contact_list.save(**options)
    except IntegrityError as error:
        if "one_list_per_name" not in str(error):
            raise
        existing = ContactList.objects.only("id").get(name=contact_list.name)
        raise ListExists(
            field="name", value=contact_list.name, constraint="unique", existingId=str(existing.id)
        ) from None
