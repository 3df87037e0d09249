"""The only writers of contacts, lists and imports."""
