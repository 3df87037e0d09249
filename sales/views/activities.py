"""/sales-activities, /calendar-feed"""

import uuid
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sales.filters.deals import ActivityFilter, today_in
from sales.models import Activity, CalendarFeed, Deal
from sales.serializers.activities import (
    ActivitySerializer,
    CalendarSerializer,
    CompletedSerializer,
    CompletionSerializer,
    DaySerializer,
)
from sales.services import activities, calendar
from vocelio.access.permissions import PUBLIC
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.serializers import MessageSerializer
from vocelio.api.viewsets import (
    ApiViewSet,
    CreateMixin,
    DestroyMixin,
    ListMixin,
    RetrieveMixin,
    TenantViewSet,
    UpdateMixin,
)
from vocelio.errors import Invalid

CALENDAR = "text/calendar"
SHOWN_A_DAY = 100


class ActivityViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Calls, meetings, tasks and notes."""

    model = Activity
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at", "subject": "subject", "dueAt": "due_order"}
    permissions = {
        "list": "activities:read",
        "retrieve": "activities:read",
        "my_day": "activities:read",
        "create": "activities:write",
        "update": "activities:write",
        "partial_update": "activities:write",
        "complete": "activities:write",
        "destroy": "activities:delete",
    }

    def get_queryset(self) -> QuerySet[Activity]:
        rows: Any = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else with_names(rows.alive())  # type: ignore[no-any-return]

    def represent(self, instance: Activity) -> Any:
        return ActivitySerializer(with_names(Activity.objects.filter(pk=instance.pk)).get()).data

    def perform_create(self, data: dict[str, Any]) -> Activity:
        return activities.create_activity(principal=self.principal, **data)

    def perform_update(self, instance: Activity, data: dict[str, Any]) -> Activity:
        return activities.update_activity(activity=instance, principal=self.principal, **data)

    def perform_destroy(self, instance: Activity) -> str:
        activities.delete_activity(activity=instance)
        return "Activity deleted"

    @extend_schema(request=CompletionSerializer, responses=CompletedSerializer)
    @action(detail=True, methods=["put", "post"], serializer_class=CompletionSerializer)
    def complete(self, request: Request, pk: uuid.UUID) -> Response:
        """Note that it was done, and how. Of two people at once the second gets 409 `ALREADY_COMPLETED`.

        `do_not_call` opts the contact's number out of calls everywhere; `callback` plans the call back.
        """
        activity = self.get_object()
        done, following = activities.complete_activity(activity=activity, principal=self.principal, **self.validated())
        shown = dict(self.represent(done))
        shown["following"] = self.represent(following) if following else None
        return self.respond(shown)

    @extend_schema(
        responses=DaySerializer,
        filters=False,
        parameters=[
            OpenApiParameter("timeZone", {"type": "string"}, description="For example Europe/Berlin; UTC unless given.")
        ],
    )
    @action(detail=False, url_path="my-day", pagination_class=None, filter_backends=[], serializer_class=DaySerializer)
    def my_day(self, request: Request) -> Response:
        """Show what the caller has to do today, what is overdue, what was done, and which deals rot."""
        for parameter in request.query_params:
            if parameter != "timeZone":
                raise Invalid.field(parameter[:60], "There is no such parameter here.", constraint="unknown")
        name = request.query_params.get("timeZone") or "UTC"
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Invalid.field(
                "timeZone", "There is no such time zone.", value=name[:60], constraint="choice"
            ) from None
        start, end = today_in(zone)
        mine = with_names(Activity.objects.alive().filter(assigned_to_id=self.principal.user_id))
        overdue = mine.open().filter(due_at__lt=start).order_by("due_at", "id")
        today = mine.open().due_between(start, end).order_by("due_at", "id")
        done = mine.filter(completed_at__gte=start, completed_at__lt=end).order_by("completed_at", "id")
        rotting = Deal.objects.alive().filter(assigned_to_id=self.principal.user_id).rotting()
        day = {
            "date": start.date(),
            "time_zone": name,
            "counts": {
                "overdue": overdue.count(),
                "today": today.count(),
                "done_today": done.count(),
                "rotting_deals": rotting.count(),
            },
            "overdue": overdue[:SHOWN_A_DAY],
            "today": today[:SHOWN_A_DAY],
            "done_today": done[:SHOWN_A_DAY],
            "rotting_deals": rotting.select_related("stage").order_by("stage_entered_at", "id")[:SHOWN_A_DAY],
        }
        return self.respond(DaySerializer(day).data)


class CalendarFeedViewSet(TenantViewSet):
    """The caller's activities as a calendar that other programs subscribe to."""

    model = CalendarFeed
    serializer_class = CalendarSerializer
    permissions = {"create": "activities:read", "destroy": "activities:read"}

    @extend_schema(request=None, responses={201: CalendarSerializer})
    def create(self, request: Request) -> Response:
        """Make the secret address, shown this once; one made before answers no more."""
        feed, token = calendar.make_feed(user_id=self.principal.user_id)
        address = f"{settings.PUBLIC_URL}/v1/calendar/{token}.ics"
        return self.respond(CalendarSerializer({"url": address, "created_at": feed.created_at}).data, status=201)

    @extend_schema(responses={200: MessageSerializer})
    def destroy(self, request: Request) -> Response:
        """Revoke the address: it answers 404 from now on."""
        calendar.revoke_feed(user_id=self.principal.user_id)
        return self.message("The calendar is no longer shared")


class CalendarViewSet(ApiViewSet):
    """The calendar behind a secret address."""

    authentication_classes = ()
    content_negotiation_class = DownloadNegotiation
    permissions = {"read": PUBLIC}

    @extend_schema(responses={(200, CALENDAR): OpenApiTypes.STR}, parameters=[OpenApiParameter("token", str, "path")])
    def read(self, request: Request, token: str) -> HttpResponse:
        """Answer the activities of the last 90 days and all to come (RFC 5545)."""
        return HttpResponse(
            calendar.read_feed(token),
            content_type=f"{CALENDAR}; charset=utf-8",
            headers={"Cache-Control": "private, max-age=300"},
        )


def with_names(rows: Any) -> Any:
    return rows.select_related(
        "deal", "client", "contact", "project", "assigned_to", "created_by", "completed_by"
    ).with_due_order()
