"""manage.py restore DIR: a backup into an empty database; nothing leaves the installation until release_outgoing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vocelio.embedded.provision import ProvisionError
from vocelio.operations.manifest import BadBackup
from vocelio.operations.postgres_tools import ToolProblem
from vocelio.operations.restore import restore

LOUD = """\
Restored as of {taken_at}; every table equals the backup.

NOTHING LEAVES THIS INSTALLATION NOW: no message, no mail, no CRM sync. What was sent after the backup was taken stands
in it as not sent. Make sure that the old installation is stopped for good, then read docs/operations.md, "After a
restore", and run:

    python manage.py release_outgoing

Everybody has to sign in again. API tokens that were revoked since the backup are valid again: revoke them.
The master keys of that time must be in MASTER_KEYS; manage.py doctor says whether they open everything."""


class Command(BaseCommand):
    help = (
        "Restores a backup into the empty database of DATABASE_OWNER_URL and compares every table. With "
        "DATABASE_ADMIN_URL it makes database and roles first. Outgoing work is held until release_outgoing."
    )
    # There is no schema yet that they could look at.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--jobs", type=int, help="Connections that load at once.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore(options["folder"].resolve(), say=self.stdout.write, jobs=options["jobs"])
        except (BadBackup, ToolProblem, ProvisionError) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(self.style.WARNING(LOUD.format(taken_at=manifest.taken_at)))
