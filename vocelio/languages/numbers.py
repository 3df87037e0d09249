"""Numbers and amounts as the reader writes them: by the organization's choice, else as the language has it.

The API has plain decimals and a currency's code; this is for pages, mails and documents.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import format_currency, format_decimal, format_percent
from django.conf import settings
from django.utils.translation import get_language

_chosen: ContextVar[str] = ContextVar("number_format", default="")


def write_numbers_as(chosen: str) -> None:
    """Go on with a NumberFormat, or with none."""
    _chosen.set(chosen)


@contextmanager
def writing_numbers_as(chosen: str) -> Iterator[None]:
    """Write what is made inside with a NumberFormat, or with none."""
    before = _chosen.set(chosen)
    try:
        yield
    finally:
        _chosen.reset(before)


def numbers_are_written_as() -> str:
    """Return the place whose way of writing numbers is read, as browsers name it."""
    return _chosen.get() or get_language() or settings.LANGUAGE_CODE


def number(value: float | Decimal, digits: int | None = None) -> str:
    """Return a number with its separators; `digits` behind the decimal sign, or as many as it has, up to three."""
    form = None if digits is None else f"#,##0.{'0' * digits}".rstrip(".")
    return format_decimal(value, form, _locale(numbers_are_written_as()))


def money(amount: float | Decimal, currency: str, *, cents: bool = True) -> str:
    """Return an amount with its currency; without one a plain number."""
    locale = _locale(numbers_are_written_as())
    pattern = locale.currency_formats["standard"].pattern
    if not currency:
        return number(amount, 2 if cents else 0)
    if cents:
        return format_currency(amount, currency, locale=locale)
    return format_currency(amount, currency, pattern.replace(".00", ""), locale, currency_digits=False)


def percentage(value: float | Decimal, digits: int = 1) -> str:
    """Return a share that is given in percent."""
    locale = _locale(numbers_are_written_as())
    pattern = locale.percent_formats[None].pattern.replace("#,##0", f"#,##0.{'#' * digits}".rstrip("."))
    return format_percent(Decimal(str(value)) / 100, pattern, locale)


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name, sep="-")
