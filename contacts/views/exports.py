"""/contacts/export and /exports"""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.imports import ContactExportFilter
from contacts.filters.selection import Selection
from contacts.models import ContactExport
from contacts.serializers.exports import ExportRequestSerializer, ExportSerializer
from contacts.services import exports
from contacts.views.imports import CSV, XLSX
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.storage.downloads import REDIRECT, file_answer


class ContactExportViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Files of contacts."""

    model = ContactExport
    serializer_class = ExportSerializer
    filterset_class = ContactExportFilter
    permissions = dict.fromkeys(["list", "create", "retrieve", "cancel"], "contacts:export")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("created_by")

    @extend_schema(request=ExportRequestSerializer, responses={202: ExportSerializer})
    def create(self, request: Request) -> Response:
        """Write the contacts of a filtered list into a CSV or Excel file, in the background.

        The file opens safely in a spreadsheet, and importing it again changes nothing.
        """
        data = self.validated(ExportRequestSerializer(data=request.data, context=self.get_serializer_context()))
        chosen, sort = data.get("filter", {}), data.get("sort", "")
        job = exports.start_export(
            principal=self.principal,
            choose=Selection(chosen, sort).contacts,
            filter=chosen,
            sort=sort,
            format=data["format"],
            columns=data.get("columns", ()),
        )
        return self.respond(ExportSerializer(job).data, status=202)

    @extend_schema(request=None, responses=ExportSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop an export; nothing of it is kept."""
        return self.respond(ExportSerializer(exports.cancel_export(self.get_object())).data)


class ExportFileViewSet(TenantViewSet):
    """The files themselves."""

    model = ContactExport
    content_negotiation_class = DownloadNegotiation
    permissions = {"download": "contacts:export"}

    @extend_schema(responses={(200, CSV): OpenApiTypes.BINARY, (200, XLSX): OpenApiTypes.BINARY, 302: REDIRECT})
    def download(self, request: Request, pk: str) -> HttpResponseBase:
        """Download a finished export; its file is kept for 7 days. Files in a bucket answer 302 to an address there."""
        job = self.get_object()
        return file_answer(exports.fetch_export(job), filename=job.filename, content_type=job.content_type)
