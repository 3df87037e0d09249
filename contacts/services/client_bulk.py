"""One change to many clients, each of them succeeding or failing by itself."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from contacts.models import Client
from contacts.services.bulk import MAX_TAGS
from contacts.services.client_announcements import announce_clients
from contacts.services.contacts import check_assignee
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.bulk import BulkResult
from vocelio.organizations.scope import current_organization_id

UNKNOWN = ("NOT_FOUND", "There is no such client.")


def add_tags(*, principal: Principal, client_ids: list[uuid.UUID], tags: list[str]) -> BulkResult:
    """Add tags to clients that lack them."""
    result, found = _start(principal, client_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE clients SET tags = added FROM ("
            " SELECT id, tags || ARRAY("
            "  SELECT tag FROM unnest(%(tags)s::varchar[]) AS tag WHERE tag <> ALL (tags)) AS added"
            "  FROM clients WHERE organization_id = %(organization)s AND id = ANY(%(ids)s)) AS change"
            " WHERE clients.organization_id = %(organization)s AND clients.id = change.id"
            " AND cardinality(added) <= %(most)s RETURNING clients.id",
            {"organization": current_organization_id(), "ids": list(found), "tags": tags, "most": MAX_TAGS},
        )
        tagged = {row[0] for row in cursor.fetchall()}
    result.fail_each(found - tagged, "TOO_MANY_TAGS", f"A client has at most {MAX_TAGS} tags.")
    return _finish(result, "add-tags", tagged, tags=len(tags))


def remove_tags(*, principal: Principal, client_ids: list[uuid.UUID], tags: list[str]) -> BulkResult:
    """Remove tags from clients that have them."""
    result, found = _start(principal, client_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE clients SET tags = ARRAY(SELECT tag FROM unnest(tags) WITH ORDINALITY AS had (tag, place)"
            " WHERE tag <> ALL (%(tags)s::varchar[]) ORDER BY place)"
            " WHERE organization_id = %(organization)s AND id = ANY(%(ids)s) AND tags && %(tags)s::varchar[]",
            {"organization": current_organization_id(), "ids": list(found), "tags": tags},
        )
    return _finish(result, "remove-tags", found, tags=len(tags))


def assign(*, principal: Principal, client_ids: list[uuid.UUID], assigned_to_id: uuid.UUID | None) -> BulkResult:
    """Make a member responsible for clients, or nobody."""
    check_assignee(Client(), {"assigned_to_id": assigned_to_id})
    result, found = _start(principal, client_ids)
    owners = _owners(found)
    Client.objects.filter(pk__in=found).update(assigned_to_id=assigned_to_id)
    return _finish(result, "assign", found, owners={*owners, assigned_to_id})


def set_status(*, principal: Principal, client_ids: list[uuid.UUID], status: str) -> BulkResult:
    """Give clients a status."""
    result, found = _start(principal, client_ids)
    Client.objects.filter(pk__in=found).update(status=status)
    return _finish(result, "set-status", found, status=status)


def delete(*, principal: Principal, client_ids: list[uuid.UUID]) -> BulkResult:
    """Move clients to the trash."""
    result, found = _start(principal, client_ids)
    locked = Client.objects.select_for_update().alive().filter(pk__in=found).order_by("pk")
    deleted = set(locked.values_list("pk", flat=True))
    result.fail_each(found - deleted, *UNKNOWN)
    Client.objects.filter(pk__in=deleted).update(deleted_at=Now(), deleted_by_id=current_actor().user_id)
    return _finish(result, "delete", deleted)


def restore(*, principal: Principal, client_ids: list[uuid.UUID]) -> BulkResult:
    """Bring clients back from the trash; those whose name and domain were taken meanwhile fail."""
    result = BulkResult("clientId")
    wanted = Client.objects.visible_to(principal).filter(pk__in=client_ids)
    alive = set(wanted.alive().values_list("pk", flat=True))
    result.fail_each(alive, "NOT_IN_TRASH", "The client is not in the trash.")
    trashed = list(wanted.in_trash().order_by("-deleted_at").values_list("pk", "sort_name", "domain"))
    found = {row[0] for row in trashed}
    result.fail_each(set(client_ids) - alive - found, *UNKNOWN)
    taken = set(
        Client.objects.alive()
        .filter(sort_name__in={folded for _, folded, _ in trashed})
        .values_list("sort_name", "domain")
    )
    free = set()
    for client_id, folded, domain in trashed:
        if (folded, domain) not in taken:
            free.add(client_id)
            # Of several with the same name, the one that was deleted last comes back.
            taken.add((folded, domain))
    Client.objects.filter(pk__in=free).update(deleted_at=None, deleted_by=None)
    result.fail_each(found - free, "CLIENT_EXISTS", "There is already a client with this name and domain.")
    return _finish(result, "restore", free)


ACTIONS: dict[str, Callable[..., BulkResult]] = {
    "add-tags": add_tags,
    "remove-tags": remove_tags,
    "assign": assign,
    "set-status": set_status,
    "delete": delete,
    "restore": restore,
}


def _start(principal: Principal, client_ids: list[uuid.UUID]) -> tuple[BulkResult, set[uuid.UUID]]:
    """Return a result with the ids that the caller cannot see already failed, and the others."""
    visible = Client.objects.alive().visible_to(principal).filter(pk__in=client_ids)
    found = set(visible.values_list("pk", flat=True))
    result = BulkResult("clientId")
    result.fail_each(set(client_ids) - found, *UNKNOWN)
    return result, found


def _owners(client_ids: set[uuid.UUID]) -> set[uuid.UUID | None]:
    return set(Client.objects.filter(pk__in=client_ids).values_list("assigned_to_id", flat=True))


def _finish(
    result: BulkResult,
    action: str,
    successful: set[uuid.UUID],
    owners: set[uuid.UUID | None] | None = None,
    **details: Any,
) -> BulkResult:
    result.successful = sorted(successful)
    record(
        "client.bulk_changed",
        "client",
        operation=action,
        successful=len(successful),
        failed=len(result.errors),
        clientIds=[str(client_id) for client_id in result.successful],
        **details,
    )
    if successful:
        announce_clients(action, result.successful, _owners(successful) if owners is None else owners)
    return result
