"""record() writes the audit log; nothing else does."""

import uuid
from typing import Any

from vocelio.audit.context import current_actor
from vocelio.audit.models import AuditEntry


def record(action: str, resource: str, resource_id: uuid.UUID | str = "", **details: Any) -> None:
    """Add an audit entry to the open scope's organization, in the transaction of what it tells of.

    `action` is `noun.past_participle` (`contact.deleted`); `details` holds ids, counts and field names,
    never names, addresses or numbers of people.
    """
    actor = current_actor()
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                action=action,
                resource=resource,
                resource_id=str(resource_id),
                details=details,
                user_id=actor.user_id,
                door=actor.door,
                ip_address=actor.ip_address,
                user_agent=actor.user_agent[:300],
                request_id=actor.request_id,
            )
        ]
    )
