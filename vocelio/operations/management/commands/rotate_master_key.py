"""manage.py rotate_master_key: wrap every organization's key by the newest of MASTER_KEYS, while everything runs."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from vocelio.crypto.rotation import KeyCount, rewrap_batches


class Command(BaseCommand):
    help = (
        "Wraps every organization's key by the first of MASTER_KEYS. Set MASTER_KEYS=new,old everywhere and restart "
        "before; take the old one out after. May be stopped and run again at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if len(settings.MASTER_KEYS) < 2:
            raise CommandError("MASTER_KEYS names one key; put the new one before it: MASTER_KEYS=new,old")
        count = KeyCount()
        for count in rewrap_batches():
            self.stdout.write(f"{count.total} looked at, {count.older} wrapped anew")
        if count.unreadable:
            raise CommandError(f"{count.unreadable} keys open with none of MASTER_KEYS and stay as they are.")
        self.stdout.write(f"Done: the newest master key wraps all {count.total}. The old one may be taken out now.")
