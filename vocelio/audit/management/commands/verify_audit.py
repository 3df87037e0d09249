"""manage.py verify_audit [--organization slug]: has anybody changed the audit log?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vocelio.audit.seals import verify_organization
from vocelio.organizations.models import Organization


class Command(BaseCommand):
    help = "Recomputes the seals of the audit log and names the first broken one of each organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="Only this one.")

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = Organization.objects.order_by("slug")
        if slug := options["organization"]:
            organizations = organizations.filter(slug=slug)
            if not organizations:
                raise CommandError(f"There is no organization {slug!r}.")
        broken = 0
        for organization in organizations:
            verdict = verify_organization(organization.id)
            if verdict.broken is None:
                head = verdict.head.hex()
                archived = f" (of seals 1 to {verdict.archived} in archives)" if verdict.archived else ""
                self.stdout.write(
                    f"{organization.slug}: {verdict.seals} seals hold {verdict.entries} entries{archived}, head {head}"
                )
            else:
                broken += 1
                self.stderr.write(f"{organization.slug}: seal {verdict.broken} is broken: {verdict.reason}")
        if broken:
            raise CommandError(f"The audit log of {broken} organizations was tampered with.")
