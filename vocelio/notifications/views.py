"""/notifications, /feed"""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.access.roles import SELF
from vocelio.api.pagination import EnvelopePagination
from vocelio.api.viewsets import ListMixin, TenantViewSet
from vocelio.notifications.filters import FeedFilter, NotificationFilter
from vocelio.notifications.kinds import Channel, all_kinds
from vocelio.notifications.models import FeedEntry, Notification
from vocelio.notifications.serializers import (
    AllReadSerializer,
    FeedEntrySerializer,
    NotificationSerializer,
    PreferencesSerializer,
)
from vocelio.notifications.services import notifications


class NotificationPagination(EnvelopePagination):
    """Pages with the number of unread notifications beside them."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        result = super().get_paginated_response_schema(schema)
        result["properties"]["unread"] = {"type": "integer", "minimum": 0}
        result["required"] = [*result["required"], "unread"]
        return result


class NotificationViewSet(ListMixin, TenantViewSet):
    """What the caller was told; nobody else's."""

    model = Notification
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    pagination_class = NotificationPagination
    permissions = {
        "list": SELF,
        "read": SELF,
        "read_all": SELF,
        "preferences": SELF,
        "update_preferences": SELF,
    }

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        response.data["unread"] = self.get_queryset().unread().count()  # type: ignore[attr-defined]
        return response

    @extend_schema(request=None, responses=NotificationSerializer, methods=["POST"])
    @extend_schema(request=None, responses=NotificationSerializer, methods=["PUT"])
    @action(detail=True, methods=["post", "put"])
    def read(self, request: Request, pk: uuid.UUID) -> Response:
        """Mark one as read."""
        return self.respond(self.represent(notifications.mark_read(self.get_object())))

    @extend_schema(request=None, responses=AllReadSerializer)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark everything as read."""
        count = notifications.mark_all_read(user_id=self.principal.user_id)
        return self.message("All notifications are read", count=count)

    @extend_schema(responses=PreferencesSerializer, filters=False)
    @action(detail=False, serializer_class=PreferencesSerializer, pagination_class=None, filter_backends=[])
    def preferences(self, request: Request) -> Response:
        """Show by which channels each kind of notification reaches the caller."""
        return self.respond(self._preferences())

    @extend_schema(request=PreferencesSerializer, responses=PreferencesSerializer)
    @preferences.mapping.put
    def update_preferences(self, request: Request) -> Response:
        """Change some of them."""
        wishes = {(each["kind"], each["channel"]): each["is_enabled"] for each in self.validated()["preferences"]}
        notifications.update_preferences(user_id=self.principal.user_id, wishes=wishes)
        return self.respond(self._preferences())

    def _preferences(self) -> dict[str, Any]:
        user_id = self.principal.user_id
        wishes = notifications.preferences_of([user_id])[user_id]
        return {
            "preferences": [
                {
                    "kind": kind.name,
                    "label": kind.label,
                    "channel": channel,
                    "isEnabled": wishes[kind.name, channel],
                }
                for kind in all_kinds()
                for channel in Channel.values
            ]
        }


class FeedViewSet(ListMixin, TenantViewSet):
    """What happened, newest first."""

    model = FeedEntry
    serializer_class = FeedEntrySerializer
    filterset_class = FeedFilter
    permissions = {"list": "feed:read"}

    def get_queryset(self) -> QuerySet[FeedEntry]:
        return super().get_queryset().select_related("user")
