"""/audit-log: the HTTP door of vocelio.audit, which this package itself writes to."""

import django_filters
from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.audit.models import AuditEntry


class AuditEntryFilter(django_filters.FilterSet):
    """What GET /audit-log can be narrowed by."""

    action = django_filters.CharFilter(max_length=60, label="Exactly this action, e.g. `contact.deleted`.")
    resource = django_filters.CharFilter(max_length=60, label="Kind of record, e.g. `contact`.")
    resourceId = django_filters.CharFilter(field_name="resource_id", max_length=60, label="Id of the record.")
    userId = django_filters.UUIDFilter(field_name="user_id", label="Who did it.")

    class Meta:
        model = AuditEntry
        fields: list[str] = []


# `from` is a keyword, so these two cannot be written in the class body.
AuditEntryFilter.base_filters |= {
    "from": django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", label="Not before (ISO 8601)."
    ),
    "to": django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", label="Before (ISO 8601)."),
}


class AuditEntrySerializer(ModelSerializer):
    """One write or refusal."""

    organization_id = serializers.UUIDField(read_only=True)
    details = serializers.DictField(read_only=True)
    timestamp = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = AuditEntry
        fields = [
            "id",
            "organization_id",
            "user_id",
            "action",
            "resource",
            "resource_id",
            "details",
            "ip_address",
            "user_agent",
            "timestamp",
            "door",
            "request_id",
        ]
        read_only_fields = fields


class AuditLogViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Who wrote or was refused what, from where. Entries cannot be changed."""

    model = AuditEntry
    serializer_class = AuditEntrySerializer
    filterset_class = AuditEntryFilter
    sort_fields = {"timestamp": "created_at"}
    default_sort = "-timestamp"
    permissions = {"list": "audit:read", "retrieve": "audit:read"}
