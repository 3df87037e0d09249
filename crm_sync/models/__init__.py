"""Connections, what links their records to ours, runs and what they did."""

from crm_sync.models.integrations import CrmCredential, CrmIntegration, CrmOAuthAttempt
from crm_sync.models.links import CrmConflict, CrmCursor, CrmLink, CrmOptOut
from crm_sync.models.quotas import CrmQuota
from crm_sync.models.runs import CrmSeenRecord, CrmSyncItem, CrmSyncRun
from crm_sync.models.webhooks import CrmHint, CrmWebhook

__all__ = [
    "CrmConflict",
    "CrmCredential",
    "CrmCursor",
    "CrmHint",
    "CrmIntegration",
    "CrmLink",
    "CrmOAuthAttempt",
    "CrmOptOut",
    "CrmQuota",
    "CrmSeenRecord",
    "CrmSyncItem",
    "CrmSyncRun",
    "CrmWebhook",
]
