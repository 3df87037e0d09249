"""`manage.py load_demo`: two organizations, their people, and what each app's `demo.py` adds."""

from typing import Any

from django.core.management.base import BaseCommand

from vocelio.backoffice.demo_people import load_people
from vocelio.backoffice.discovery import modules_named


class Command(BaseCommand):
    help = "Fill an installation with the demo's organizations, people and data; a second run changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        for organization in load_people():
            for module in modules_named("demo"):
                module.load(organization)
            self.stdout.write(f"{organization.name} is there.")
