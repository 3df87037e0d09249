"""Pages of the kernel's own tables."""

from vocelio.backoffice.admin import audit, organizations, schedules, users

__all__ = ["audit", "organizations", "schedules", "users"]
