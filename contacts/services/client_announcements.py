"""Tell sockets and the apps above that clients changed."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from contacts.models import Client
from contacts.signals import clients_changed
from vocelio.audit.context import current_actor
from vocelio.organizations.scope import current_organization_id
from vocelio.realtime.publish import publish


def announce_client(
    event: str, client: Client, changes: dict[str, Any], owners: Iterable[uuid.UUID | None] = ()
) -> None:
    """Publish `client_created`, `client_updated` or `client_deleted`; `owners` were responsible before."""
    publish(
        "clients",
        type=event,
        data={"clientId": str(client.pk), "changes": changes, "updatedBy": _actor_id()},
        owners=[client.assigned_to_id, *owners],
    )
    send_clients_changed([client.pk])


def announce_clients(action: str, client_ids: Iterable[uuid.UUID], owners: Iterable[uuid.UUID | None]) -> None:
    """Publish one `clients_changed` for many clients, whose followers then read them anew."""
    client_ids = list(client_ids)
    publish(
        "clients",
        type="clients_changed",
        data={"action": action, "count": len(client_ids), "updatedBy": _actor_id()},
        owners=owners,
    )
    send_clients_changed(client_ids)


def send_clients_changed(client_ids: list[uuid.UUID]) -> None:
    """Send the signal once the open transaction has committed."""
    organization_id = current_organization_id()
    transaction.on_commit(
        lambda: clients_changed.send(sender=None, organization_id=organization_id, client_ids=client_ids)
    )


def _actor_id() -> str | None:
    user_id = current_actor().user_id
    return str(user_id) if user_id else None
