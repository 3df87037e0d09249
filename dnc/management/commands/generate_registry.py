"""`manage.py generate_registry --numbers N OUT`: a made-up registry in the FTC's form, for tests and benchmarks."""

import argparse
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from dnc.services.registry_generation import generate


class Command(BaseCommand):
    help = "Write FTC flat zips, one an area code, with random numbers; the same seed gives the same files."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("out", type=Path)
        parser.add_argument("--numbers", type=int, required=True)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date())
        parser.add_argument("--areas", type=int, default=0, help="Only the first so many area codes.")

    def handle(self, *args: Any, **options: Any) -> None:
        files = generate(
            options["out"],
            numbers=options["numbers"],
            seed=options["seed"],
            day=options["date"],
            areas=options["areas"] or None,
        )
        self.stdout.write(f"{options['numbers']:,} numbers in {len(files)} files in {options['out']}.")
