"""Endpoints, the way of events to them, and what became of each delivery."""
