"""Mails in the language of who gets them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone, translation

from vocelio.access.principal import Principal
from vocelio.languages.middleware import zone_named
from vocelio.languages.numbers import writing_numbers_as
from vocelio.languages.translate import translated


@contextmanager
def reading(*, language: str, time_zone: str = "", number_format: str = "") -> Iterator[None]:
    """Write what is made inside for a reader of this language, English where none is known, zone and way of numbers."""
    known = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(known), timezone.override(zone_named(time_zone)), writing_numbers_as(number_format):
        yield


@contextmanager
def reading_as(principal: Principal | None) -> Iterator[None]:
    """Write what is made inside for this member; for nobody in particular where they left."""
    language, time_zone, number_format = (
        (principal.language, principal.time_zone, principal.number_format) if principal else ("", "", "")
    )
    with reading(language=language, time_zone=time_zone, number_format=number_format):
        yield


def write_mail(
    *, to: str, subject: str, template: str, context: dict[str, Any], user: Any = None, organization: Any = None,
    headers: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """Send a mail of `templates/email`, in the language and zone of the person, else of the organization."""
    chosen = [choice for choice in (user, organization) if choice is not None]
    language = next((choice.language for choice in chosen if choice.language), "")
    time_zone = next((choice.time_zone for choice in chosen if choice.time_zone), "")
    number_format = organization.number_format if organization is not None else ""
    with reading(language=language, time_zone=time_zone, number_format=number_format):
        text = render_to_string(f"email/{template}.txt", context)
        EmailMessage(" ".join(translated(subject).split()), text, None, [to], headers=headers or {}).send()
