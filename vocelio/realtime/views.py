"""/events: what a client missed while its socket was away."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.api.pagination import MAX_LIMIT, whole_number
from vocelio.api.viewsets import TenantViewSet
from vocelio.errors import Invalid
from vocelio.realtime.history import events_after
from vocelio.realtime.models import Event
from vocelio.realtime.serializers import EventPageSerializer, EventSerializer
from vocelio.realtime.viewers import viewer_of

DEFAULT_LIMIT = 100
MAX_SEQUENCE = 10**18 - 1


class EventViewSet(TenantViewSet):
    """Events in their order, of the channels that the caller may follow; kept for seven days."""

    model = Event
    serializer_class = EventSerializer
    filter_backends = []
    pagination_class = None
    permissions = {"list": "events:read"}

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "after",
                {"type": "integer", "minimum": 0, "maximum": MAX_SEQUENCE},
                description="The `sequence` of the last event seen. Absent: from the oldest event kept.",
            ),
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
        ],
        responses={
            200: EventPageSerializer,
            410: OpenApiResponse(
                {"$ref": "#/components/schemas/Error"}, description="Events after this number are no longer kept"
            ),
        },
    )
    def list(self, request: Request) -> Response:
        """Catch up after a lost connection: ask with the last `sequence` seen, and on while `hasMore`.

        A page may hold fewer events than `limit` though more follow, since others' events are passed over.
        """
        for name in request.query_params:
            if name not in ("after", "limit"):
                raise Invalid.field(name[:60], "There is no such parameter here.", constraint="unknown")
        limit = whole_number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        after: int | None = None
        if "after" in request.query_params:
            after = whole_number(request, "after", 0, 0, MAX_SEQUENCE)
        events, position, has_more = events_after(viewer_of(self.principal), after, limit)
        pagination: dict[str, Any] = {"limit": limit, "after": position, "hasMore": has_more}
        return Response({"data": self.get_serializer(events, many=True).data, "pagination": pagination})
