"""1,000 sockets follow one import: how long until one progress event has reached them all?

    bin/venv requirements-dev.txt; .venv/bin/python benchmarks/websocket.py [--sockets 1000] [--events 50]

Runs on the servers of DATABASE_URL and REDIS_URL. One uvicorn process serves with the flags of bin/up; this process
is the writer and all the clients. In the same run the same sockets on Channels' stock way: a group of consumers.
"""

import argparse
import asyncio
import base64
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")

import django

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer

from contacts.models import ContactImport
from tests.factories import Person, make_organization, make_person
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.publish import publish

GOAL_ALL_MS, GOAL_COMMIT_MS = 50.0, 200.0
GROUP = f"benchmark-{secrets.token_hex(4)}"


class StockConsumer(AsyncWebsocketConsumer):
    """What the Channels tutorial has: join a group, pass its messages on."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(os.environ["BENCHMARK_GROUP"], self.channel_name)
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data="{}")

    async def progress(self, event: dict[str, Any]) -> None:
        await self.send(text_data=orjson.dumps(event["frame"]).decode())


stock_application = StockConsumer.as_asgi()


class Client(asyncio.Protocol):
    """Speaks just enough of RFC 6455 to keep the clients' own cost out of the figure."""

    def __init__(self, arrivals: "Arrivals") -> None:
        self.arrivals = arrivals
        self.buffer = b""
        self.open = False
        self.replies: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open:
            head, found, self.buffer = self.buffer.partition(b"\r\n\r\n")
            assert found and b" 101 " in head, head
            self.open = True
            self.replies.put_nowait(b"open")
        while len(self.buffer) >= 2:
            length, start = self.buffer[1], 2
            if length == 126:
                length, start = int.from_bytes(self.buffer[2:4], "big"), 4
            if len(self.buffer) < start + length:
                return
            opcode, body = self.buffer[0] & 15, self.buffer[start : start + length]
            self.buffer = self.buffer[start + length :]
            if opcode == 9:
                self.send(10, body)
            elif b'"progress"' in body:
                self.arrivals.count()
            else:
                self.replies.put_nowait(body)

    def say(self, **message: Any) -> None:
        self.send(1, orjson.dumps(message))

    def send(self, opcode: int, body: bytes) -> None:
        length = bytes([128 | len(body)]) if len(body) < 126 else bytes([254]) + len(body).to_bytes(2, "big")
        # A mask of zeros is a mask.
        self.transport.write(bytes([128 | opcode]) + length + bytes(4) + body)


class Arrivals:
    """Notes when the first and the last of all clients received the event."""

    def __init__(self, clients: int) -> None:
        self.clients = clients
        self.begin()

    def begin(self) -> None:
        self.got, self.first, self.last = 0, 0.0, 0.0
        self.complete = asyncio.Event()

    def count(self) -> None:
        self.got += 1
        if self.got == 1:
            self.first = time.perf_counter()
        if self.got == self.clients:
            self.last = time.perf_counter()
            self.complete.set()


def serve(application: str) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--lifespan", "off"]
    flags = ["--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--log-level", "warning"]
    environment = {**os.environ, "BENCHMARK_GROUP": GROUP, "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen([*command, *flags, "--no-access-log"], cwd=PROJECT, env=environment)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return process, port
        except OSError:
            if process.poll() is not None:
                raise SystemExit("The server did not start") from None
            time.sleep(0.05)


async def connect(port: int, arrivals: Arrivals) -> list[Client]:
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(arrivals.clients):
        _, client = await loop.create_connection(lambda: Client(arrivals), "127.0.0.1", port)
        await client.replies.get()
        clients.append(client)
    return clients


async def measure(arrivals: Arrivals, events: int, tell: Any) -> tuple[list[float], list[float], list[float]]:
    """Return, in ms: commit to first socket, first to last socket, commit to last socket."""
    firsts, spreads, totals = [], [], []
    for number in range(events + 5):
        arrivals.begin()
        committed = await tell(number)
        await asyncio.wait_for(arrivals.complete.wait(), 30)
        if number >= 5:
            firsts.append((arrivals.first - committed) * 1000)
            spreads.append((arrivals.last - arrivals.first) * 1000)
            totals.append((arrivals.last - committed) * 1000)
    return firsts, spreads, totals


async def hub(sockets: int, events: int, manager: Person) -> tuple[list[float], list[float], list[float]]:
    process, port = serve("vocelio.asgi:application")
    try:
        arrivals = Arrivals(sockets)
        began = time.perf_counter()
        clients = await connect(port, arrivals)
        job = await asyncio.to_thread(make_job, manager)
        token = await asyncio.to_thread(lambda: manager.token)
        for client in clients:
            client.say(type="authenticate", token=token)
            client.say(type="subscribe", channel="import_progress", jobId=str(job.id))
        for client in clients:
            assert b'"authenticated"' in await client.replies.get()
            assert b'"subscribed"' in await client.replies.get()
        print(f"{sockets} sockets connected, signed in and subscribed in {time.perf_counter() - began:.1f} s")

        async def tell(number: int) -> float:
            return await asyncio.to_thread(commit_progress, manager, job, number)

        return await measure(arrivals, events, tell)
    finally:
        process.terminate()


def make_job(manager: Person) -> ContactImport:
    with organization_scope(manager.organization.id):
        job: ContactImport = ContactImport.objects.create(filename="a.csv", file="a.csv", file_size=1)
        return job


def commit_progress(manager: Person, job: ContactImport, number: int) -> float:
    """Commit one event; return the moment before the commit, so that commit and push are counted."""
    job.processed = number
    with organization_scope(manager.organization.id):
        publish("import_progress", key=str(job.id), type="import_progress", data=job.progress_event())
        return time.perf_counter()


async def stock(sockets: int, events: int) -> tuple[list[float], list[float], list[float]]:
    process, port = serve("benchmarks.websocket:stock_application")
    try:
        arrivals = Arrivals(sockets)
        await connect(port, arrivals)
        layer = get_channel_layer()
        data = {"jobId": secrets.token_hex(16), "progress": 5, "processed": 5, "total": 100, "errors": []}

        async def tell(number: int) -> float:
            began = time.perf_counter()
            frame = {"type": "import_progress", "data": data, "sequence": number}
            await layer.group_send(GROUP, {"type": "progress", "frame": frame})
            return began

        return await measure(arrivals, events, tell)
    finally:
        process.terminate()


def report(name: str, figures: tuple[list[float], list[float], list[float]]) -> float:
    def both(values: list[float]) -> str:
        return f"p50 {statistics.median(values):6.1f} ms, p95 {statistics.quantiles(values, n=20)[-1]:6.1f} ms"

    firsts, spreads, totals = figures
    print(f"{name}\n  commit to first socket   {both(firsts)}\n  first to last socket     {both(spreads)}")
    print(f"  commit to last socket    {both(totals)}")
    return statistics.median(totals)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--events", type=int, default=50)
    options = parser.parse_args()
    manager = make_person(make_organization(), "manager")
    hub_figures = asyncio.run(hub(options.sockets, options.events, manager))
    ours = report(f"Vocelio's hub, {options.sockets} sockets on one process", hub_figures)
    theirs = report(
        "Channels' stock consumer and layer, same sockets", asyncio.run(stock(options.sockets, options.events))
    )
    spread = statistics.median(hub_figures[1])
    print(f"one event to all: {spread:.1f} ms of {GOAL_ALL_MS:.0f} ms allowed ({spread / GOAL_ALL_MS:.2f})")
    first = statistics.median(hub_figures[0])
    print(f"commit to socket: {first:.1f} ms of {GOAL_COMMIT_MS:.0f} ms allowed ({first / GOAL_COMMIT_MS:.2f})")
    print(f"stock takes {theirs / ours:.1f} times as long")


if __name__ == "__main__":
    main()
