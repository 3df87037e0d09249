"""Provisioning makes two plain roles and refuses what could pass by the policies."""

import os
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from vocelio.embedded.provision import ProvisionError, can_provision, derived_urls, provision, with_database

ADMIN = os.environ["TEST_DATABASE_URL"]


@pytest.fixture
def name() -> Iterator[str]:
    """A database name of this test's own, whose database and roles are gone afterwards."""
    name = f"provision_{secrets.token_hex(4)}"
    yield name
    with psycopg.connect(with_database(ADMIN, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        for role in (f"{name}_app", f"{name}_owner"):
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def test_provisioning_twice_leaves_the_database_usable(name: str) -> None:
    app, owner = derived_urls(ADMIN, name, "first owner", "first/app")
    provision(ADMIN, owner_url=owner, app_url=app)
    app, owner = derived_urls(ADMIN, name, "second owner", "second/app")
    provision(ADMIN, owner_url=owner, app_url=app)
    with psycopg.connect(owner) as connection:
        connection.execute("CREATE TABLE vectors (value vector(2))")
        connection.execute(sql.SQL("GRANT SELECT ON vectors TO {}").format(sql.Identifier(f"{name}_app")))
    with psycopg.connect(app) as connection:
        assert connection.execute("SELECT count(*) FROM vectors").fetchone() == (0,)
        connection.execute("CREATE TEMPORARY TABLE rows_of_an_import (number int)")


def test_app_role_can_neither_define_nor_pass_the_policies(name: str) -> None:
    app, owner = derived_urls(ADMIN, name, "owner", "app")
    provision(ADMIN, owner_url=owner, app_url=app)
    for url in (app, owner):
        with psycopg.connect(url) as connection:
            rights = connection.execute(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
        assert rights == (False, False, False, False)
        assert not can_provision(url)
    with psycopg.connect(app) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE mine (number int)")


@pytest.mark.parametrize("right", ["SUPERUSER", "BYPASSRLS", "CREATEROLE"])
def test_an_existing_role_with_too_many_rights_is_refused(name: str, right: str) -> None:
    app, owner = derived_urls(ADMIN, name, "owner", "app")
    with psycopg.connect(with_database(ADMIN, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(f"{name}_app"), sql.SQL(right)))
    with pytest.raises(ProvisionError, match=f"{name}_app exists and is a superuser"):
        provision(ADMIN, owner_url=owner, app_url=app)


def test_one_role_for_both_urls_is_refused(name: str) -> None:
    app, _ = derived_urls(ADMIN, name, "owner", "app")
    with pytest.raises(ProvisionError, match="two different roles"):
        provision(ADMIN, owner_url=app, app_url=app)


def test_a_role_that_may_only_create_roles_and_databases_is_told_about_pgvector(name: str) -> None:
    """Such a role is what managed servers hand out; pgvector itself needs a superuser."""
    creator = f"{name}_creator"
    with psycopg.connect(with_database(ADMIN, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD 'creator'").format(sql.Identifier(creator))
        )
        try:
            _, url = derived_urls(ADMIN, name, "creator", "unused")
            url = url.replace(f"{name}_owner", creator)
            app, owner = derived_urls(ADMIN, name, "owner", "app")
            assert can_provision(url)
            with pytest.raises(ProvisionError, match="CREATE EXTENSION vector"):
                provision(url, owner_url=owner, app_url=app)
            with psycopg.connect(with_database(ADMIN, name), autocommit=True) as database:
                database.execute("CREATE EXTENSION vector")
            provision(url, owner_url=owner, app_url=app)
            psycopg.connect(app).close()
        finally:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            for role in (f"{name}_app", f"{name}_owner"):
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(creator)))
