"""What sockets may follow of the CRM sync."""

from collections.abc import Mapping
from typing import Any

from vocelio.realtime.shapes import ID, NUMBER, TEXT, shape
from vocelio.realtime.topics import Topic, register


def of_connection(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "integrationId" not in filters or filters["integrationId"] == data.get("integrationId")


UPDATE = shape(
    optional=["syncJobId", "contactsAdded", "contactsUpdated", "contactsSkipped", "errorCount"],
    integrationId=ID,
    syncJobId=ID,
    status=TEXT,
    progress=NUMBER,
    contactsProcessed=NUMBER,
    contactsAdded=NUMBER,
    contactsUpdated=NUMBER,
    contactsSkipped=NUMBER,
    errorCount=NUMBER,
)

register(
    Topic(
        "crm_sync_update",
        "Syncs with CRMs, and what they leave for a person to decide.",
        permission="crm:manage",
        filters=("integrationId",),
        matches=of_connection,
        events={"crm_sync_update": UPDATE, "crm_conflicts_found": shape(integrationId=ID, conflicts=NUMBER)},
    )
)
