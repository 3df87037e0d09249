"""The ASGI application of every WebSocket; the consumer refuses other paths than /ws."""

from vocelio.realtime.consumer import EventConsumer

websocket_application = EventConsumer.as_asgi()
