"""If-Match: what version of a record the caller has looked at; views name their `versioned_actions`."""

import re
from typing import Any

from rest_framework.request import Request

from vocelio.errors import Invalid


def take_version(request: Request, data: dict[str, Any]) -> int | None:
    """Take the expected version out of the body, or from If-Match; None when the caller names none."""
    in_body: int | None = data.pop("version", None)
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return in_body
    found = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', header.strip())
    if found is None:
        raise Invalid.field("If-Match", "If-Match is a version, as ETag gave it.", constraint="version")
    return int(found[1])
