"""`manage.py verify_dnc [SLUG...]`: recompute the certificates' chain and the results they vouch for."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dnc.models import Certificate, Scrub
from dnc.services.certificates import verify_chain
from dnc.services.retention import KEPT
from dnc.services.scrubs import results_digest
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


class Command(BaseCommand):
    help = "Verify Do-Not-Call certificates; ends with an error when one does not hold."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("organizations", nargs="*", help="Slugs; all organizations by default.")
        parser.add_argument("--results", action="store_true", help="Also recompute the results of every scrub.")

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = Organization.objects.order_by("slug")
        if options["organizations"]:
            organizations = organizations.filter(slug__in=options["organizations"])
        broken = 0
        for organization in organizations:
            with organization_scope(organization.pk):
                chain = verify_chain()
                problems = [f"certificate {chain.broken}: {chain.reason}"] if chain.broken else []
                if options["results"]:
                    problems += list(self._results())
            broken += len(problems)
            self.stdout.write(f"{organization.slug}: {chain.certificates} certificates hold, head {chain.head.hex()}")
            for problem in problems:
                self.stderr.write(f"{organization.slug}: {problem}")
        if broken:
            raise CommandError(f"{broken} certificates do not hold.")

    def _results(self) -> Any:
        kept = Certificate.objects.filter(kind=Certificate.Kind.SCRUB, created_at__gte=timezone.now() - KEPT)
        for certificate in kept.order_by("number"):
            scrub = Scrub.objects.filter(pk=certificate.subject_id).first()
            if scrub is None or results_digest(scrub) != certificate.content["resultsSha256"]:
                yield f"certificate {certificate.number}: the results of its scrub were changed"
