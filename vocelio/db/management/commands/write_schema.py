from typing import Any

from django.core.management.base import BaseCommand

from vocelio.db.schema_reference import PAGE, schema_reference


class Command(BaseCommand):
    help = "Write docs/schema.md from the models."

    def handle(self, *args: Any, **options: Any) -> None:
        PAGE.write_text(schema_reference())
        self.stdout.write(f"{PAGE} written")
