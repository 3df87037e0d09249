"""bin/up: start everything Vocelio needs in the right order, watch over it, and leave nothing running."""

import errno
import http.client
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import psycopg

from vocelio.embedded.home import Home, HomeError, make_home
from vocelio.embedded.lock import AlreadyRunning, lock
from vocelio.embedded.postgres import admin_url, prepare_postgres, wait_for_postgres
from vocelio.embedded.process import Process, Program
from vocelio.embedded.provision import ProvisionError, can_provision, database_name, derived_urls, provision
from vocelio.embedded.state import read_state, with_keys, write_state
from vocelio.embedded.valkey import prepare_valkey, redis_url, wait_for_redis

PROJECT = Path(__file__).resolve().parent.parent.parent
DATABASE = "vocelio"
READY_SECONDS = 120.0
DEATHS, DEATHS_WITHIN = 5, 60.0
CAUGHT_MAIL = "/admin/comms/communication/caught/"
DEMO_LOGINS = """\
  Log in with the password vocelio-demo as
    admin@acme.test  manager@acme.test  agent@acme.test     organization Acme
    admin@globex.test                                       organization Globex
    root@vocelio.test                                       the platform's superuser"""


class StartFailed(Exception):
    """What a person has to change before bin/up can work."""


class GaveUp(Exception):
    """A program that keeps dying, or a step that failed, after its output was printed."""


_printing = threading.Lock()


def say(line: str, name: str = "up") -> None:
    """Print one whole line of the given program, whichever thread it comes from."""
    with _printing:
        sys.stdout.write(f"{name:<8} | {line}\n")
        sys.stdout.flush()


def echo(name: str, line: str) -> None:
    say(line, name)


class Supervised:
    """A program that is started again when it dies, until it has died too often."""

    def __init__(self, program: Program, descriptor: int) -> None:
        self._program = program
        self._descriptor = descriptor
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._again_at: float | None = None
        self.process = Process(program, echo, [descriptor])

    def check(self) -> None:
        """Notice a death and start again, a little later each time; raise GaveUp when it keeps dying."""
        now = time.monotonic()
        if self._again_at is not None:
            if now >= self._again_at:
                self._again_at = None
                self.process = Process(self._program, echo, [self._descriptor])
            return
        code = self.process.exit_code()
        if code is None:
            return
        self.process.wait()
        self._deaths.append(now)
        if len(self._deaths) == DEATHS and now - self._deaths[0] < DEATHS_WITHIN:
            say(f"{self._program.name} died {DEATHS} times within {DEATHS_WITHIN:.0f} s, stopping. Its last output:")
            for line in self.process.output:
                say(f"  {line}")
            raise GaveUp
        say(f"{self._program.name} ended with code {code}; starting it again")
        recent = sum(1 for death in self._deaths if now - death < DEATHS_WITHIN)
        self._again_at = now + 0.1 * recent

    def stop(self) -> None:
        self.process.stop()


class Supervisor:
    """One run of bin/up; `stack` undoes every step in reverse order."""

    def __init__(self, stack: ExitStack, data: Path, host: str, port: int) -> None:
        self.stack = stack
        self.data = data
        self.host = host
        self.port = port
        self.descriptor = lock(data)
        stack.callback(os.close, self.descriptor)
        self.state = with_keys(read_state(data))
        self.environment: dict[str, str] = {}
        self.children: list[Supervised] = []

    def start(self) -> None:
        """Bring everything up to the first answer of /health."""
        began = time.monotonic()
        check_port(self.host, self.port)
        write_state(self.data, self.state)
        for name in ("files", "mail"):
            (self.data / name).mkdir(mode=0o700, exist_ok=True)
        urls = self.start_servers()
        self.state |= urls
        write_state(self.data, self.state)
        self.environment = {
            **os.environ,
            **urls,
            "VOCELIO_DATA": str(self.data),
            "PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
            "PROMETHEUS_MULTIPROC_DIR": str(self.make_metrics_folder()),
        }
        self.manage("migrate", "--no-input", "--verbosity", "0")
        wants_demo = os.environ.get("VOCELIO_DEMO", "1").strip().lower() not in {"0", "false", "no", "off"}
        if wants_demo and "DEMO_LOADED" not in self.state:
            say("Loading demo data (VOCELIO_DEMO=0 goes without)")
            self.manage("load_demo")
            self.state["DEMO_LOADED"] = "1"
            write_state(self.data, self.state)
        self.start_children()
        self.wait_for_health()
        self.announce(time.monotonic() - began)

    def start_servers(self) -> dict[str, str]:
        """Start what no URL was given for; return the URLs everything runs with."""
        app, owner, cache = (os.environ.get(name, "") for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"))
        home: Home | None = None
        if not app or not cache:
            home = self.make_home()
        if not app:
            assert home is not None  # noqa: S101
            if owner:
                raise StartFailed("DATABASE_OWNER_URL is set but DATABASE_URL is not.")
            app, owner = self.start_postgres(home)
        elif not owner:
            app, owner = self.use_postgres(app)
        if not cache:
            assert home is not None  # noqa: S101
            cache = redis_url(home)
            wait_for_redis(cache, self.supervise(prepare_valkey(home)).process)
        else:
            wait_for_redis(cache, seconds=5)
        return {"DATABASE_URL": app, "DATABASE_OWNER_URL": owner, "REDIS_URL": cache}

    def make_metrics_folder(self) -> Path:
        """An empty folder in which the web processes add up their metrics."""
        folder = self.data / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return folder

    def make_home(self) -> Home:
        """A home for this run; what a killed run left in /tmp goes."""
        shutil.rmtree(self.state.get("RUN_FOLDER", ""), ignore_errors=True)
        home = make_home(self.data)
        self.state["RUN_FOLDER"] = str(home.run)
        write_state(self.data, self.state)
        self.stack.callback(shutil.rmtree, home.run, ignore_errors=True)
        return home

    def start_postgres(self, home: Home) -> tuple[str, str]:
        password = self.state["POSTGRES_PASSWORD"]
        admin = admin_url(home, password)
        wait_for_postgres(self.supervise(prepare_postgres(home, password)).process, admin)
        return self.provision(admin, DATABASE)

    def use_postgres(self, url: str) -> tuple[str, str]:
        """A DATABASE_URL alone: its role makes ours, since a role with such rights is not held by the policies."""
        if not can_provision(url):
            raise StartFailed(
                "The role of DATABASE_URL may not create roles and databases. Give one that may, or set "
                "DATABASE_OWNER_URL as well: DATABASE_URL then names the restricted role."
            )
        name = database_name(url)
        return self.provision(url, DATABASE if name in {"", "postgres"} else name)

    def provision(self, admin: str, database: str) -> tuple[str, str]:
        app, owner = derived_urls(admin, database, self.state["OWNER_PASSWORD"], self.state["APP_PASSWORD"])
        provision(admin, owner_url=owner, app_url=app)
        return app, owner

    def manage(self, *arguments: str) -> None:
        """Run one management command to its end."""
        program = Program("manage", [sys.executable, "manage.py", *arguments], self.environment, PROJECT)
        process = Process(program, echo, [self.descriptor])
        with ExitStack() as stack:
            stack.callback(process.stop)
            code = process.wait()
        if code:
            say(f"manage.py {arguments[0]} failed with code {code}")
            raise GaveUp

    def supervise(self, program: Program) -> Supervised:
        child = Supervised(program, self.descriptor)
        self.stack.callback(child.stop)
        self.children.append(child)
        return child

    def start_children(self) -> None:
        workers = os.environ.get("WEB_WORKERS") or "2"
        celery = [sys.executable, "-m", "celery", "-q", "-A", "vocelio"]
        commands: Mapping[str, list[str]] = {
            "worker": [*celery, "worker", "-c", "2", "--loglevel", "warning"],
            "beat": [*celery, "beat", "--loglevel", "warning"],
            "web": [
                *(sys.executable, "-m", "uvicorn", "vocelio.asgi:application", "--host", self.host),
                *("--port", str(self.port), "--workers", workers, "--lifespan", "off", "--ws", "websockets-sansio"),
                # Compressing each small frame for each socket costs more than it saves.
                *("--ws-per-message-deflate", "false", "--ws-max-size", "65536"),
                # Its default of 5 s kills children that a busy machine keeps waiting, while they start or work.
                *("--timeout-worker-healthcheck", "60", "--timeout-graceful-shutdown", "8"),
                *("--log-level", "warning", "--no-access-log"),
            ],
        }
        for name, command in commands.items():
            self.supervise(Program(name, command, self.environment, PROJECT))

    def wait_for_health(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(self.host, self.port):
            self.watch()
            if time.monotonic() > deadline:
                say(f"/health did not answer within {READY_SECONDS:.0f} s")
                raise GaveUp

    def watch(self) -> None:
        """Look after every child once."""
        for child in self.children:
            child.check()
        time.sleep(0.1)

    def announce(self, seconds: float) -> None:
        url = f"http://{reachable(self.host)}:{self.port}"
        say(f"Vocelio is ready after {seconds:.1f} s")
        say(f"  {url}/admin/    back office")
        say(f"  {url}/v1/docs   API")
        if "DEMO_LOADED" in self.state:
            for line in DEMO_LOGINS.splitlines():
                say(line)
            say(f"  {url}{CAUGHT_MAIL}    what the demo would have sent; nothing leaves")
        say("Ctrl-C stops everything; the data stays in " + str(self.data))


def reachable(host: str) -> str:
    """An address that reaches a server bound to `host` from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def check_port(host: str, port: int) -> None:
    """Refuse a port that something else listens on, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the web server does: a port that is merely cooling down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise StartFailed(
                    f"Port {port} is taken by another program. Stop that one, or choose: PORT={port + 1} bin/up"
                ) from error
            raise StartFailed(f"Cannot listen on {host}:{port}: {error.strerror}.") from error


def answers(host: str, port: int) -> bool:
    """Whether /health answers; a degraded installation does answer."""
    connection = http.client.HTTPConnection(reachable(host).strip("[]"), port, timeout=5)
    try:
        connection.request("GET", "/health", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def interrupt(*_: int | FrameType | None) -> None:
    """End the run once; stopping is not itself interrupted, every stop has its own limit."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


def main() -> int:
    """Do everything bin/up does; return its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    data = Path(os.environ.get("VOCELIO_DATA") or PROJECT / ".vocelio").resolve()
    try:
        port = os.environ.get("PORT") or "8000"
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise StartFailed(f"PORT must be a number from 1 to 65535, not {port!r}.")
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            supervisor = Supervisor(stack, data, os.environ.get("HOST") or "127.0.0.1", int(port))
            supervisor.start()
            stack.callback(say, "Stopping")
            while True:
                supervisor.watch()
    except KeyboardInterrupt:
        say("Stopped")
        return 0
    except GaveUp:
        return 1
    except (StartFailed, AlreadyRunning, HomeError, ProvisionError, psycopg.OperationalError, OSError) as error:
        for line in str(error).splitlines():
            say(line)
        return 1


if __name__ == "__main__":
    sys.exit(main())
