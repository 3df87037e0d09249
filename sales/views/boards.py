"""/deals/board"""

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sales.filters.deals import DealFilter
from sales.models import Deal, Pipeline, Stage
from sales.serializers.deals import BoardSerializer, CardSerializer, StageOfDealSerializer
from sales.services.boards import DEFAULT_ORDER, ORDERS, read_cards, read_columns, shown
from sales.services.money import own_currency
from vocelio.api.filters import PAGING, StrictFilterBackend
from vocelio.api.pagination import after, decode_cursor, encode_cursor, whole_number
from vocelio.api.viewsets import TenantViewSet
from vocelio.errors import Invalid, NotFound

CARDS, MOST_CARDS = 20, 100
LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": MOST_CARDS}, description="Cards a column."
)
SORT = OpenApiParameter("sort", {"type": "string"}, enum=list(ORDERS), description=f"Default: {DEFAULT_ORDER}.")


class BoardFilter(DealFilter):
    """What a board can be narrowed by; its pipeline is chosen beside it."""

    pipelineId = None  # type: ignore[assignment]  # how django-filter takes one away
    stageId = None  # type: ignore[assignment]

    class Meta:
        model = Deal
        fields: list[str] = []


class BoardViewSet(TenantViewSet):
    """Deals as cards in columns."""

    model = Deal
    serializer_class = BoardSerializer
    filterset_class = BoardFilter
    filter_backends = [StrictFilterBackend]
    pagination_class = None
    permissions = {"board": "deals:read", "column": "deals:read"}

    @extend_schema(
        responses=BoardSerializer,
        parameters=[
            OpenApiParameter(
                "pipelineId", {"type": "string", "format": "uuid"}, description="The default one unless given."
            ),
            LIMIT,
            SORT,
        ],
    )
    def board(self, request: Request) -> Response:
        """Show a pipeline as a board: each column's true totals and its first cards."""
        order, limit = self._order(), whole_number(request, "limit", CARDS, 1, MOST_CARDS)
        pipeline = self._pipeline()
        if pipeline is None:
            return self.respond({"pipeline": None, "version": None, "currency": own_currency(), "columns": []})
        names = {name for name, value in request.query_params.items() if value} - PAGING - {"pipelineId"}
        columns = read_columns(
            pipeline=pipeline,
            principal=self.principal,
            narrow=self._narrow if names else None,
            order=order,
            limit=limit,
        )
        return self.respond(
            {
                "pipeline": {"id": pipeline.pk, "name": pipeline.name},
                "version": pipeline.version,
                "currency": own_currency(),
                "columns": [self._column(column, order, limit) for column in columns],
            }
        )

    @extend_schema(
        responses=CardSerializer(many=True),
        parameters=[
            LIMIT,
            SORT,
            OpenApiParameter("cursor", {"type": "string"}, description="nextCursor of the column."),
        ],
    )
    def column(self, request: Request, pk: uuid.UUID) -> Response:
        """Show more cards of one column: `nextCursor` of the board, then of the page before."""
        order, limit = self._order(), whole_number(request, "limit", CARDS, 1, MOST_CARDS)
        stage = Stage.objects.alive().filter(pk=pk).first()
        if stage is None:
            raise NotFound
        visible = self._narrow(Deal.objects.alive().visible_to(self.principal))
        cards = read_cards(visible, stage, order)
        if cursor := request.query_params.get("cursor"):
            cards = cards.filter(after(ORDERS[order], decode_cursor(cursor, ORDERS[order])))
        try:
            rows = list(cards[: limit + 1])
        except ValueError:
            raise Invalid.field("cursor", "This cursor does not belong to this column.", constraint="cursor") from None
        page = {"limit": limit, "nextCursor": self._cursor(rows, order, limit)}
        return Response({"data": shown(rows[:limit]), "pagination": page})

    def _column(self, column: dict[str, Any], order: str, limit: int) -> dict[str, Any]:
        return {
            "stage": StageOfDealSerializer(column["stage"]).data,
            "count": column["count"],
            "amount": column["amount"],
            "weightedAmount": column["weighted_amount"],
            "deals": shown(column["cards"][:limit]),
            "nextCursor": self._cursor(column["cards"], order, limit),
        }

    def _cursor(self, rows: list[dict[str, Any]], order: str, limit: int) -> str | None:
        return encode_cursor(rows[limit - 1], ORDERS[order]) if len(rows) > limit else None

    def _narrow(self, deals: Any) -> Any:
        names = self.request.query_params.copy()
        names.pop("pipelineId", None)
        known = PAGING | set(BoardFilter.base_filters)
        for name in names:
            if name not in known:
                raise Invalid.field(name[:60], f"There is no filter {name[:60]!r} here.", constraint="unknown")
        if any("\0" in value for value in names.values()):
            raise Invalid.field("search", "NUL characters are not allowed.", constraint="nul")
        chosen = BoardFilter(names, queryset=deals, request=self.request)
        if not chosen.is_valid():
            errors = [
                {"field": field, "value": None, "constraint": "invalid", "message": str(message)}
                for field, messages in chosen.errors.items()
                for message in messages
            ]
            raise Invalid(str(errors[0]["message"]), errors=errors)
        return chosen.qs

    def _order(self) -> str:
        order = self.request.query_params.get("sort") or DEFAULT_ORDER
        if order not in ORDERS:
            raise Invalid.field("sort", f"Sort by one of: {', '.join(ORDERS)}.", value=order[:60], constraint="choice")
        return order

    def _pipeline(self) -> Pipeline | None:
        chosen = self.request.query_params.get("pipelineId")
        pipelines = Pipeline.objects.alive()
        if not chosen:
            return pipelines.order_by("-is_default", "created_at").first()  # type: ignore[no-any-return]
        try:
            pipeline: Pipeline | None = pipelines.filter(pk=uuid.UUID(chosen)).first()
        except ValueError:
            raise Invalid.field("pipelineId", "pipelineId is an id.", value=chosen[:60], constraint="uuid") from None
        if pipeline is None:
            raise NotFound
        return pipeline
