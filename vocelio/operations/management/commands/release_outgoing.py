"""manage.py release_outgoing [--resend]: after a restore, let work leave the installation again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vocelio.errors import Conflict
from vocelio.operations.release import release_outgoing


class Command(BaseCommand):
    help = (
        "Ends the hold of a restore. What was due between the backup and the restore may have been sent already: it is "
        "taken out (messages become 'unknown', for a person to decide), unless --resend says to send it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--resend", action="store_true", help="Send all that was due, though it may arrive twice.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            withdrawn = release_outgoing(resend=options["resend"])
        except Conflict as problem:
            raise CommandError(problem.message) from problem
        for what, count in withdrawn.items():
            self.stdout.write(f"taken out, since it may have left already: {count} {what}")
        self.stdout.write("Released: what is due from now on leaves again.")
