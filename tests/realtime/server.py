"""A real server and a client for it: uvicorn serves vocelio.asgi with the flags of bin/up, events cross Redis."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.factories import Person
from vocelio.realtime.asyncapi import messages_heard

PROJECT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Server:
    """Web processes of their own, on the database and Redis of this test process."""

    port: int

    @contextmanager
    def connect(self, path: str = "/ws", **options: Any) -> Iterator["Client"]:
        with connect(f"ws://127.0.0.1:{self.port}{path}", **options) as connection:
            yield Client(connection)

    @contextmanager
    def sign_in(self, person: Person) -> Iterator["Client"]:
        with self.connect() as client:
            client.say(type="authenticate", token=person.token)
            client.hear("authenticated")
            yield client


class Client:
    """A socket that speaks JSON; what it waits for must come within five seconds."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def hear(self, type: str = "") -> dict[str, Any]:
        """Return the next frame, which must be of this type."""
        frame: dict[str, Any] = json.loads(self.connection.recv(timeout=5))
        check_described(frame)
        assert not type or frame["type"] == type, frame
        return frame

    def subscribe(self, channel: str, **parameters: Any) -> dict[str, Any]:
        self.say(type="subscribe", channel=channel, **parameters)
        return self.hear()

    def hears_nothing(self) -> None:
        """Nothing is on its way: the answer to a ping is the next frame."""
        self.say(type="ping")
        self.hear("pong")

    def closed(self) -> tuple[int, str]:
        """Return code and reason of the close frame, which must come."""
        with pytest.raises(ConnectionClosed) as end:
            self._read_on()
        assert end.value.rcvd is not None
        return end.value.rcvd.code, end.value.rcvd.reason

    def _read_on(self) -> None:
        while True:
            self.connection.recv(timeout=5)


def check_described(frame: dict[str, Any]) -> None:
    """Fail for a frame that /v1/asyncapi does not describe."""
    schemas = messages_heard().get(frame["type"], [])
    assert any(jsonschema_rs.is_valid(schema, frame) for schema in schemas), f"Not as described: {frame}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[..., Server]]:
    """Start servers that end with the session; arguments are environment variables."""
    processes = []

    def start(**environment: str) -> Server:
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "vocelio.asgi:application",
            "--port",
            str(port),
            "--lifespan",
            "off",
        ]
        options = ["--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--ws-max-size", "65536"]
        options += ["--log-level", "error", "--no-access-log"]
        inherited = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "vocelio.settings",
            "PORT": str(port),
            **environment,
        }
        processes.append(subprocess.Popen([*command, *options], cwd=PROJECT, env=inherited))  # noqa: S603
        deadline = time.monotonic() + 90
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    return Server(port)
            except OSError:
                assert time.monotonic() < deadline, "The server did not start"
                assert processes[-1].poll() is None, "The server ended"
                time.sleep(0.05)

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def server(start_server: Callable[..., Server]) -> Server:
    return start_server()
