import io
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand

from vocelio.languages.gathering import CATALOGS


class Command(BaseCommand):
    help = "Gather the texts of the product, keep their translations, compile them, and list what is not translated."

    def handle(self, *args: Any, **options: Any) -> None:
        for language, _ in settings.LANGUAGES:
            if language != settings.LANGUAGE_CODE:
                for name, gathered in CATALOGS.items():
                    self._write(language, name, gathered())

    def _write(self, language: str, name: str, texts: dict[str, str]) -> None:
        folder = settings.LOCALE_PATHS[0] / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.po"
        before = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog(locale=language)
        catalog = Catalog(locale=language, project="Vocelio", charset="utf-8")
        # Dates of writing would make each run a change.
        catalog.creation_date = catalog.revision_date = before.creation_date
        missing = []
        for text, plural in sorted(texts.items()):
            identity = (text, plural) if plural else text
            known = before.get(text)
            done = known.string if known is not None else (("", "") if plural else "")
            catalog.add(identity, done)
            if not (all(done) if isinstance(done, (tuple, list)) else done):
                missing.append(text)
        with path.open("wb") as file:
            write_po(file, catalog, width=0, omit_header=False)
        with (folder / f"{name}.mo").open("wb") as file:
            write_mo(file, catalog)
        self.stdout.write(f"{language}, {name}: {len(catalog)} texts, {len(missing)} without a translation")
        for text in missing:
            self.stdout.write(f"  {text}")
