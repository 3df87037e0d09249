"""`manage.py load_registry PATH...`: load a registry's files here and now, with the job that uploads use."""

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dnc.models import Registry, RegistryFile, RegistryLoad
from dnc.services.registry_loads import paths_of, run_load, start_load
from vocelio.errors import VocelioError
from vocelio.jobs.services import JobNotClaimed
from vocelio.organizations.scope import organization_scope


class Command(BaseCommand):
    help = "Load files or folders of a Do-Not-Call registry; what is refused is listed with its reason."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path)
        parser.add_argument("--registry", default="us-federal", help="Slug of the registry.")
        parser.add_argument("--format", default="", help="Format of the files, when their names do not say it.")
        parser.add_argument("--date", type=date.fromisoformat, help="Date of the list, when its name does not say it.")
        parser.add_argument(
            "--covers",
            nargs="*",
            default=[],
            help='Area codes, or "all", of which the change lists tell every change: the others are as fresh too.',
        )
        parser.add_argument("--accept-shrink", action="store_true", help="Take lists that lost many numbers.")

    def handle(self, *args: Any, **options: Any) -> None:
        registry = Registry.objects.filter(slug=options["registry"]).first()
        if registry is None:
            raise CommandError(f"There is no registry {options['registry']!r}.")
        for path in options["paths"]:
            if not path.exists():
                raise CommandError(f"{path} does not exist.")
        try:
            load = start_load(
                registry=registry,
                files=paths_of(options["paths"]),
                accept_shrink=options["accept_shrink"],
                format=options["format"],
                version_date=options["date"],
                covers=options["covers"],
            )
        except VocelioError as error:
            raise CommandError(error.message) from None
        problem = ""
        try:
            run_load(load)
        except JobNotClaimed:
            self.stdout.write("A worker has taken the load over.")
            return
        except VocelioError as error:
            problem = error.message
        with organization_scope(load.organization_id):
            load = RegistryLoad.objects.get(pk=load.pk)
        for refused in RegistryFile.objects.filter(load_id=load.pk, status=RegistryFile.Status.REJECTED):
            self.stderr.write(f"{refused.filename}: {refused.reason_code}: {refused.reason}")
        registry.refresh_from_db()
        self.stdout.write(
            f"{load.files_loaded} files loaded, {load.files_rejected} rejected; {load.added:,} numbers added,"
            f" {load.removed:,} removed; {registry.name} holds {registry.number_count:,}."
        )
        if problem:
            raise CommandError(problem)
