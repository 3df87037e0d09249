"""/contacts"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.contacts import ContactFilter, contacts_matching
from contacts.filters.selection import SORT_FIELDS, Selection
from contacts.models import Contact, ContactList, ContactStatus, ContactTally, LiveContact
from contacts.models.live import LiveContactQuerySet
from contacts.profile_kinds import profile_kinds
from contacts.serializers.bulk import EXPORT, BulkJobSerializer, BulkRequestSerializer
from contacts.serializers.contacts import (
    BulkResultSerializer,
    ContactSerializer,
    ManualContactSerializer,
    TrashedContactSerializer,
    contact_rows,
)
from contacts.serializers.exports import ExportSerializer
from contacts.services import bulk, bulk_jobs, contacts
from contacts.services.exports import start_export
from vocelio.api.filters import PAGING
from vocelio.api.pagination import EnvelopePagination
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.db.counting import bounded_count
from vocelio.errors import Forbidden

STARTED = PolymorphicProxySerializer(
    component_name="BulkStarted", serializers=[BulkJobSerializer, ExportSerializer], resource_type_field_name=None
)


class ContactPagination(EnvelopePagination):
    """Pages with the organization's totals beside them; the view adds the figures."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        result = super().get_paginated_response_schema(schema)
        names = ["totalContacts", "activeContacts", "inactiveContacts"]
        number = {"type": "integer", "minimum": 0}
        result["properties"]["filters"] = {
            "type": "object",
            "required": names,
            "properties": dict.fromkeys(names, number),
        }
        result["required"] = [*result["required"], "filters"]
        return result


class ContactViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """People to call, write to, sell to or recruit."""

    model = Contact
    serializer_class = ContactSerializer
    filterset_class = ContactFilter
    pagination_class = ContactPagination
    sort_fields = SORT_FIELDS
    throttle_scopes = {"create": "contacts", "manual": "contacts"}
    permissions = {
        "list": "contacts:read",
        "retrieve": "contacts:read",
        "create": "contacts:write",
        "manual": "contacts:write",
        "update": "contacts:write",
        "partial_update": "contacts:write",
        "destroy": "contacts:delete",
        "restore": "contacts:delete",
        "trash": "contacts:delete",
        "bulk_operations": "contacts:bulk",
    }

    def get_queryset(self) -> QuerySet[Any]:
        if self.action == "list" and not getattr(self, "swagger_fake_view", False):
            live: QuerySet[Any] = LiveContact.objects.get_queryset().visible_to(self.principal)
            return live
        visible: Any = super().get_queryset()
        chosen: QuerySet[Any] = visible.in_trash() if self.action in ("trash", "restore") else visible.alive()
        return chosen

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.totals = self._totals()
        response = super().list(request, *args, **kwargs)
        response.data["filters"] = {
            "totalContacts": sum(self.totals.values()),
            "activeContacts": self.totals[ContactStatus.ACTIVE],
            "inactiveContacts": self.totals[ContactStatus.INACTIVE],
        }
        return response

    def read_page(self, queryset: QuerySet[Any], offset: int, limit: int) -> tuple[Iterable[dict[str, Any]], int, bool]:
        if not isinstance(queryset, LiveContactQuerySet):
            return super().read_page(queryset, offset, limit)
        population = sum(self.totals.values())
        if not self._narrowed_by():
            return list(queryset.keys()[offset : offset + limit]), population, True
        return queryset.read_page(offset, limit, population=population, total=self._known_total())

    def read_on(self, queryset: QuerySet[Any], position: Q, limit: int) -> Sequence[dict[str, Any]]:
        if not isinstance(queryset, LiveContactQuerySet):
            return super().read_on(queryset, position, limit)
        if not self._narrowed_by():
            return list(queryset.filter(position).keys()[:limit])
        return queryset.read_page(0, limit, population=sum(self.totals.values()), position=position)[0]

    def serialize_page(self, page: Sequence[dict[str, Any]]) -> Any:
        return contact_rows([key["id"] for key in page])

    def represent(self, instance: Contact) -> Any:
        (row,) = contact_rows([instance.pk], private=self.principal.may("contacts:private"))
        return row

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        contact_id = kwargs["pk"]
        if self.principal.sees_own_team_only and not self.get_queryset().filter(pk=contact_id).exists():
            raise Http404
        rows = contact_rows([contact_id], private=self.principal.may("contacts:private"))
        if not rows:
            raise Http404
        return self.respond(rows[0])

    def perform_create(self, data: dict[str, Any]) -> Contact:
        profiles = data.pop("profiles", {})
        contact = contacts.create_contact(principal=self.principal, **data)
        for kind in profile_kinds():
            if kind.slug in profiles:
                kind.create(contact=contact, principal=self.principal, **profiles[kind.slug])
        return contact

    def perform_update(self, instance: Contact, data: dict[str, Any]) -> Contact:
        return contacts.update_contact(contact=instance, principal=self.principal, **data)

    def perform_destroy(self, instance: Contact) -> str:
        contacts.delete_contact(contact=instance)
        return "Contact deleted successfully"

    @extend_schema(responses={201: ContactSerializer})
    @action(detail=False, methods=["post"], serializer_class=ManualContactSerializer)
    def manual(self, request: Request) -> Response:
        """Create a contact typed in by hand, onto one list."""
        data = self.validated()
        list_id = data.pop("list_id", None)
        data.setdefault("source", "Manual Entry")
        if list_id is not None:
            data["list_ids"] = [*data.get("list_ids", []), list_id]
        return self.respond(self.represent(self.perform_create(data)), status=201)

    @extend_schema(responses=TrashedContactSerializer(many=True))
    @action(
        detail=False,
        pagination_class=EnvelopePagination,
        serializer_class=TrashedContactSerializer,
        filterset_class=None,
        sort_fields={"deletedAt": "deleted_at"},
        default_sort="-deletedAt",
    )
    def trash(self, request: Request) -> Response:
        """List what was deleted in the last 30 days."""
        queryset = self.filter_queryset(self.get_queryset()).values("id", "deleted_at")
        page = self.paginate_queryset(queryset) or []
        return self.get_paginated_response(contact_rows([key["id"] for key in page], trash=True))

    @extend_schema(request=None, responses=ContactSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: uuid.UUID) -> Response:
        """Bring a contact back from the trash."""
        contact = contacts.restore_contact(contact=self.get_object(), principal=self.principal)
        return self.respond(self.represent(contact))

    @extend_schema(request=BulkRequestSerializer, responses={200: BulkResultSerializer, 202: STARTED})
    @action(detail=False, methods=["post"], url_path="bulk-operations", serializer_class=BulkRequestSerializer)
    def bulk_operations(self, request: Request) -> Response:
        """Change up to 10,000 contacts at once; each that fails is listed with the reason.

        With a filter instead of ids, whatever it finds is changed by a job, which can be undone. `export` writes a
        file in the background and takes the right to export.
        """
        data = self.validated()
        if data["action"] == EXPORT:
            return self._start_export(data)
        if "filter" in data:
            return self._start_bulk(data)
        operation = bulk.ACTIONS[data["action"]]
        result = operation(principal=self.principal, contact_ids=data["contact_ids"], **data.get("data", {}))
        return Response(result.answer())

    def _start_bulk(self, data: dict[str, Any]) -> Response:
        wanted: Any = contacts_matching(data["filter"], self.principal)
        if data["action"] == "restore":
            trash: Any = Contact.objects.visible_to(self.principal)
            wanted = trash.in_trash()
        job = bulk_jobs.start_bulk(
            action=data["action"], filter=data["filter"], data=data.get("data", {}), found=wanted
        )
        return self.respond(BulkJobSerializer(job).data, status=202)

    def _start_export(self, data: dict[str, Any]) -> Response:
        if not self.principal.may("contacts:export"):
            raise Forbidden("Your role may not export contacts.")
        chosen = data["filter"] if "filter" in data else {"ids": ",".join(map(str, data["contact_ids"]))}
        job = start_export(
            principal=self.principal,
            choose=Selection(chosen).contacts,
            filter=chosen,
            **data.get("data", {}),
        )
        return self.respond(ExportSerializer(job).data, status=202)

    def _totals(self) -> dict[str, int]:
        """Return the number of contacts the caller may see by status."""
        if not self.principal.sees_own_team_only:
            return ContactTally.objects.by_status()  # type: ignore[no-any-return]
        visible = self.get_queryset()
        return {status: bounded_count(visible.filter(status=status))[0] for status in ContactStatus.values}

    def _narrowed_by(self) -> set[str]:
        """Return what keeps some of the organization's contacts from the list."""
        names = {name for name, value in self.request.query_params.items() if value and name not in PAGING}
        return names | {"visibility"} if self.principal.sees_own_team_only else names

    def _known_total(self) -> int | None:
        """Return the number of matches where counters know it."""
        names, parameters = self._narrowed_by(), self.request.query_params
        if names == {"status"}:
            return self.totals[parameters["status"]]
        if names == {"listId"} and not ContactList.objects.filter(pk=parameters["listId"]).dynamic().exists():
            return ContactTally.objects.of_list(parameters["listId"])  # type: ignore[no-any-return]
        return None
