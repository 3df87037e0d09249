"""manage.py backup DIR: the database and the uploaded files, with a manifest that proves them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vocelio.operations.backup import back_up
from vocelio.operations.manifest import BadBackup
from vocelio.operations.postgres_tools import ToolProblem


class Command(BaseCommand):
    help = "Backs up database and uploaded files into an empty folder. The master keys are NOT in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--no-files", action="store_true", help="Leave out uploads: the store keeps versions itself."
        )
        parser.add_argument("--jobs", type=int, help="Connections that dump at once.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = back_up(
                options["folder"].resolve(),
                say=self.stdout.write,
                with_files=not options["no_files"],
                jobs=options["jobs"],
            )
        except (BadBackup, ToolProblem) as problem:
            raise CommandError(str(problem)) from problem
        rows = sum(state.rows for state in manifest.tables.values())
        self.stdout.write(
            f"{len(manifest.tables)} tables, {rows} rows, {len(manifest.files)} files, as of {manifest.taken_at}."
        )
        self.stdout.write(self.style.WARNING(manifest.note))
