"""An installation of its own: embedded servers, web, worker and beat, as bin/up starts them, and a client of it."""

import base64
import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis
from websockets.sync.client import ClientConnection, connect

PROJECT = Path(__file__).resolve().parents[2]
PORT = int(os.environ.get("FAULTS_PORT") or 8140)
EMAIL, PASSWORD = "faults@example.test", "correct horse battery"
MAKE_PERSON = f"""
from vocelio.organizations.models import Membership, Organization
from vocelio.users.models import User
organization = Organization.objects.create(name="Faults", slug="faults", subscription_tier="enterprise")
user = User.objects.create_user("{EMAIL}", "{PASSWORD}", name="Faults")
Membership.objects.create(organization=organization, user=user, role="admin")
"""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def wait_until(condition: Callable[[], object], seconds: float, what: str, pause: float = 0.05) -> float:
    """Return after how many seconds the condition held; fail when it does not in time."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"Not within {seconds:.0f} s: {what}"
        time.sleep(pause)
    return time.monotonic() - began


@dataclass
class Installation:
    """A running bin/up, and an admin of the one organization in it."""

    data: Path
    port: int = PORT
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes]" = field(init=False)
    token: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def state(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.data / "state.json").read_text())
        return found

    @property
    def variables(self) -> dict[str, str]:
        """The environment of programs that join this installation."""
        inherited = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        for name in ("SECRET_KEY", "JWT_SECRET", "MASTER_KEYS", "DEBUG"):
            inherited.pop(name, None)
        return {
            **inherited,
            "VOCELIO_DATA": str(self.data),
            "VOCELIO_DEMO": "0",
            "PORT": str(self.port),
            **self.environment,
        }

    @property
    def log(self) -> Path:
        """Stays behind, so that what went wrong can be looked into."""
        return Path(f"/tmp/{self.data.parent.name}.log")

    def start(self, seconds: float = 120) -> None:
        log = self.log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vocelio.embedded.supervisor"],
            cwd=PROJECT,
            env=self.variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.wait_for_health(seconds)

    def wait_for_health(self, seconds: float) -> float:
        return wait_until(self.answers, seconds, "/health answers", 0.5)

    def answers(self) -> bool:
        assert self.process.poll() is None, "bin/up ended"
        try:
            return httpx.get(f"{self.url}/health", timeout=3, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=PROJECT, env=self.variables, check=True)

    def spawn(self, *command: str, **extra: str) -> "subprocess.Popen[bytes]":
        """Start one more program of the product in this installation."""
        environment = {**self.variables, **self.state, **extra}
        return subprocess.Popen([sys.executable, "-m", *command], cwd=PROJECT, env=environment)

    def processes(self) -> dict[int, str]:
        """Return the processes below bin/up by id, as `web`, `web child`, `worker`, `beat`, `postgres`, `valkey`..."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except (FileNotFoundError, ProcessLookupError):
                    continue
                children.setdefault(parent, []).append(int(entry.name))
        found: dict[int, str] = {}

        def walk(pid: int, above: str) -> None:
            for child in children.get(pid, []):
                try:
                    command = (Path("/proc") / str(child) / "cmdline").read_bytes().decode(errors="replace")
                except (FileNotFoundError, ProcessLookupError):
                    continue
                name = _name(command, above)
                found[child] = name
                walk(child, name)

        walk(self.process.pid, "")
        return found

    def find(self, name: str) -> list[int]:
        return sorted(pid for pid, known in self.processes().items() if known == name)

    def database(self) -> psycopg.Connection[Any]:
        """Connect as the owner, who sees every organization."""
        return psycopg.connect(self.state["DATABASE_OWNER_URL"], autocommit=True)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            return connection.execute(sql, parameters).fetchall()

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.state["REDIS_URL"])

    def sign_in(self, url: str = "") -> httpx.Response:
        body = {"email": EMAIL, "password": PASSWORD}
        answer = httpx.post(f"{url or self.url}/v1/auth/login", json=body, timeout=30, trust_env=False)
        if answer.status_code == 200 and not url:
            self.token = answer.json()["data"]["accessToken"]
        return answer

    def client(self, url: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=url or self.url, headers=headers, timeout=30, trust_env=False, verify=False)

    def socket(self) -> ClientConnection:
        """Open a socket that is signed in and hears of contacts."""
        connection = connect(f"ws://127.0.0.1:{self.port}/ws", proxy=None, max_queue=None)
        for message in ({"type": "authenticate", "token": self.token}, {"type": "subscribe", "channel": "contacts"}):
            connection.send(json.dumps(message))
            answer = json.loads(connection.recv(timeout=10))
            assert answer["type"] in {"authenticated", "subscribed"}, answer
        return connection

    def contacts(self) -> set[str]:
        return {phone for (phone,) in self.query("SELECT phone FROM contacts WHERE deleted_at IS NULL")}


def _name(command: str, above: str) -> str:
    """Name a process by what it runs; children of a program bear its name."""
    if "guard.py" in command:
        return "guard"
    for sign, name in (("uvicorn", "web"), ("worker", "worker"), ("beat", "beat"), ("valkey", "valkey")):
        if above == "guard" and sign in command:
            return name
    if "postgres" in command and above == "guard":
        return "postgres"
    if above in {"web", "worker", "postgres"}:
        return f"{above} child"
    return above or "other"


@cache
def migrated() -> Path:
    """Return a data folder with the tables and the person; it stays for the next run until a migration changes."""
    digest = hashlib.sha256()
    for file in sorted(PROJECT.glob("**/migrations/*.py")):
        digest.update(file.read_bytes())
    folder = Path("/var/tmp") / f"vocelio-faults-{digest.hexdigest()[:12]}"
    if not folder.exists():
        made = Path(tempfile.mkdtemp(prefix="vocelio-faults-", dir="/var/tmp"))
        made.chmod(0o711)
        run = Installation(made / "data")
        run.data.mkdir()
        run.start(600)
        try:
            run.manage("shell", "--verbosity", "0", "-c", MAKE_PERSON)
        finally:
            run.stop()
        made.rename(folder)
    return folder / "data"


@contextmanager
def installation(parent: Path | None = None, **environment: str) -> Iterator[Installation]:
    """Start one in a folder that goes at the end, with its person signed in."""
    folder = Path(tempfile.mkdtemp(prefix="vocelio-faults-", dir=parent or "/var/tmp"))
    folder.chmod(0o711)
    run = Installation(folder / "data", environment=environment)
    say(f"  log: {run.log}")
    # As it is, owners included: PostgreSQL is particular about its folder.
    subprocess.run(["cp", "-a", migrated(), run.data], check=True)
    try:
        run.start()
        assert run.sign_in().status_code == 200
        yield run
    finally:
        if run.process.poll() is None:
            run.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Writer:
    """Posts new contacts at a steady rate and keeps account of every answer."""

    run: Installation
    per_second: float
    url: str = ""
    prefix: str = "+1212555"
    acknowledged: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    moments: list[tuple[float, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def _post(self, client: httpx.Client, number: int) -> None:
        phone = f"{self.prefix}{number:04d}"
        began = time.monotonic()
        try:
            answer = client.post("/v1/contacts", json={"phone": phone, "firstName": "Ada"})
        except httpx.HTTPError as error:
            outcome = type(error).__name__
        else:
            outcome = str(answer.status_code)
            if answer.status_code == 201:
                self.acknowledged.add(phone)
        self.seconds.append(time.monotonic() - began)
        self.answers[outcome] += 1
        self.moments.append((time.monotonic(), outcome))

    @contextmanager
    def writing(self) -> Iterator["Writer"]:
        """Write until the block ends, then wait for what is under way."""
        over = threading.Event()

        def write() -> None:
            with self.run.client(self.url) as client, ThreadPoolExecutor(16) as pool:
                began = time.monotonic()
                for number in range(10_000):
                    if over.wait(max(0, began + number / self.per_second - time.monotonic())):
                        break
                    pool.submit(self._post, client, number)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()

    def lost(self) -> set[str]:
        """Return the acknowledged writes that are not there."""
        return self.acknowledged - self.run.contacts()

    def outage(self) -> float:
        """Return the longest time without a contact being taken."""
        taken = [moment for moment, outcome in self.moments if outcome == "201"]
        return max((after - before for before, after in itertools.pairwise(taken)), default=0.0)

    def told(self) -> str:
        ordered = sorted(self.seconds) or [0.0]
        answers = ", ".join(f"{count} x {outcome}" for outcome, count in sorted(self.answers.items()))
        p95 = ordered[int(len(ordered) * 0.95)]
        return f"{answers}; p95 {p95 * 1000:.0f} ms; longest gap {self.outage():.1f} s; lost {len(self.lost())}"


@dataclass
class Import:
    """A file of contacts under way."""

    run: Installation
    rows: int
    job_id: str = ""
    first: int = 0

    def start(self) -> "Import":
        lines = "".join(f"Row {row},+1415{2000000 + row}\n" for row in range(self.first, self.first + self.rows))
        file = {"file": ("people.csv", f"first_name,phone\n{lines}".encode())}
        with self.run.client() as client:
            answer = client.post("/v1/uploads/contacts", files=file)
        assert answer.status_code == 202, answer.text
        self.job_id = answer.json()["data"]["jobId"]
        return self

    def row(self) -> tuple[str, int, int]:
        """Return its status, rows worked on and attempts."""
        sql = "SELECT status, processed, epoch FROM import_jobs WHERE id = %s"
        status, processed, attempt = self.run.query(sql, self.job_id)[0]
        return status, processed, attempt

    def wait_for_rows(self, number: int, seconds: float = 60) -> None:
        wait_until(lambda: self.row()[1] >= number, seconds, f"{number} rows imported")

    def wait(self, seconds: float = 120) -> float:
        return wait_until(lambda: self.row()[0] in {"completed", "failed"}, seconds, "the import ends")

    def check(self) -> None:
        """Every row is there once, and the counts say so."""
        sql = "SELECT status, imported_contacts, total_rows, error_message FROM import_jobs WHERE id = %s"
        status, imported, total, problem = self.run.query(sql, self.job_id)[0]
        assert (status, imported, total) == ("completed", self.rows, self.rows), (status, imported, total, problem)
        (there,) = self.run.query("SELECT count(*) FROM contacts WHERE phone LIKE '+1415%%'")[0]
        assert there == self.rows, f"{there} of {self.rows} rows"


def claims(token: str) -> dict[str, Any]:
    """Return what an access token says."""
    part = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return said


def replaced(run: Installation, name: str, pid: int) -> Callable[[], object]:
    """Return whether as many processes of this name run without this one as run now with it."""
    number = len(run.find(name))
    return lambda: len(set(run.find(name)) - {pid}) >= number


def taken_again(writer: Writer) -> Callable[[], object]:
    """Return whether more contacts are acknowledged than now."""
    count = len(writer.acknowledged)
    return lambda: len(writer.acknowledged) > count
