"""Pages of CRM connections, their runs and what waits for a person."""

from crm_sync.admin import connections, inbox, runs

__all__ = ["connections", "inbox", "runs"]
