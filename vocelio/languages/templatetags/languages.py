"""What templates ask of languages beyond Django's own tags."""

from typing import Any

from django import template

from vocelio.languages import numbers
from vocelio.languages.translate import translated as look_up

register = template.Library()


@register.filter
def translated(text: Any) -> str:
    """Return a text that the code made in the reader's language."""
    return look_up(text)


@register.filter
def number(value: Any, digits: int | None = None) -> str:
    """Return a number as the reader writes it; nothing for nothing."""
    return "" if value is None or value == "" else numbers.number(value, digits)


@register.filter
def money(amount: Any, currency: str) -> str:
    """Return an amount without its cents, with its currency; nothing for nothing."""
    return "" if amount is None else numbers.money(amount, currency, cents=False)


@register.filter
def percentage(value: Any) -> str:
    """Return a share that is given in percent; nothing for nothing."""
    return "" if value is None else numbers.percentage(value)


@register.simple_tag
def number_place() -> str:
    """Return the place whose way of writing numbers scripts follow."""
    return numbers.numbers_are_written_as()
