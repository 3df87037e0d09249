"""manage.py verify_backup DIR: is the backup whole and unchanged?"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vocelio.operations.manifest import BadBackup, check_contents, read_manifest


class Command(BaseCommand):
    help = "Reads every file of a backup and compares it with the manifest. Needs no server."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = read_manifest(options["folder"])
            check_contents(options["folder"], manifest)
        except BadBackup as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(
            f"Whole: {len(manifest.tables)} tables and {len(manifest.files)} files as of {manifest.taken_at}."
            " Only a restore into an empty database proves it to the last row."
        )
