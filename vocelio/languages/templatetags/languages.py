"""What templates ask of translation beyond Django's own tags."""

from typing import Any

from django import template

from vocelio.languages.translate import translated as look_up

register = template.Library()


@register.filter
def translated(text: Any) -> str:
    """Return a text that the code made in the reader's language."""
    return look_up(text)
