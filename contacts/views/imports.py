"""/uploads"""

import io
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from openpyxl import Workbook
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.imports import ContactImportFilter
from contacts.models import ContactImport
from contacts.serializers.imports import (
    ImportDetailSerializer,
    ImportSerializer,
    ImportStartedSerializer,
    ImportUploadSerializer,
)
from contacts.services import imports
from contacts.services.rejections import rejected_csv
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.parsers import UploadParser
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Invalid

TEMPLATE_HEADERS = ["first_name", "last_name", "phone", "email", "company", "title", "address", "city", "state", "zip"]
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ContactImportViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Contact files on their way in."""

    model = ContactImport
    serializer_class = ImportSerializer
    filterset_class = ContactImportFilter
    parser_classes = [UploadParser]
    sort_fields = {"createdAt": "created_at", "filename": "filename", "fileSize": "file_size"}
    permissions = dict.fromkeys(["list", "create", "retrieve", "cancel"], "contacts:import")
    throttle_scopes = {"create": "imports"}

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("created_by")

    @extend_schema(request={"multipart/form-data": ImportUploadSerializer}, responses={202: ImportStartedSerializer})
    def create(self, request: Request) -> Response:
        """Upload a contact file and import it in the background.

        Columns are recognised by their headers; those no contact has a field for become custom fields. A row needs
        a valid phone number or e-mail address. It repeats a contact that has its phone number or, without one, its
        e-mail address; everyone in the file, new or not, joins the list.
        """
        # As a plain dict: an absent field of a form takes its default rather than counting as off.
        data = self.validated(
            ImportUploadSerializer(data=dict(request.data.items()), context=self.get_serializer_context())
        )
        job = imports.start_import(
            file=data["file"],
            target_list=data.get("list_id"),
            list_name=data.get("list_name", "").strip(),
            skip_duplicates=data["skip_duplicates"],
            validate_phones=data["validate_phones"],
        )
        return self.respond(ImportStartedSerializer(job).data, status=202)

    @extend_schema(responses=ImportDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show an import's progress, counts and first hundred rejected rows."""
        return self.respond(ImportDetailSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=ImportSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop an import; what it has imported so far stays and is counted.

        A running import finishes the few thousand rows in hand first; its status is then `cancelled`.
        """
        return self.respond(ImportSerializer(imports.cancel_import(self.get_object())).data)


class ImportFileViewSet(TenantViewSet):
    """Files around imports."""

    model = ContactImport
    content_negotiation_class = DownloadNegotiation
    permissions = dict.fromkeys(["rejected", "template"], "contacts:import")

    @extend_schema(responses={(200, CSV): OpenApiTypes.BINARY})
    def rejected(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Download all rejected rows as CSV: row number, reason and the cells as they were."""
        job = self.get_object()
        return StreamingHttpResponse(
            rejected_csv(job), content_type=f"{CSV}; charset=utf-8", headers=_attachment(f"rejected-{job.id}.csv")
        )

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=["csv", "xlsx"], default="csv", description="Kind of file.")],
        responses={(200, CSV): OpenApiTypes.BINARY, (200, XLSX): OpenApiTypes.BINARY},
    )
    def template(self, request: Request) -> HttpResponse:
        """Download an empty contact file with the headers an import knows best."""
        match kind := request.query_params.get("format", "csv"):
            case "csv":
                return HttpResponse(
                    ",".join(TEMPLATE_HEADERS) + "\r\n",
                    content_type=f"{CSV}; charset=utf-8",
                    headers=_attachment("contacts.csv"),
                )
            case "xlsx":
                workbook = Workbook(write_only=True)
                workbook.create_sheet("Contacts").append(TEMPLATE_HEADERS)
                content = io.BytesIO()
                workbook.save(content)
                return HttpResponse(content.getvalue(), content_type=XLSX, headers=_attachment("contacts.xlsx"))
        raise Invalid.field("format", "format is csv or xlsx.", value=kind[:50], constraint="choice")


def _attachment(filename: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{filename}"'}
