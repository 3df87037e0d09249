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
from vocelio.api.boards import CURSOR, LIMIT, BoardViews
from vocelio.errors import Invalid, NotFound

SORT = OpenApiParameter("sort", {"type": "string"}, enum=list(ORDERS), description=f"Default: {DEFAULT_ORDER}.")


class BoardFilter(DealFilter):
    """What a board can be narrowed by; its pipeline is chosen beside it."""

    pipelineId = None  # type: ignore[assignment]  # how django-filter takes one away
    stageId = None  # type: ignore[assignment]

    class Meta:
        model = Deal
        fields: list[str] = []


class BoardViewSet(BoardViews):
    """Deals as cards in columns."""

    model = Deal
    serializer_class = BoardSerializer
    filterset_class = BoardFilter
    orders = ORDERS
    default_order = DEFAULT_ORDER
    chosen_by = frozenset({"pipelineId"})
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
        order, limit = self.order(), self.limit()
        pipeline = self._pipeline()
        if pipeline is None:
            return self.respond({"pipeline": None, "version": None, "currency": own_currency(), "columns": []})
        columns = read_columns(
            pipeline=pipeline,
            principal=self.principal,
            narrow=self.narrow if self.is_narrowed() else None,
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

    @extend_schema(responses=CardSerializer(many=True), parameters=[LIMIT, SORT, CURSOR])
    def column(self, request: Request, pk: uuid.UUID) -> Response:
        """Show more cards of one column: `nextCursor` of the board, then of the page before."""
        stage = Stage.objects.alive().filter(pk=pk).first()
        if stage is None:
            raise NotFound
        visible = self.narrow(Deal.objects.alive().visible_to(self.principal))
        return self.page(read_cards(visible, stage, self.order()), shown)

    def _column(self, column: dict[str, Any], order: str, limit: int) -> dict[str, Any]:
        return {
            "stage": StageOfDealSerializer(column["stage"]).data,
            "count": column["count"],
            "amount": column["amount"],
            "weightedAmount": column["weighted_amount"],
            "deals": shown(column["cards"][:limit]),
            "nextCursor": self.cursor(column["cards"], order, limit),
        }

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
