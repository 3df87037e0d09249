"""Pages of messages in the back office."""

from comms.admin import accounts, batches, messages, templates

__all__ = ["accounts", "batches", "messages", "templates"]
