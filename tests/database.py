"""The databases of a test run: one migrated template, cloned for every xdist worker.

Tests connect as the restricted role, so the policies hold in every one of them. They commit for real and nothing is
rolled back: each test makes its own organizations, tenants isolate them, and the databases are thrown away at the end.
TEST_DATABASE_URL (a role that may create roles and databases) and TEST_REDIS_URL name servers to use instead of
embedded ones. TEST_KEEP_TEMPLATE=1 leaves the template on such a server for the next run with the same migrations.
"""

import atexit
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import pytest_django
from psycopg import sql

from vocelio.embedded.home import make_home
from vocelio.embedded.postgres import admin_url, prepare_postgres, wait_for_postgres
from vocelio.embedded.process import Process
from vocelio.embedded.provision import derived_urls, provision, with_database
from vocelio.embedded.state import with_keys
from vocelio.embedded.valkey import prepare_valkey, redis_url, wait_for_redis

PROJECT = Path(__file__).resolve().parent.parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def environment() -> dict[str, str]:
    """What the settings read in this process. The first process of the run starts the servers, its workers join."""
    if not WORKER:
        _start()
    name = _database()
    return {
        "DATABASE_URL": with_database(os.environ["DATABASE_URL"], name),
        "DATABASE_OWNER_URL": with_database(os.environ["DATABASE_OWNER_URL"], name),
        "REDIS_URL": _redis(os.environ["TEST_REDIS_URL"], int(WORKER.removeprefix("gw")) + 1 if WORKER else 0),
    }


def _database() -> str:
    """The database of this process: a clone for each worker, the template itself is nobody's."""
    return f"{os.environ['TEST_RUN']}_{WORKER or 'main'}"


def _redis(url: str, number: int) -> str:
    """The same server's database `number`, in the place where this kind of URL says it."""
    bare = url.partition("?")[0]
    if bare.startswith("unix:"):
        return f"{bare}?db={number}"
    return urlsplit(bare)._replace(path=f"/{number}").geturl()


def _start() -> None:
    """Start what no URL was given for and leave in the environment what the workers need."""
    files = Path(tempfile.mkdtemp(prefix="vocelio-test-"))
    atexit.register(shutil.rmtree, files, ignore_errors=True)
    keys = with_keys({})
    admin, cache = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
    if not admin or not cache:
        home = make_home(files)
        atexit.register(shutil.rmtree, home.run, ignore_errors=True)
        if not cache:
            valkey = Process(prepare_valkey(home, durable=False), _silent)
            atexit.register(valkey.stop)
            cache = redis_url(home)
            wait_for_redis(cache, valkey)
        if not admin:
            postgres = Process(prepare_postgres(home, keys["POSTGRES_PASSWORD"], durable=False), _silent)
            atexit.register(postgres.stop)
            admin = admin_url(home, keys["POSTGRES_PASSWORD"])
            wait_for_postgres(postgres, admin)
    run = template = f"vocelio_test_{secrets.token_hex(4)}"
    if _keeps_template():
        # Runs beside this one use the same roles: the passwords have to be the same too.
        template = f"vocelio_test_{_schema_digest()}"
        keys["OWNER_PASSWORD"] = keys["APP_PASSWORD"] = hashlib.sha256(f"{admin}{template}".encode()).hexdigest()
    app, owner = derived_urls(admin, template, keys["OWNER_PASSWORD"], keys["APP_PASSWORD"])
    os.environ.update(
        {name: keys[name] for name in ("SECRET_KEY", "JWT_SECRET", "MASTER_KEYS")},
        VOCELIO_DATA=str(files),
        TEST_DATABASE_URL=admin,
        TEST_REDIS_URL=cache,
        TEST_RUN=run,
        TEST_TEMPLATE=template,
        DATABASE_URL=app,
        DATABASE_OWNER_URL=owner,
    )


def _silent(name: str, line: str) -> None:
    """Servers say nothing between tests; a Process keeps their last lines for an error."""


def _keeps_template() -> bool:
    return "TEST_DATABASE_URL" in os.environ and os.environ.get("TEST_KEEP_TEMPLATE") == "1"


def _schema_digest() -> str:
    """Of all that can change what `migrate` makes: the migrations, what they import, the pinned packages."""
    patterns = (
        "requirements.txt",
        "*/migrations/*.py",
        "vocelio/*/migrations/*.py",
        "vocelio/db/*.py",
        "*/operations.py",
    )
    contents = [source.read_bytes() for pattern in patterns for source in sorted(PROJECT.glob(pattern))]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:8]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have the template made once, while the workers start and gather their tests."""
    if WORKER:
        return
    admin, template = os.environ["TEST_DATABASE_URL"], os.environ["TEST_TEMPLATE"]
    atexit.register(_drop, admin, os.environ["TEST_RUN"])
    lock = _connect(admin)
    # Held until the template is whole: what needs it, here or in a run beside this one, waits for the lock.
    lock.execute("SELECT pg_advisory_lock(hashtext(%s))", [template])
    making = threading.Thread(target=_make_template, args=(lock, admin, template), name="template")
    making.start()
    atexit.register(making.join)


def _make_template(lock: psycopg.Connection, admin: str, template: str) -> None:
    with lock:
        if _is_whole(lock, template):
            return
        owner, app = (with_database(os.environ[name], template) for name in ("DATABASE_OWNER_URL", "DATABASE_URL"))
        provision(admin, owner_url=owner, app_url=app)
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"],
            cwd=PROJECT,
            env={
                **os.environ,
                "DATABASE_URL": app,
                "DATABASE_OWNER_URL": owner,
                "DJANGO_SETTINGS_MODULE": "vocelio.settings",
            },
            check=True,
        )
        lock.execute(sql.SQL("COMMENT ON DATABASE {} IS 'migrated'").format(sql.Identifier(template)))


def _is_whole(connection: psycopg.Connection, template: str) -> bool:
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [template]
    ).fetchone()
    return found == ("migrated",)


def _connect(admin: str) -> psycopg.Connection:
    return psycopg.connect(with_database(admin, "postgres"), autocommit=True)


def _drop(admin: str, template: str) -> None:
    """Leave a server that is not ours as it was found."""
    with _connect(admin) as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{template}%"]).fetchall()
        for (name,) in names:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        for role in (f"{template}_app", f"{template}_owner"):
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


@pytest.fixture(scope="session", autouse=True)
def django_db_setup(django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """Clone the template for this process and open it to every test, marked or not."""
    from django.db import connections

    with _connect(os.environ["TEST_DATABASE_URL"]) as connection:
        connection.execute("SELECT pg_advisory_lock_shared(hashtext(%s))", [os.environ["TEST_TEMPLATE"]])
        if not _is_whole(connection, os.environ["TEST_TEMPLATE"]):
            pytest.exit("The template database could not be migrated; see above.", returncode=3)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                *map(sql.Identifier, (_database(), os.environ["TEST_TEMPLATE"], f"{os.environ['TEST_TEMPLATE']}_owner"))
            )
        )
    with django_db_blocker.unblock():
        yield
        connections.close_all()
