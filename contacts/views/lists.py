"""/contact-lists"""

from typing import Any

from django.db.models import QuerySet

from contacts.filters.lists import ContactListFilter
from contacts.models import ContactList
from contacts.serializers.lists import ContactListSerializer
from contacts.services import lists
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin


class ContactListViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Lists of contacts."""

    model = ContactList
    serializer_class = ContactListSerializer
    filterset_class = ContactListFilter
    sort_fields = {"createdAt": "created_at", "name": "name", "contactCount": "contact_count"}
    permissions = {
        "list": "lists:read",
        "retrieve": "lists:read",
        "create": "lists:manage",
        "update": "lists:manage",
        "partial_update": "lists:manage",
        "destroy": "lists:manage",
    }

    def get_queryset(self) -> QuerySet[ContactList]:
        return super().get_queryset().select_related("created_by")

    def perform_create(self, data: dict[str, Any]) -> ContactList:
        return lists.create_list(**data)

    def perform_update(self, instance: ContactList, data: dict[str, Any]) -> ContactList:
        return lists.update_list(instance, **data)

    def perform_destroy(self, instance: ContactList) -> str:
        lists.delete_list(instance)
        return "Contact list deleted successfully"
