"""Pages of messages in the back office."""
