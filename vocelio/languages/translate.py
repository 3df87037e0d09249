"""Look texts up in the reader's language, also those that values were put into."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import get_language, gettext
from django.utils.translation.trans_real import translation

T = TypeVar("T")
PLACEHOLDER = re.compile(r"\{(\d)\}")


@dataclass(frozen=True)
class Template:
    """A text with places for values, and its translation."""

    pattern: re.Pattern[str]
    start: str
    end: str
    text: str

    def filled(self, found: re.Match[str]) -> str:
        """Return the translation with the values that were found."""
        return PLACEHOLDER.sub(lambda place: translated(found[f"v{place[1]}"]), self.text)


def translated(text: Any) -> str:
    """Return the text in the active language; as it is where there is no translation.

    A text is also found that an f-string of the code made: its values stay, those that are texts themselves
    are translated.
    """
    english = str(text)
    language = get_language()
    if not english or language in (None, settings.LANGUAGE_CODE):
        return english
    exact = gettext(english)
    if exact != english:
        return exact
    for template in _templates(language):
        if english.startswith(template.start) and english.endswith(template.end):
            found = template.pattern.fullmatch(english)
            if found is not None:
                return template.filled(found)
    return english


# Once: Django makes a class of 80 methods each time, which for 2,500 labels was half of what a process held.
_in_the_language_of_the_moment = lazy(translated, str)


def lazily(text: Any) -> Any:
    """Return what reads as the text in the language of whoever looks at it."""
    return _in_the_language_of_the_moment(str(text))


class _Read:
    """An attribute that keeps a text as the code gave it and answers its translation."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> str:
        return translated(instance.__dict__[self.name])

    def __set__(self, instance: Any, text: str) -> None:
        instance.__dict__[self.name] = text


def reads(*names: str) -> Callable[[type[T]], type[T]]:
    """Have these texts of a class, English in the code, read in the language of whoever looks at them."""

    def decorated(owner: type[T]) -> type[T]:
        for name in names:
            setattr(owner, name, _Read(name))
        return owner

    return decorated


@cache
def _templates(language: str) -> list[Template]:
    """Return the texts with places, those that say most first."""
    catalog = translation(language)._catalog  # type: ignore[attr-defined]
    texts = {
        source: target
        for source, target in catalog.items()
        if isinstance(source, str) and PLACEHOLDER.search(source) and "\x04" not in source
    }
    ordered = sorted(texts.items(), key=lambda item: -len(PLACEHOLDER.sub("", item[0])))
    return [_template(source, target) for source, target in ordered]


def _template(source: str, target: str) -> Template:
    parts = PLACEHOLDER.split(source)
    pattern = "".join(re.escape(part) if index % 2 == 0 else f"(?P<v{part}>.*?)" for index, part in enumerate(parts))
    return Template(re.compile(pattern, re.DOTALL), parts[0], parts[-1], target)
