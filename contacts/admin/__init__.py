"""Pages of contacts, lists and imports in the back office."""

from contacts.admin import (
    bulk,
    clients,
    contacts,
    custom_fields,
    duplicates,
    exports,
    imports,
    lists,
    presets,
    saved_views,
)

__all__ = [
    "bulk",
    "clients",
    "contacts",
    "custom_fields",
    "duplicates",
    "exports",
    "imports",
    "lists",
    "presets",
    "saved_views",
]
