"""Contacts, clients, lists, imports. Imports the kernel only. Open models first."""
