"""Boards over HTTP: columns of cards, each paged by a cursor of its own."""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from vocelio.api.filters import PAGING, StrictFilterBackend
from vocelio.api.pagination import after, decode_cursor, encode_cursor, whole_number
from vocelio.api.viewsets import TenantViewSet
from vocelio.errors import Invalid

CARDS, MOST_CARDS = 20, 100
LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": MOST_CARDS}, description="Cards a column."
)
CURSOR = OpenApiParameter("cursor", {"type": "string"}, description="nextCursor of the column.")


class BoardViews(TenantViewSet):
    """Base of a board: `filterset_class` narrows the cards, `orders` are what a column may be ordered by."""

    filter_backends = [StrictFilterBackend]
    pagination_class = None
    filterset_class: ClassVar[Any]
    orders: ClassVar[dict[str, list[str]]]
    default_order: ClassVar[str]
    # Parameters that choose the board, beside its filters.
    chosen_by: ClassVar[frozenset[str]] = frozenset()

    def limit(self) -> int:
        return whole_number(self.request, "limit", CARDS, 1, MOST_CARDS)

    def order(self) -> str:
        """Return what columns are ordered by; raise Invalid for an order there is not."""
        order = self.request.query_params.get("sort") or self.default_order
        if order not in self.orders:
            raise Invalid.field(
                "sort", f"Sort by one of: {', '.join(self.orders)}.", value=order[:60], constraint="choice"
            )
        return order

    def is_narrowed(self) -> bool:
        return bool({name for name, value in self.request.query_params.items() if value} - PAGING - self.chosen_by)

    def narrow(self, rows: Any) -> Any:
        """Filter the rows by the request's parameters; raise Invalid for those there are not."""
        names = self.request.query_params.copy()
        for name in self.chosen_by:
            names.pop(name, None)
        known = PAGING | set(self.filterset_class.base_filters)
        for name in names:
            if name not in known:
                raise Invalid.field(name[:60], f"There is no filter {name[:60]!r} here.", constraint="unknown")
        if any("\0" in value for value in names.values()):
            raise Invalid.field("search", "NUL characters are not allowed.", constraint="nul")
        chosen = self.filterset_class(names, queryset=rows, request=self.request)
        if not chosen.is_valid():
            errors = [
                {"field": field, "value": None, "constraint": "invalid", "message": str(message)}
                for field, messages in chosen.errors.items()
                for message in messages
            ]
            raise Invalid(str(errors[0]["message"]), errors=errors)
        return chosen.qs

    def cursor(self, rows: Sequence[dict[str, Any]], order: str, limit: int) -> str | None:
        """Return where the next page begins; None when `rows`, one more than a page, are the last."""
        return encode_cursor(rows[limit - 1], self.orders[order]) if len(rows) > limit else None

    def page(self, cards: Any, show: Any) -> Response:
        """Answer a page of one column's cards, in the order of the request."""
        order, limit = self.order(), self.limit()
        if cursor := self.request.query_params.get("cursor"):
            cards = cards.filter(after(self.orders[order], decode_cursor(cursor, self.orders[order])))
        try:
            rows = list(cards[: limit + 1])
        except ValueError:
            raise Invalid.field("cursor", "This cursor does not belong to this column.", constraint="cursor") from None
        page = {"limit": limit, "nextCursor": self.cursor(rows, order, limit)}
        return Response({"data": show(rows[:limit]), "pagination": page})
