"""What sockets may follow of the CRM sync."""

from collections.abc import Mapping
from typing import Any

from vocelio.realtime.topics import Topic, register


def of_connection(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "integrationId" not in filters or filters["integrationId"] == data.get("integrationId")


register(Topic("crm_sync_update", permission="crm:manage", filters=("integrationId",), matches=of_connection))
