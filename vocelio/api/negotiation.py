"""Content negotiation of addresses that answer files."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class DownloadNegotiation(DefaultContentNegotiation):
    """Whatever the caller accepts, the file is what it is and errors are JSON; `?format=` is left to the action."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        first = next(iter(renderers))
        return first, first.media_type
