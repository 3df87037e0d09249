"""/contact-lists"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.contacts import check_filter, contacts_matching
from contacts.filters.lists import ContactListFilter
from contacts.models import ContactList
from contacts.serializers.contacts import BulkResultSerializer, ContactIdsSerializer
from contacts.serializers.lists import ContactListSerializer
from contacts.services import bulk, lists
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.bulk import BulkResult
from vocelio.db.counting import bounded_count
from vocelio.errors import Invalid


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
        "add_contacts": "lists:manage",
        "remove_contacts": "lists:manage",
    }

    def get_queryset(self) -> QuerySet[ContactList]:
        lists_of_caller: Any = super().get_queryset()
        return lists_of_caller.with_counts().select_related("created_by")  # type: ignore[no-any-return]

    def serialize_page(self, page: Sequence[ContactList]) -> Any:
        for contact_list in page:
            if contact_list.is_dynamic:
                # To find the members of each would cost a query a list.
                contact_list.contact_count = None  # type: ignore[attr-defined]
        return super().serialize_page(page)

    def represent(self, instance: ContactList) -> Any:
        if instance.filter is not None:
            members = contacts_matching(instance.filter, self.principal)
            instance.contact_count = bounded_count(members)[0]  # type: ignore[attr-defined]
        return super().represent(instance)

    def perform_create(self, data: dict[str, Any]) -> ContactList:
        check_filter(data.get("filter"), self.principal)
        return lists.create_list(**data)

    def perform_update(self, instance: ContactList, data: dict[str, Any]) -> ContactList:
        if "filter" in data and (data["filter"] is None) is instance.is_dynamic:
            raise Invalid.field("filter", "A list stays static or dynamic.", constraint="fixed")
        check_filter(data.get("filter"), self.principal)
        return lists.update_list(instance, **data)

    def perform_destroy(self, instance: ContactList) -> str:
        lists.delete_list(instance)
        return "Contact list deleted successfully"

    @extend_schema(request=ContactIdsSerializer, responses=BulkResultSerializer)
    @action(detail=True, methods=["post"], url_path="contacts", serializer_class=ContactIdsSerializer)
    def add_contacts(self, request: Request, pk: uuid.UUID) -> Response:
        """Put up to 10,000 contacts on the list."""
        return self._change_members(bulk.add_to_list)

    @extend_schema(request=ContactIdsSerializer, responses={200: BulkResultSerializer})
    @add_contacts.mapping.delete
    def remove_contacts(self, request: Request, pk: uuid.UUID) -> Response:
        """Take up to 10,000 contacts off the list; they stay contacts."""
        return self._change_members(bulk.remove_from_list)

    def _change_members(self, change: Callable[..., BulkResult]) -> Response:
        contact_list = self.get_object()
        contact_ids = self.validated()["contact_ids"]
        return Response(change(principal=self.principal, contact_ids=contact_ids, list_id=contact_list.pk).answer())
