import json
import sys
from typing import Any

from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator

from vocelio.api.postman import collection


class Command(BaseCommand):
    """Write the Postman collection to standard output: manage.py postman > vocelio.postman_collection.json"""

    help = "Write the Postman collection of the API to standard output."

    def handle(self, *args: Any, **options: Any) -> None:
        description = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        json.dump(collection(description), sys.stdout, indent=1)
