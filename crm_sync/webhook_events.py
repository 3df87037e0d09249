"""What webhooks tell of CRM syncs."""

from crm_sync.models import CrmSyncRun
from vocelio.webhooks.events import Data, EventType, Shown, register

RUN = Shown("run", "syncJobId", "crm_sync.views.runs.RunViewSet")
ID = "00000000-0000-0000-0000-000000000000"
UNDER_WAY = {"parked", "syncing", "expired", CrmSyncRun.Outcome.RUNNING}


def is_finished(data: Data) -> bool:
    return "syncJobId" in data and data["status"] not in UNDER_WAY


def is_expired(data: Data) -> bool:
    return bool(data["status"] == "expired")


register(
    EventType(
        "crm_sync.finished",
        "A sync with a CRM is over.",
        topic="crm_sync_update",
        on="crm_sync_update",
        shows=RUN,
        when=is_finished,
        example={"integrationId": ID, "syncJobId": ID, "status": "success", "contactsProcessed": 100},
    )
)
register(
    EventType(
        "crm_sync.expired",
        "A CRM no longer takes the credentials of a connection.",
        topic="crm_sync_update",
        on="crm_sync_update",
        when=is_expired,
        example={"integrationId": ID, "status": "expired", "progress": 0, "contactsProcessed": 0},
    )
)
register(
    EventType(
        "crm_sync.conflicts",
        "Both sides changed a field, and a person is to decide.",
        topic="crm_sync_update",
        on="crm_conflicts_found",
        example={"integrationId": ID, "conflicts": 2},
    )
)
