"""/leads, /assignment-rules"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from sales.filters.deals import NamedFilter
from sales.models import AssignmentRule
from sales.serializers.leads import AssignmentRuleSerializer, ConversionSerializer, ConvertSerializer
from sales.services import assignment, conversion
from sales.views.pipelines import fresh
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin


class LeadViewSet(TenantViewSet):
    """People on their way to a deal."""

    model = Contact
    serializer_class = ConvertSerializer
    permissions = {"convert": "deals:write"}

    @extend_schema(request=ConvertSerializer, responses={201: ConversionSerializer})
    def convert(self, request: Request) -> Response:
        """Make of a lead a contact, its client and a deal, new or existing: all of them, or on any error none."""
        result = conversion.convert_lead(principal=self.principal, **self.validated())
        return self.respond(ConversionSerializer(result).data, status=201)


class AssignmentRuleViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Who gets a lead that nobody was named for."""

    model = AssignmentRule
    serializer_class = AssignmentRuleSerializer
    filterset_class = NamedFilter
    sort_fields = {"position": "position", "createdAt": "created_at", "name": "name"}
    default_sort = "position"
    permissions = dict.fromkeys(["list", "retrieve", "create", "update", "partial_update", "destroy"], "sales:manage")

    def perform_create(self, data: dict[str, Any]) -> AssignmentRule:
        return fresh(assignment.create_rule(**data))

    def perform_update(self, instance: AssignmentRule, data: dict[str, Any]) -> AssignmentRule:
        return fresh(assignment.update_rule(instance, **data))

    def perform_destroy(self, instance: AssignmentRule) -> str:
        assignment.delete_rule(instance)
        return "Assignment rule deleted"
