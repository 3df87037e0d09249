"""Bodies in: JSON by orjson, strict and safe against nesting and size; uploads of limited size."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from vocelio.errors import TooLarge


class OrjsonParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise ParseError("The JSON body is larger than 10 MB.")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from None


class UploadParser(MultiPartParser):
    """Forms with a file; refuses one that announces more than MAX_UPLOAD_BYTES without reading it."""

    # For the boundaries and the other fields of the form.
    FORM_BYTES = 64 * 1024

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        announced = int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0)
        if announced > settings.MAX_UPLOAD_BYTES + self.FORM_BYTES:
            raise TooLarge
        return super().parse(stream, media_type, parser_context)


def form_fields(data: Any) -> Any:
    """Return a form as a plain dict, so that an absent field takes its default rather than counting as off."""
    return data.dict() if isinstance(data, QueryDict) else data
