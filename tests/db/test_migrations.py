"""Rules for migrations that let the code before serve while they run (docs/operations.md, Upgrades)."""

import inspect
import re
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db.migrations import DeleteModel, RemoveField, RenameField, RenameModel, RunSQL
from django.db.migrations.loader import MigrationLoader

MARK = "# Destructive: "
TAKES_AWAY = (DeleteModel, RemoveField, RenameField, RenameModel)
DROPS = re.compile(r"\bDROP (?:TABLE|COLUMN)\b|\bRENAME (?:TO|COLUMN)\b", re.IGNORECASE)
# Replaced within the same migration, under the same name.
MADE = re.compile(r"\b(?:CREATE|REPLACE) (?:VIEW|FUNCTION) (\w+)", re.IGNORECASE)
TAKEN = re.compile(r"\bDROP (?:VIEW|FUNCTION) (?:IF EXISTS )?(\w+)", re.IGNORECASE)
# Written before the first release: no code of before was ever at work.
BEFORE = {"contacts.0003_tallies", "contacts.0016_client_names", "contacts.0021_kept_profiles"}

MIGRATIONS = {
    ".".join(key): migration
    for key, migration in MigrationLoader(None).disk_migrations.items()
    if migration.__module__.split(".")[0] in settings.CELERY_TASK_QUEUES_BY_APP
}


def taken_away(migration: Any) -> list[str]:
    """Return what a migration takes from the code before it."""
    found = [type(operation).__name__ for operation in migration.operations if isinstance(operation, TAKES_AWAY)]
    for operation in migration.operations:
        if isinstance(operation, RunSQL):
            statements = str(operation.sql)
            found += DROPS.findall(statements) + sorted(set(TAKEN.findall(statements)) - set(MADE.findall(statements)))
    return found


@pytest.mark.parametrize("name", sorted(set(MIGRATIONS) - BEFORE))
def test_a_migration_that_takes_something_away_says_why_the_code_before_does_without(name: str):
    migration = MIGRATIONS[name]
    assert not taken_away(migration) or MARK in inspect.getsource(sys.modules[type(migration).__module__])


def test_what_takes_away_is_recognized():
    assert {name for name in BEFORE if taken_away(MIGRATIONS[name])} == BEFORE
