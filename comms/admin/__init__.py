"""Pages of messages in the back office."""

from comms.admin import accounts, batches, messages, sequences, templates

__all__ = ["accounts", "batches", "messages", "sequences", "templates"]
