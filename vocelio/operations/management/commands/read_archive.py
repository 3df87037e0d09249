"""manage.py read_archive FILE: the entries of an archive of the audit log, one JSON object a line."""

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from vocelio.operations.archive import BadArchive, entries_of


class Command(BaseCommand):
    help = "Prints the entries of an archive, oldest first, as lines of JSON for grep and jq. verify_archive proves it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="A path, or a name in the file store.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for entry in entries_of(options["file"]):
                self.stdout.write(orjson.dumps(entry).decode())
        except (BadArchive, OSError, EOFError, ValueError) as problem:
            raise CommandError(str(problem)) from problem
