"""A database of its own for what backs up, restores or changes a whole installation."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from vocelio.embedded.provision import derived_urls, with_database

ADMIN = "TEST_DATABASE_URL"


@pytest.fixture
def use_database(settings: Any) -> Iterator[Callable[[str, str], None]]:
    """Point this test, as web and owner, at another database; everything of before is back after it."""
    own = dict(connection.settings_dict)

    def use(app_url: str, owner_url: str) -> None:
        parts = psycopg.conninfo.conninfo_to_dict(app_url)
        settings.DATABASE_URL, settings.DATABASE_OWNER_URL = app_url, owner_url
        connection.close()
        connection.settings_dict.update(NAME=parts["dbname"], USER=parts["user"], PASSWORD=parts["password"])

    yield use
    connection.close()
    connection.settings_dict.update(own)


@pytest.fixture
def fresh(use_database: Callable[[str, str], None]) -> Iterator[tuple[str, str]]:
    """An installation without any rows, in use; return the URLs of its two roles."""
    name = f"{os.environ['TEST_RUN']}_{secrets.token_hex(3)}"
    with psycopg.connect(with_database(os.environ[ADMIN], "postgres"), autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                *map(sql.Identifier, (name, os.environ["TEST_TEMPLATE"], f"{os.environ['TEST_TEMPLATE']}_owner"))
            )
        )
        urls = with_database(os.environ["DATABASE_URL"], name), with_database(os.environ["DATABASE_OWNER_URL"], name)
        use_database(*urls)
        yield urls
        connection.close()
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """URLs of a database and two roles that do not exist yet, to restore into; `manage.py` may make them."""
    name = f"vocelio_test_{secrets.token_hex(4)}"
    admin = os.environ[ADMIN]
    monkeypatch.setenv("DATABASE_ADMIN_URL", admin)
    # What the commands start are the product's own programs.
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "vocelio.settings")
    yield derived_urls(with_database(admin, name), name, secrets.token_hex(16), secrets.token_hex(16))
    connection.close()
    with psycopg.connect(with_database(admin, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        for role in ("app", "owner"):
            server.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{name}_{role}")))


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Callable[[str], None]:
    """Keep uploaded files in a folder of this test, by name."""

    def keep_in(name: str) -> None:
        place = {"location": tmp_path / name}
        settings.STORAGES = {**settings.STORAGES, "default": {**settings.STORAGES["default"], "OPTIONS": place}}

    return keep_in
