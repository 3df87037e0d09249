"""Both paginations of every list: `?page=&limit=` with totals, `?cursor=` at constant cost."""

import base64
import binascii
from typing import Any

import orjson
from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.errors import Invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Reading further by page number costs more than 100 ms; cursors read to the end.
MAX_OFFSET = 1_000_000


def whole_number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """Read a whole number from the query string; raise Invalid outside its bounds."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not least <= int(text) <= most:
        raise Invalid.field(
            name, f"{name} must be a whole number from {least} to {most}.", value=text[:50], constraint="range"
        )
    return int(text)


class EnvelopePagination(BasePagination):
    """{"data": [...], "pagination": {page, limit, total, pages} or {limit, nextCursor}}."""

    pagination: dict[str, Any]

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:
        limit = whole_number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        if "cursor" in request.query_params:
            return self._by_cursor(queryset, request, limit, view)
        page = whole_number(request, "page", 1, 1, MAX_OFFSET)
        offset = (page - 1) * limit
        if offset > MAX_OFFSET:
            raise Invalid.field(
                "page", "That is too deep for page numbers; read on with ?cursor=.", value=page, constraint="range"
            )
        rows, total, is_exact = view.read_page(queryset, offset, limit)
        self.pagination = {"page": page, "limit": limit, "total": total, "pages": -(-total // limit)}
        if not is_exact:
            self.pagination["isEstimate"] = True
        return list(rows)

    def _by_cursor(self, queryset: QuerySet[Any], request: Request, limit: int, view: Any) -> list[Any]:
        ordering = [str(name) for name in queryset.query.order_by]
        position = Q()
        if cursor := request.query_params["cursor"]:
            position = after(ordering, decode_cursor(cursor, ordering))
        try:
            rows = list(view.read_on(queryset, position, limit + 1))
        except ValueError:
            raise cursor_error() from None
        next_cursor = None
        if len(rows) > limit:
            rows = rows[:limit]
            next_cursor = encode_cursor(rows[-1], ordering)
        self.pagination = {"limit": limit, "nextCursor": next_cursor}
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "pagination": self.pagination})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        number = {"type": "integer", "minimum": 0}
        by_page = {
            "type": "object",
            "required": ["page", "limit", "total", "pages"],
            "properties": {
                **dict.fromkeys(("page", "limit", "total", "pages"), number),
                "isEstimate": {"type": "boolean", "description": "Present and true when the total is an estimate."},
            },
        }
        by_cursor = {
            "type": "object",
            "required": ["limit", "nextCursor"],
            "properties": {"limit": number, "nextCursor": {"type": ["string", "null"]}},
        }
        return {
            "type": "object",
            "required": ["data", "pagination"],
            "properties": {"data": schema, "pagination": {"anyOf": [by_page, by_cursor]}},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        def parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
            return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}

        return [
            parameter("page", {"type": "integer", "minimum": 1, "maximum": MAX_OFFSET}, "Page number, from 1."),
            parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, "Rows a page."),
            parameter(
                "cursor", {"type": "string"}, "Empty to begin, then nextCursor of the page before. Replaces page."
            ),
        ]


def encode_cursor(row: Any, ordering: list[str]) -> str:
    """Return where a row stands in the ordering, as opaque text."""
    names = [name.lstrip("-") for name in ordering]
    values = [row[name] if isinstance(row, dict) else getattr(row, name) for name in names]
    return base64.urlsafe_b64encode(orjson.dumps([ordering, values], default=str)).decode().rstrip("=")


def decode_cursor(cursor: str, ordering: list[str]) -> list[Any]:
    """Return the values a cursor holds; raise Invalid when it was made for another sort order or altered."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        made_for, values = orjson.loads(base64.urlsafe_b64decode(padded.encode()))
        is_valid = made_for == ordering and isinstance(values, list) and len(values) == len(ordering)
    except (ValueError, TypeError, binascii.Error):
        is_valid = False
    if not is_valid:
        raise cursor_error()
    result: list[Any] = values
    return result


def cursor_error() -> Invalid:
    return Invalid.field("cursor", "This cursor does not belong to this list and order.", constraint="cursor")


def after(ordering: list[str], values: list[Any]) -> Q:
    """Return the condition of standing behind these values in the ordering.

    For orderings of one direction PostgreSQL's row comparison is what an index serves; so the first column
    is also bounded by itself.
    """
    condition, equal = Q(), Q()
    for name, value in zip(ordering, values, strict=True):
        column = name.lstrip("-")
        condition |= equal & Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{column: value})
    first = ordering[0]
    bound = Q(**{f"{first.lstrip('-')}__{'lte' if first.startswith('-') else 'gte'}": values[0]})
    return bound & condition
