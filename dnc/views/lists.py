"""/dnc-lists, /dnc-entries, /dnc/entitlements, /dnc/uploads, /dnc/registries"""

import uuid
from typing import Any

import orjson
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from dnc.filters import DncEntryFilter, DncListFilter, EntitlementFilter, UploadFilter
from dnc.models import DncEntry, DncList, Entitlement, ListUpload
from dnc.serializers.lists import (
    DncEntryChangeSerializer,
    DncEntrySerializer,
    DncListSerializer,
    EntitlementSerializer,
    ListUploadSerializer,
    RegistriesSerializer,
    RegistrySerializer,
    UploadFormSerializer,
)
from dnc.services import entitlements, entries, lists, registries, uploads
from vocelio.api.parsers import OrjsonParser, UploadParser, form_fields
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.errors import Invalid
from vocelio.storage.serializers import in_json

ACTIONS = ("list", "retrieve", "create", "update", "partial_update", "destroy")


class DncListViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Do-Not-Call lists: registries and the organization's own."""

    model = DncList
    serializer_class = DncListSerializer
    filterset_class = DncListFilter
    parser_classes = [OrjsonParser, UploadParser]
    sort_fields = {"createdAt": "created_at", "name": "name", "contactCount": "contact_count"}
    permissions = dict.fromkeys([*ACTIONS, "upload"], "dnc:manage")

    def get_queryset(self) -> QuerySet[DncList]:
        rows: Any = super().get_queryset()
        return rows.with_counts().select_related("registry")  # type: ignore[no-any-return]

    def perform_create(self, data: dict[str, Any]) -> DncList:
        return lists.create_list(**data)

    def perform_update(self, instance: DncList, data: dict[str, Any]) -> DncList:
        return lists.update_list(instance, **data)

    def perform_destroy(self, instance: DncList) -> str:
        lists.delete_list(instance)
        return "DNC list deleted successfully"

    @extend_schema(
        request={"multipart/form-data": UploadFormSerializer, "application/json": in_json(UploadFormSerializer)},
        responses={202: ListUploadSerializer},
    )
    @action(
        detail=True,
        methods=["post"],
        url_path="uploads",
        parser_classes=[UploadParser, OrjsonParser],
        filterset_class=None,
    )
    def upload(self, request: Request, pk: uuid.UUID) -> Response:
        """Upload a file of numbers and load it in the background.

        The format is recognised by the content; a file of no known format is refused, never guessed at. A broken file
        changes nothing. Files of facts (Reassigned Numbers Database, line types) are kept beside the list.
        """
        dnc_list = self.get_object()
        data = self.validated(
            UploadFormSerializer(data=form_fields(request.data), context=self.get_serializer_context())
        )
        job = uploads.start_upload(
            dnc_list=dnc_list,
            file=data["file"],
            format=data.get("format", ""),
            options=read_options(data.get("options", "")),
            replace=data["replace"],
        )
        return self.respond(ListUploadSerializer(job).data, status=202)


def read_options(text: str) -> dict[str, Any]:
    """Return the options of a form as JSON; raise Invalid when they are none."""
    if not text:
        return {}
    try:
        options = orjson.loads(text)
    except orjson.JSONDecodeError:
        options = None
    if not isinstance(options, dict) or "\\u0000" in text:
        raise Invalid.field("options", "options must be a JSON object.", value=text[:100], constraint="object")
    return options


class DncEntryViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Numbers on the organization's own lists."""

    model = DncEntry
    serializer_class = DncEntrySerializer
    filterset_class = DncEntryFilter
    sort_fields = {"createdAt": "created_at", "dateAdded": "created_at", "phoneNumber": "phone_number"}
    permissions = dict.fromkeys(ACTIONS, "dnc:manage")

    def get_serializer_class(self) -> Any:
        return DncEntryChangeSerializer if self.action in ("update", "partial_update") else DncEntrySerializer

    def get_queryset(self) -> QuerySet[DncEntry]:
        return super().get_queryset().select_related("list", "added_by")

    def perform_create(self, data: dict[str, Any]) -> DncEntry:
        return entries.create_entry(dnc_list=data.pop("list"), **data)

    def perform_update(self, instance: DncEntry, data: dict[str, Any]) -> DncEntry:
        return entries.update_entry(instance, **data)

    def perform_destroy(self, instance: DncEntry) -> str:
        entries.delete_entry(instance)
        return "DNC entry deleted successfully"


class EntitlementViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Subscriptions to registries: SAN, area codes, validity."""

    model = Entitlement
    serializer_class = EntitlementSerializer
    filterset_class = EntitlementFilter
    sort_fields = {"createdAt": "created_at", "validFrom": "valid_from"}
    permissions = dict.fromkeys(ACTIONS, "dnc:manage")

    def get_queryset(self) -> QuerySet[Entitlement]:
        return super().get_queryset().select_related("registry")

    def perform_create(self, data: dict[str, Any]) -> Entitlement:
        return entitlements.create_entitlement(**data)

    def perform_update(self, instance: Entitlement, data: dict[str, Any]) -> Entitlement:
        return entitlements.update_entitlement(instance, **data)

    def perform_destroy(self, instance: Entitlement) -> str:
        entitlements.delete_entitlement(instance)
        return "Entitlement deleted successfully"


class ListUploadViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Files of numbers on their way in."""

    model = ListUpload
    serializer_class = ListUploadSerializer
    filterset_class = UploadFilter
    permissions = dict.fromkeys(["list", "retrieve"], "dnc:manage")


class RegistryViewSet(TenantViewSet):
    """The shared registries, with each area code's version and freshness."""

    model = DncList
    permissions = {"retrieve": "dnc:manage"}

    @extend_schema(operation_id="dnc_registries", responses=RegistriesSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show every registry with its area codes: fresh, stale or missing."""
        data = registries.registry_states(timezone.now().date())
        return self.respond(RegistrySerializer(data, many=True).data)
