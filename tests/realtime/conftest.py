"""The server of these tests."""

from tests.realtime.server import server, start_server

__all__ = ["server", "start_server"]
