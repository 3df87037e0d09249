"""A run of archive_audit that kills itself at its n-th SQL statement; 0 never."""

from tests.mortal import dying_at_statement


def archive(owner_url: str, folder: str, before: str, statement: int) -> None:
    from io import StringIO

    import psycopg
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.test import override_settings

    parts = psycopg.conninfo.conninfo_to_dict(owner_url)
    connection.settings_dict.update(NAME=parts["dbname"], USER=parts["user"], PASSWORD=parts["password"])
    stored = {**settings.STORAGES["default"], "OPTIONS": {"location": folder}}
    with (
        override_settings(AS_OWNER=True, STORAGES={**settings.STORAGES, "default": stored}),
        dying_at_statement(statement),
    ):
        call_command("archive_audit", before=before, stdout=StringIO())
