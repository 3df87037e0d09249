"""Pages of contacts, lists and imports in the back office."""

from contacts.admin import contacts, imports, lists

__all__ = ["contacts", "imports", "lists"]
