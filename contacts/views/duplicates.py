"""/contacts/duplicates, /contacts/merge and /contacts/{id}/unmerge"""

import uuid
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.duplicates import ContactDuplicateFilter
from contacts.models import Contact, ContactDuplicate, ContactMerge, DuplicateScan
from contacts.serializers.contacts import ContactSerializer, contact_rows
from contacts.serializers.duplicates import (
    DuplicateScanSerializer,
    DuplicateSerializer,
    MergeRequestSerializer,
    MergeSerializer,
    UnmergeRequestSerializer,
    duplicate_rows,
)
from contacts.services import duplicates, merges
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Invalid


class ContactDuplicateViewSet(ListMixin, TenantViewSet):
    """Pairs of contacts that may be one person, the likeliest first."""

    model = ContactDuplicate
    serializer_class = DuplicateSerializer
    filterset_class = ContactDuplicateFilter
    sort_fields = {"score": "score", "foundAt": "found_at"}
    default_sort = "-score"
    permissions = {"list": "contacts:read", "dismiss": "contacts:delete", "reopen": "contacts:delete"}

    def get_queryset(self) -> Any:
        pairs = super().get_queryset()
        if self.action == "list" and "status" not in self.request.query_params:
            return pairs.filter(status=ContactDuplicate.Status.OPEN)
        return pairs

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the review queue: contacts with one e-mail address at once, alike ones since the last scan.

        Dismissed pairs are listed by `status=dismissed`.
        """
        duplicates.refresh_exact()
        return super().list(request, *args, **kwargs)

    def serialize_page(self, page: Sequence[ContactDuplicate]) -> Any:
        return duplicate_rows(page)

    @extend_schema(request=None, responses=DuplicateSerializer)
    def dismiss(self, request: Request, pk: uuid.UUID) -> Response:
        """Say that these are two people; the pair does not come back."""
        return self._answer(duplicates.dismiss_duplicate(self.get_object()))

    @extend_schema(request=None, responses=DuplicateSerializer)
    def reopen(self, request: Request, pk: uuid.UUID) -> Response:
        """Put a dismissed pair back into the queue."""
        return self._answer(duplicates.reopen_duplicate(self.get_object()))

    def _answer(self, pair: ContactDuplicate) -> Response:
        return self.respond(duplicate_rows([pair])[0])


class DuplicateScanViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Searches for duplicates over all contacts."""

    model = DuplicateScan
    serializer_class = DuplicateScanSerializer
    permissions = dict.fromkeys(["list", "retrieve", "create"], "contacts:bulk")

    @extend_schema(request=None, responses={202: DuplicateScanSerializer})
    def create(self, request: Request) -> Response:
        """Look for duplicates among all contacts, in the background; 409 while that is going on."""
        return self.respond(DuplicateScanSerializer(duplicates.start_scan()).data, status=202)


class MergeViewSet(TenantViewSet):
    """Contacts that are made one, and two again."""

    model = Contact
    serializer_class = ContactSerializer
    pagination_class = None
    filter_backends: list[Any] = []
    permissions = {"merge": "contacts:delete", "merges": "contacts:read", "unmerge": "contacts:delete"}

    @extend_schema(request=MergeRequestSerializer, responses=ContactSerializer)
    def merge(self, request: Request) -> Response:
        """Make one contact of several; everything that hangs on the others follows, and can be taken back."""
        data = self.validated(MergeRequestSerializer(data=request.data))
        survivor = self._contact(data["contact_id"], "contactId")
        others = [self._contact(each, "mergeIds") for each in data["merge_ids"]]
        if len({survivor.pk, *(each.pk for each in others)}) <= len(others):
            raise Invalid.field("mergeIds", "Name each contact once.", constraint="unique")
        merged = merges.merge_contacts(
            survivor=survivor, others=others, principal=self.principal, choices=data.get("choices")
        )
        (row,) = contact_rows([merged.pk], private=self.principal.may("contacts:private"))
        return self.respond(row)

    @extend_schema(responses=MergeSerializer(many=True), operation_id="contact_merges")
    def merges(self, request: Request, pk: uuid.UUID) -> Response:
        """List the merges that made the contact what it is, the newest first; those taken back as well."""
        contact = self.get_object()
        rows = ContactMerge.objects.filter(survivor=contact).order_by("-merged_at", "-id")
        return Response({"data": MergeSerializer(rows[:100], many=True).data})

    @extend_schema(request=UnmergeRequestSerializer, responses=MergeSerializer)
    def unmerge(self, request: Request, pk: uuid.UUID) -> Response:
        """Bring back the contact that was merged in last, with all that hung on it."""
        data = self.validated(UnmergeRequestSerializer(data=request.data))
        merge = merges.unmerge_contact(
            contact=self.get_object(), principal=self.principal, merge_id=data.get("merge_id")
        )
        return self.respond(MergeSerializer(merge).data)

    def _contact(self, contact_id: uuid.UUID, field: str) -> Contact:
        contact: Contact | None = Contact.objects.alive().visible_to(self.principal).filter(pk=contact_id).first()
        if contact is None:
            raise Invalid.field(field, "There is no such contact.", value=str(contact_id), constraint="does_not_exist")
        return contact
