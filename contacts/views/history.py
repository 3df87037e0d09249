"""/contacts/{id}/history and /contacts/{id}/timeline"""

import uuid
from datetime import datetime

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact, ContactChange
from contacts.serializers.contacts import ContactSerializer, contact_rows
from contacts.serializers.history import (
    ContactChangeSerializer,
    RevertSerializer,
    TimelineEntrySerializer,
    change_rows,
    entry_rows,
)
from contacts.services.reverts import revert_change
from contacts.timeline import read_timeline
from vocelio.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, cursor_error, decode_cursor, encode_cursor, whole_number
from vocelio.api.viewsets import TenantViewSet

TIMELINE_ORDER = ["-at", "-id"]


class ContactHistoryViewSet(TenantViewSet):
    """What happened with a contact."""

    model = Contact
    serializer_class = ContactChangeSerializer
    sort_fields = {"changedAt": "changed_at"}
    default_sort = "-changedAt"
    permissions = {"history": "contacts:read", "timeline": "contacts:read", "revert": "contacts:write"}

    @extend_schema(responses=ContactChangeSerializer(many=True))
    def history(self, request: Request, pk: uuid.UUID) -> Response:
        """List every change of the contact with who, when, before and after."""
        contact = self.get_object()
        page = self.paginate_queryset(self.filter_queryset(ContactChange.objects.filter(contact_id=contact.pk))) or []
        return self.get_paginated_response(change_rows(page, private=self.principal.may("contacts:private")))

    @extend_schema(
        responses=TimelineEntrySerializer(many=True),
        parameters=[
            OpenApiParameter("page", exclude=True),
            OpenApiParameter("sort", exclude=True),
        ],
    )
    def timeline(self, request: Request, pk: uuid.UUID) -> Response:
        """Gather what all parts of the product know of the contact, the newest first; read on with `cursor`."""
        contact = self.get_object()
        limit = whole_number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        position = _position(request.query_params.get("cursor", ""))
        entries = read_timeline(contact.pk, position=position, limit=limit + 1)
        following = None
        if len(entries) > limit:
            entries = entries[:limit]
            following = encode_cursor({"at": entries[-1].at.isoformat(), "id": entries[-1].id}, TIMELINE_ORDER)
        return Response({"data": entry_rows(entries), "pagination": {"limit": limit, "nextCursor": following}})

    @extend_schema(request=RevertSerializer, responses=ContactSerializer)
    def revert(self, request: Request, pk: uuid.UUID, change_pk: uuid.UUID) -> Response:
        """Take back one change, or some fields of it; 409 when they were changed again since, unless forced."""
        contact = self.get_object()
        change = get_object_or_404(ContactChange.objects.filter(contact_id=contact.pk), pk=change_pk)
        data = self.validated(RevertSerializer(data=request.data))
        fresh = revert_change(
            contact=contact,
            change=change,
            principal=self.principal,
            fields=data.get("names", ()),
            force=data["force"],
        )
        (row,) = contact_rows(
            [fresh.pk], private=self.principal.may("contacts:private"), trash=fresh.deleted_at is not None
        )
        row.pop("deletedAt", None)
        return self.respond(row)


def _position(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    at, entry_id = decode_cursor(cursor, TIMELINE_ORDER)
    try:
        moment = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        raise cursor_error() from None
    if moment.tzinfo is None or not isinstance(entry_id, str):
        raise cursor_error()
    return moment, entry_id
