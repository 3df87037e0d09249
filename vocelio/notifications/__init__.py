"""Notifications to people and the feed of what happened. Imports other parts of the kernel only. Open services first."""
