"""/sales-profiles"""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.views.profiles import ContactProfileViewSet
from sales.filters.profiles import SalesProfileFilter
from sales.models import SalesProfile
from sales.serializers.profiles import NewSalesProfileSerializer, SalesProfileSerializer
from sales.services import profiles
from vocelio.api.viewsets import DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin


class SalesProfileViewSet(ListMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Contacts as people who may buy."""

    model = SalesProfile
    serializer_class = SalesProfileSerializer
    filterset_class = SalesProfileFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at", "leadStatus": "lead_status"}
    permissions = {
        "list": "profiles:read",
        "retrieve": "profiles:read",
        "update": "profiles:write",
        "partial_update": "profiles:write",
        "make_primary": "profiles:write",
        "destroy": "profiles:delete",
    }

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        visible = SalesProfile.visible(self.principal)
        return visible.select_related("client", "created_by").defer("client__search")

    def perform_update(self, instance: SalesProfile, data: dict[str, Any]) -> SalesProfile:
        profiles.update_sales_profile(profile=instance, principal=self.principal, **data)
        changed: SalesProfile = self.get_queryset().get(pk=instance.pk)
        return changed

    def perform_destroy(self, instance: SalesProfile) -> str:
        profiles.delete_sales_profile(profile=instance)
        return "Sales profile deleted successfully"

    @extend_schema(request=None, responses=SalesProfileSerializer)
    @action(detail=True, methods=["post"], url_path="make-primary")
    def make_primary(self, request: Request, pk: uuid.UUID) -> Response:
        """Make this the contact's primary sales profile.

        409 PRIMARY_CHANGED when somebody else makes another one primary at the same moment.
        """
        return self.respond(self.represent(profiles.make_sales_profile_primary(profile=self.get_object())))


class NewSalesProfileViewSet(ContactProfileViewSet):
    """The sales profiles of one contact."""

    serializer_class = NewSalesProfileSerializer

    @extend_schema(responses={201: SalesProfileSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Give the contact a sales profile. The first is primary."""
        contact = self.get_object()
        profile = profiles.create_sales_profile(contact=contact, principal=self.principal, **self.validated())
        return self.respond(SalesProfileSerializer(profile).data, status=201)
