"""Make, change, verify, trash, restore and purge clients."""

import uuid
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, Func, OuterRef, ProtectedError, Value
from django.db.models.functions import Now
from django.utils import timezone

from contacts.incoming.domains import domain_of
from contacts.models import Client, Verification
from contacts.services.client_announcements import announce_client, send_clients_changed
from contacts.services.contacts import check_assignee, public_changes
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.retention import kept_since

# How long a client stays in the trash.
PURGE_BATCH = 1_000


class ClientExists(Conflict):
    code = "CLIENT_EXISTS"
    message = "There is already a client with this name and domain."


def create_client(*, principal: Principal, **fields: Any) -> Client:
    """Create a client; its domain is that of its website unless given. Raise ClientExists when it is there already."""
    if not fields.get("domain"):
        fields["domain"] = domain_of(fields.get("website", ""))
    client = Client(created_by_id=current_actor().user_id, **fields)
    check_assignee(client, fields)
    _check_parent(client, principal)
    _check_revenue(client)
    _save(client, principal, force_insert=True)
    record("client.created", "client", client.pk, fields=sorted(fields))
    announce_client("client_created", client, public_changes(client, fields))
    return client


def update_client(*, client: Client, principal: Principal, **fields: Any) -> Client:
    """Change the given fields. Another name, domain or tax number takes the verification back."""
    owner_before = client.assigned_to_id
    if "website" in fields and "domain" not in fields and client.domain == domain_of(client.website):
        fields["domain"] = domain_of(fields["website"])
    is_other = any(name in fields and fields[name] != getattr(client, name) for name in ("name", "domain", "tax_id"))
    if is_other and client.verification == Verification.VERIFIED:
        fields |= {"verification": Verification.UNVERIFIED, "verified_at": None, "verified_by_id": None}
    for name, value in fields.items():
        setattr(client, name, value)
    check_assignee(client, fields)
    if "parent_id" in fields:
        _check_parent(client, principal)
    _check_revenue(client)
    if fields:
        _save(client, principal, update_fields=list(fields))
    record("client.updated", "client", client.pk, fields=sorted(fields))
    announce_client("client_updated", client, public_changes(client, fields), owners=[owner_before])
    return client


def verify_client(*, client: Client, verification: str, note: str = "") -> Client:
    """Say that the company was checked and is, or is not, what it says; `unverified` takes it back."""
    is_checked = verification != Verification.UNVERIFIED
    client.verification = verification
    client.verification_note = note
    client.verified_at = timezone.now() if is_checked else None
    client.verified_by_id = current_actor().user_id if is_checked else None
    client.save(update_fields=["verification", "verification_note", "verified_at", "verified_by"])
    record("client.verified", "client", client.pk, verification=verification)
    announce_client("client_updated", client, {"verification": verification})
    return client


def delete_client(*, client: Client) -> None:
    """Move the client to the trash; its people stay contacts, its subsidiaries stay clients."""
    announce_client("client_deleted", client, {})
    Client.objects.filter(pk=client.pk).update(deleted_at=Now(), deleted_by_id=current_actor().user_id)
    record("client.deleted", "client", client.pk)


def restore_client(*, client: Client, principal: Principal) -> Client:
    """Bring the client back from the trash; raise ClientExists when its name and domain were taken."""
    client.deleted_at = client.deleted_by = None
    _save(client, principal, update_fields=["deleted_at", "deleted_by"])
    record("client.restored", "client", client.pk)
    announce_client("client_created", client, {"deletedAt": None})
    return client


def purge_clients() -> int:
    """Remove for good what has been in the trash for 30 days; return how many of the open organization.

    A client that other records still need, such as a deal that was won, stays in the trash. One that was merged stays
    as long as the other does.
    """
    survivors = Client.objects.filter(pk=OuterRef("merged_into_id"))
    due = Client.objects.filter(~Exists(survivors), deleted_at__lt=kept_since("trash"))
    purged = []
    for client_id in due.values_list("pk", flat=True)[:PURGE_BATCH]:
        try:
            with transaction.atomic():
                Client.objects.filter(pk=client_id).delete()
                _check_references()
        except (IntegrityError, ProtectedError):
            continue
        purged.append(client_id)
    if purged:
        record("client.purged", "client", count=len(purged))
        send_clients_changed(purged)
    return len(purged)


def client_named(name: str, domain: str = "") -> Client | None:
    """Return the client outside the trash of this name and, where given, domain; upper and lower case are alike."""
    clients = Client.objects.alive().filter(sort_name=Func(Value(name), function="fold_text"))
    if domain:
        clients = clients.filter(domain=domain)
    found: Client | None = clients.order_by("created_at").first()
    return found


def _check_references() -> None:
    """Let constraints speak now that Django would have checked at the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def _check_parent(client: Client, principal: Principal) -> None:
    if client.parent_id is None:
        return
    visible = Client.objects.alive().visible_to(principal)
    if client.parent_id == client.pk or not visible.filter(pk=client.parent_id).exists():
        raise Invalid.field(
            "parentId", "There is no such client.", value=str(client.parent_id), constraint="does_not_exist"
        )


def _check_revenue(client: Client) -> None:
    if client.annual_revenue is not None and not client.currency:
        raise Invalid.field("currency", "Say in which currency the revenue is.", constraint="required")


def _save(client: Client, principal: Principal, **options: Any) -> None:
    try:
        with transaction.atomic():
            client.save(**options)
    except IntegrityError as error:
        if "one_client_per_name_and_domain" in str(error):
            raise name_taken(client.name, client.domain, principal) from None
        if "A client cannot stand above itself" in str(error):
            raise Invalid.field(
                "parentId",
                "That company belongs to this one already, directly or through others.",
                value=str(client.parent_id),
                constraint="cycle",
            ) from None
        raise


def name_taken(name: str, domain: str, principal: Principal | None) -> ClientExists:
    """Return the refusal, naming the client that is there where the caller may see it; None is a job, which may."""
    existing = client_named(name, domain)
    seen = Client.objects.get_queryset()
    seen = seen if principal is None else seen.visible_to(principal)
    is_visible = existing and seen.filter(pk=existing.pk).exists()
    details: dict[str, Any] = {"existingId": str(existing.pk)} if existing and is_visible else {}
    return ClientExists(field="name", value=name, constraint="unique", **details)


def visible_client(client_id: uuid.UUID, principal: Principal, field: str = "clientId") -> Client:
    """Return a client outside the trash that the caller may see; raise Invalid naming the field otherwise."""
    client: Client | None = Client.objects.alive().visible_to(principal).filter(pk=client_id).first()
    if client is None:
        raise Invalid.field(field, "There is no such client.", value=str(client_id), constraint="does_not_exist")
    return client
