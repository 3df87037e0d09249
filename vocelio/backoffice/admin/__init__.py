"""Pages of the kernel's own tables."""

from vocelio.backoffice.admin import api_tokens, audit, feed, organizations, schedules, users, webhooks

__all__ = ["api_tokens", "audit", "feed", "organizations", "schedules", "users", "webhooks"]
