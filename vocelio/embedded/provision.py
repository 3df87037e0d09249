"""Make the database and its two roles: the owner, who migrates, and the restricted one the product runs as.

As a command, for a server that someone else runs: `python -m vocelio.embedded.provision` with DATABASE_ADMIN_URL (a role
that may create roles and databases), DATABASE_OWNER_URL and DATABASE_URL in the environment. Running it again is safe.
"""

import os
import sys
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql


class ProvisionError(Exception):
    """The server cannot be used as asked; the text says why and what would help."""


def with_role(url: str, database: str, user: str, password: str) -> str:
    """The same server, seen by another role in another database."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}", path=f"/{quote(database)}")
    )


def with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(database)}"))


def database_name(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/"))


def derived_urls(admin_url: str, database: str, owner_password: str, app_password: str) -> tuple[str, str]:
    """(DATABASE_URL, DATABASE_OWNER_URL) of `<database>_app` and `<database>_owner` on the same server."""
    return (
        with_role(admin_url, database, f"{database}_app", app_password),
        with_role(admin_url, database, f"{database}_owner", owner_password),
    )


def can_provision(url: str) -> bool:
    """Whether the URL's role may create roles and databases."""
    with psycopg.connect(with_database(url, "postgres")) as connection:
        row = connection.execute(
            "SELECT rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    return bool(row and row[0])


def provision(admin_url: str, *, owner_url: str, app_url: str) -> None:
    """Bring the server to where `migrate` can run as the owner and the product as the app role.

    Both roles end as plain log-ins with the URLs' passwords. A role of that name that could pass by row-level security
    is refused, never changed.
    """
    database = database_name(app_url)
    owner, app = urlsplit(owner_url), urlsplit(app_url)
    if not database or database != database_name(owner_url) or owner.username == app.username:
        raise ProvisionError("DATABASE_URL and DATABASE_OWNER_URL must name one database and two different roles.")
    # The database of the given URL may not exist yet; "postgres" does on every server.
    with psycopg.connect(with_database(admin_url, "postgres"), autocommit=True) as connection:
        for role in (owner, app):
            _make_role(connection, unquote(role.username or ""), unquote(role.password or ""))
        _make_database(connection, database, unquote(owner.username or ""))
    with psycopg.connect(with_database(admin_url, database)) as connection:
        _open_database(connection, database, unquote(owner.username or ""), unquote(app.username or ""))


def _make_role(connection: psycopg.Connection, name: str, password: str) -> None:
    if not name or not password:
        raise ProvisionError("DATABASE_URL and DATABASE_OWNER_URL must carry a role and its password.")
    found = connection.execute(
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = %s", [name]
    ).fetchone()
    if found and found[0]:
        raise ProvisionError(
            f"The role {name} exists and is a superuser, has BYPASSRLS or may create roles; "
            "Vocelio needs a plain one: drop it or name another."
        )
    # Hashed on this side: no clear password reaches the server's log.
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    verb = "ALTER" if found else "CREATE"
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(sql.SQL(verb), sql.Identifier(name), sql.Literal(hashed))
    )


def _make_database(connection: psycopg.Connection, name: str, owner: str) -> None:
    names = {"name": sql.Identifier(name), "owner": sql.Identifier(owner)}
    if not _is_superuser(connection):
        # Who only holds CREATEROLE must belong to the owner to hand something over to it.
        connection.execute(sql.SQL("GRANT {owner} TO CURRENT_USER").format(**names))
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        statement = "ALTER DATABASE {name} OWNER TO {owner}"
    else:
        statement = "CREATE DATABASE {name} OWNER {owner} ENCODING 'UTF8' TEMPLATE template0"
    connection.execute(sql.SQL(statement).format(**names))


def _open_database(connection: psycopg.Connection, database: str, owner: str, app: str) -> None:
    try:
        with connection.transaction():
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.errors.InsufficientPrivilege as error:
        raise ProvisionError(
            f'pgvector is not a trusted extension: have a superuser run "CREATE EXTENSION vector" in {database}.'
        ) from error
    except (psycopg.errors.UndefinedFile, psycopg.errors.FeatureNotSupported) as error:
        raise ProvisionError("This server has no pgvector; install it, or use the pgvector/pgvector image.") from error
    for statement in (
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        # TEMPORARY: imports COPY into a temporary table, since COPY into a table under policies is refused.
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {app}",
        "ALTER SCHEMA public OWNER TO {owner}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {app}",
    ):
        connection.execute(
            sql.SQL(statement).format(
                database=sql.Identifier(database), owner=sql.Identifier(owner), app=sql.Identifier(app)
            )
        )


def _is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


if __name__ == "__main__":
    try:
        provision(
            os.environ["DATABASE_ADMIN_URL"],
            owner_url=os.environ["DATABASE_OWNER_URL"],
            app_url=os.environ["DATABASE_URL"],
        )
    except KeyError as missing:
        sys.exit(f"{missing.args[0]} must be set")
    except (ProvisionError, psycopg.OperationalError) as error:
        sys.exit(str(error))
