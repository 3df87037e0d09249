"""Each request begins in the browser's language; who is signed in has their own read from then on."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import timezone, translation

from vocelio.access.principal import Principal
from vocelio.languages.numbers import write_numbers_as


class LanguageMiddleware(LocaleMiddleware):
    """Accept-Language decides until somebody is known; no request keeps another one's time zone and numbers."""

    def process_request(self, request: HttpRequest) -> None:
        timezone.deactivate()
        write_numbers_as("")
        super().process_request(request)


def speak_to(principal: Principal, *, with_time_zone: bool) -> None:
    """Go on in the language this person, else their organization, has chosen, and with its way of writing numbers;
    in pages in their time zone too.

    Without either choice the browser's language stays.
    """
    if principal.language in dict(settings.LANGUAGES):
        translation.activate(principal.language)
    write_numbers_as(principal.number_format)
    if with_time_zone:
        timezone.activate(zone_named(principal.time_zone))


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone, UTC for one that is not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
