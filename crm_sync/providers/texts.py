"""Times, positions and answers as text, read and written."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from crm_sync.providers.failures import PositionLost
from vocelio.plugins import PluginError

Item = TypeVar("Item")

# Offsets without a colon, as Salesforce writes them: read by Python since 3.11, kept out of the hands of doubt.
_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


def read_time(value: Any) -> datetime | None:
    """Return an ISO 8601 time in UTC; None for what is none. A time without an offset is UTC."""
    if not isinstance(value, str) or not value:
        return None
    try:
        moment = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", value.replace(" ", "T", 1)))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def write_time(moment: datetime) -> str:
    """Return a time as `2026-11-21T09:30:00Z`, seconds rounded down: never later than the moment."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def server_time(response: httpx.Response) -> datetime:
    """Return the vendor's clock as its answer shows it."""
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def write_position(**place: Any) -> str:
    """Return a position that read_position understands."""
    return json.dumps(place, separators=(",", ":"), sort_keys=True)


def read_position(position: str) -> dict[str, Any]:
    """Return what write_position was given, {} at the beginning; PositionLost for what it did not write."""
    if not position:
        return {}
    try:
        place = json.loads(position)
    except ValueError:
        place = None
    if not isinstance(place, dict):
        raise PositionLost
    return place


def read_body(response: httpx.Response) -> Any:
    """Return the answer's JSON; a temporary PluginError when it is none, as from a proxy in between."""
    if response.status_code in (204, 304) or not response.content:
        return {}
    try:
        return response.json()
    except ValueError:
        raise PluginError("The CRM's answer cannot be read.", permanent=False, code="NO_JSON") from None


def read_objects(body: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects that a webhook's body is, or is a list of; [] when it is something else."""
    try:
        told = json.loads(body)
    except ValueError:
        return []
    return [one for one in (told if isinstance(told, list) else [told]) if isinstance(one, dict)]


def read_error(response: httpx.Response) -> dict[str, Any]:
    """Return the first error of an answer, whatever it looks like; {} when there is none to read."""
    try:
        body = response.json()
    except ValueError:
        return {}
    if isinstance(body, list):
        body = body[0] if body else {}
    return body if isinstance(body, dict) else {}


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield `items` in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def check_names(names: Sequence[str]) -> None:
    """Refuse field names that a vendor's query language could take for more than a name."""
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", name):
            raise PluginError(f"{name[:80]!r} is no field name.", permanent=True, code="UNKNOWN_FIELD")


def clip(message: Any) -> str:
    """Return a vendor's own words about a row, at a length that fits a log."""
    return str(message or "")[:500]
