"""The only writers of dashboards, and the figures of their tiles."""
