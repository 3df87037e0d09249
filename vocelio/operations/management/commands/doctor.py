"""manage.py doctor [--json]: what is wrong with this installation, and what to do about it."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from vocelio.operations.doctor import examine, worst
from vocelio.operations.findings import Level

EXIT = {Level.OK: 0, Level.WARN: 0, Level.FAIL: 1}


class Command(BaseCommand):
    help = "Examines database, Redis, workers, keys, storage and mail. Ends with 1 when something fails, else 0."
    # It reports what the checks would refuse to start for.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON document instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        verdict = worst(findings)
        if options["json"]:
            self.stdout.write(
                json.dumps({"verdict": verdict, "findings": [asdict(each) for each in findings]}, indent=2)
            )
        else:
            styles = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
            for finding in findings:
                self.stdout.write(f"{styles[finding.level](f'{finding.level:<4}')} {finding.name}: {finding.text}")
                if finding.advice:
                    self.stdout.write(f"     -> {finding.advice}")
            counts = ", ".join(f"{sum(each.level == level for each in findings)} {level}" for level in Level)
            self.stdout.write(f"{verdict}: {counts}")
        if EXIT[verdict]:
            raise SystemExit(EXIT[verdict])
