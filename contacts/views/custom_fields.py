"""/contact-fields and /contact-views"""

from typing import Any

from contacts.filters.contacts import check_filter
from contacts.models import CustomField, SavedView
from contacts.serializers.custom_fields import CustomFieldSerializer, SavedViewSerializer
from contacts.services import custom_fields, saved_views
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin


class CustomFieldViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Definitions of custom fields: what the values in `customFields` may be."""

    model = CustomField
    serializer_class = CustomFieldSerializer
    sort_fields = {"position": "position", "label": "label", "key": "key", "createdAt": "created_at"}
    default_sort = "position,label"
    permissions = {
        "list": "contacts:read",
        "retrieve": "contacts:read",
        "create": "contacts:fields",
        "update": "contacts:fields",
        "partial_update": "contacts:fields",
        "destroy": "contacts:fields",
    }

    def perform_create(self, data: dict[str, Any]) -> CustomField:
        return custom_fields.create_custom_field(**data)

    def perform_update(self, instance: CustomField, data: dict[str, Any]) -> CustomField:
        return custom_fields.update_custom_field(instance, **data)

    def perform_destroy(self, instance: CustomField) -> str:
        custom_fields.archive_custom_field(instance)
        return "Custom field archived; contacts keep its values"


class SavedViewViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Lists of contacts as people like to see them: their own, and those that colleagues share."""

    model = SavedView
    serializer_class = SavedViewSerializer
    sort_fields = {"name": "name", "createdAt": "created_at"}
    default_sort = "name"
    permissions = dict.fromkeys(["list", "retrieve", "create", "update", "partial_update", "destroy"], "contacts:read")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("user")

    def perform_create(self, data: dict[str, Any]) -> SavedView:
        check_filter(data.get("filter"), self.principal)
        return saved_views.create_saved_view(principal=self.principal, **data)

    def perform_update(self, instance: SavedView, data: dict[str, Any]) -> SavedView:
        check_filter(data.get("filter"), self.principal)
        return saved_views.update_saved_view(instance, principal=self.principal, **data)

    def perform_destroy(self, instance: SavedView) -> str:
        saved_views.delete_saved_view(instance, principal=self.principal)
        return "View deleted successfully"
