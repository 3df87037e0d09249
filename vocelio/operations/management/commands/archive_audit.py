"""manage.py archive_audit --before YYYY-MM: old months of the audit log into files, out of the database."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from vocelio.operations.archive import BadArchive, archive_audit


class Command(BaseCommand):
    help = (
        "Writes every month of the audit log before the given one to files in the file store, one for each "
        "organization, reads them back, proves them against the seals, and only then drops the month. May be stopped "
        "and run again at any time. Run with VOCELIO_DB_ROLE=owner."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--before", metavar="YYYY-MM", required=True, help="The first month that stays.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AS_OWNER:
            raise CommandError("Run it with VOCELIO_DB_ROLE=owner: the application's role cannot drop tables.")
        try:
            before = datetime.strptime(options["before"], "%Y-%m").replace(tzinfo=UTC)
        except ValueError:
            raise CommandError("--before is a month such as 2026-11.") from None
        if before > timezone.now():
            raise CommandError("This month is not over; it stays.")
        try:
            dropped = archive_audit(before, say=self.stdout.write)
        except BadArchive as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{dropped} parts of the audit log were archived and dropped.")
