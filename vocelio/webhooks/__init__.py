"""Outbound webhooks: facts of publish() are told to other systems by signed HTTP. Open events.py first."""
