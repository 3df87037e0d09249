"""What a contact's profiles of all kinds have in common: read together, summed up, held against each other."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.profiles import InsightFilter, ProfileChangeFilter, ProfileSummaryFilter
from contacts.models import Contact, ContactInsight, ProfileChange, ProfileSummary
from contacts.profile_kinds import profile_kinds
from contacts.serializers.profiles import (
    ContactProfilesSerializer,
    DualAnalyticsSerializer,
    InsightSerializer,
    ProfileChangeSerializer,
    ProfileSummarySerializer,
    summary_of_nobody,
)
from contacts.services.profile_analytics import dual_analytics
from contacts.views.clients import with_names
from vocelio.api.viewsets import ListMixin, TenantViewSet


class ContactProfileViewSet(TenantViewSet):
    """Base of what adds a kind of profile to a contact; subclasses have `create`."""

    model = Contact
    permissions = {"create": "profiles:write"}

    def get_object(self) -> Contact:
        contacts_of_caller: Any = self.get_queryset()
        contact: Contact | None = contacts_of_caller.alive().defer("search").filter(pk=self.kwargs["pk"]).first()
        if contact is None:
            raise Http404
        return contact


class ProfilesViewSet(ContactProfileViewSet):
    """All profiles of one contact."""

    permissions = dict.fromkeys(["retrieve", "summary"], "profiles:read")
    serializer_class = ContactProfilesSerializer

    @extend_schema(responses=ContactProfilesSerializer)
    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Show all profiles of the contact by kind, the primary one of each kind first."""
        contact = self.get_object()
        found: dict[str, Any] = {}
        for kind in profile_kinds():
            rows = kind.model.objects.filter(contact=contact).order_by("-is_primary", "-created_at", "-id")
            found[kind.slug] = list(rows.select_related(*kind.related).prefetch_related(*kind.prefetch))
        is_dual = sum(bool(rows) for rows in found.values()) > 1
        profiles = {"contact_id": contact.pk, "is_dual": is_dual, **found}
        return self.respond(self.get_serializer(profiles).data)

    @extend_schema(responses=ProfileSummarySerializer)
    def summary(self, request: Request, pk: uuid.UUID) -> Response:
        """Show the contact's profiles at a glance."""
        contact = self.get_object()
        summary = ProfileSummary.objects.filter(contact_id=contact.pk).select_related("contact").first()
        return self.respond(ProfileSummarySerializer(summary or summary_of_nobody(contact)).data)


class ProfileHistoryViewSet(ContactProfileViewSet):
    """Changes of one contact's profiles."""

    serializer_class = ProfileChangeSerializer
    filterset_class = ProfileChangeFilter
    sort_fields = {"timestamp": "created_at"}
    default_sort = "-timestamp"
    permissions = {"list": "profiles:read"}

    @extend_schema(responses=ProfileChangeSerializer(many=True))
    def list(self, request: Request, pk: uuid.UUID) -> Response:
        """List who changed which fields of the contact's profiles, without values."""
        changes = ProfileChange.objects.filter(contact_id=self.get_object().pk)
        page = self.paginate_queryset(self.filter_queryset(changes)) or []
        return self.get_paginated_response(ProfileChangeSerializer(with_names(page), many=True).data)


class ContactInsightViewSet(ContactProfileViewSet):
    """What one contact's profiles tell about each other."""

    serializer_class = InsightSerializer
    sort_fields = {"noticedAt": "noticed_at", "code": "code"}
    default_sort = "-noticedAt"
    permissions = {"list": "profiles:read"}

    @extend_schema(responses=InsightSerializer(many=True))
    def list(self, request: Request, pk: uuid.UUID) -> Response:
        """List what the contact's profiles and companies tell about each other."""
        insights: Any = ContactInsight.objects.get_queryset().visible_to(self.principal)
        insights = insights.filter(contact_id=self.get_object().pk)
        page = self.paginate_queryset(self.filter_queryset(joined(insights))) or []
        return self.get_paginated_response(InsightSerializer(page, many=True).data)


class ProfileSummaryViewSet(ListMixin, TenantViewSet):
    """Contacts with profiles."""

    model = Contact
    serializer_class = ProfileSummarySerializer
    filterset_class = ProfileSummaryFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at"}
    default_sort = "-updatedAt"
    permissions = {"list": "profiles:read", "analytics": "profiles:read"}

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model.objects.none()  # type: ignore[no-any-return]
        visible: Any = ProfileSummary.objects.get_queryset().visible_to(self.principal)
        rows: QuerySet[Any] = visible.select_related("contact").defer("contact__search")
        return rows

    @extend_schema(responses=DualAnalyticsSerializer)
    @action(detail=False, filterset_class=None, pagination_class=None)
    def analytics(self, request: Request) -> Response:
        """Show how the kinds of profiles overlap, and how many insights there are."""
        return self.respond(DualAnalyticsSerializer(dual_analytics(principal=self.principal)).data)


class InsightViewSet(ListMixin, TenantViewSet):
    """What sales and recruitment should tell each other."""

    model = Contact
    serializer_class = InsightSerializer
    filterset_class = InsightFilter
    sort_fields = {"noticedAt": "noticed_at", "code": "code"}
    default_sort = "-noticedAt"
    permissions = {"list": "profiles:read"}

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model.objects.none()  # type: ignore[no-any-return]
        return joined(ContactInsight.objects.get_queryset().visible_to(self.principal))


def joined(insights: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = insights.select_related("contact", "client").defer("contact__search", "client__search")
    return rows
