"""manage.py verify_archive FILE: is an archive of the audit log what was sealed?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vocelio.operations.archive import BadArchive, check_against_log, read_file


class Command(BaseCommand):
    help = "Recomputes the seals in an archive and compares them with those of the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="A path, or a name in the file store.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = read_file(options["file"])
            known = check_against_log(found)
        except BadArchive as problem:
            raise CommandError(str(problem)) from problem
        noted = "as noted when it was written" if known else "not noted in this database"
        self.stdout.write(
            f"Whole: {found.entries} entries, seals {min(found.seals)} to {max(found.seals)} of organization"
            f" {found.organization_id}, SHA-256 {found.sha256.hex()}, {noted}."
        )
