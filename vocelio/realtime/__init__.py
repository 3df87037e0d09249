"""The WebSocket: one consumer, the topic registry, publish(). Open topics.py first."""
