"""/uploads"""

import io
from contextlib import suppress
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from openpyxl import Workbook
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.imports import ContactImportFilter
from contacts.incoming import Options, Policy
from contacts.models import ContactImport, ImportPreset, RecordType
from contacts.serializers.import_options import (
    ClientImportOptionsSerializer,
    ClientUploadSerializer,
    ImportOptionsSerializer,
    ImportPresetSerializer,
    ImportUploadSerializer,
    StartClientImportSerializer,
    StartImportSerializer,
    stored_options,
)
from contacts.serializers.import_previews import ImportPreviewSerializer
from contacts.serializers.imports import (
    ImportDetailSerializer,
    ImportSerializer,
    ImportStartedSerializer,
    ImportUndoSerializer,
)
from contacts.services import imports, presets, previews, undo
from contacts.services.import_plans import NoColumns
from contacts.services.rejections import rejected_csv
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.parsers import OrjsonParser, UploadParser, form_fields
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.errors import Invalid, NotFound
from vocelio.storage.serializers import in_json

TEMPLATE_HEADERS = ["first_name", "last_name", "phone", "email", "company", "title", "address", "city", "state", "zip"]
CLIENT_HEADERS = ["name", "domain", "website", "industry", "size", "annual_revenue", "currency", "phone", "email",
    "address", "city", "state", "zip", "country", "tags"]  # fmt: skip
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ContactImportViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Contact files on their way in."""

    model = ContactImport
    serializer_class = ImportSerializer
    filterset_class = ContactImportFilter
    parser_classes = [UploadParser, OrjsonParser]
    sort_fields = {"createdAt": "created_at", "filename": "filename", "fileSize": "file_size"}
    permissions = dict.fromkeys(["list", "create", "retrieve", "cancel"], "contacts:import")
    throttle_scopes = {"create": "imports"}
    record_type: str = RecordType.CONTACT

    def get_queryset(self) -> Any:
        jobs = super().get_queryset().select_related("created_by")
        return jobs if self.action == "list" else jobs.filter(record_type=self.record_type)

    @extend_schema(
        request={"multipart/form-data": ImportUploadSerializer, "application/json": in_json(ImportUploadSerializer)},
        responses={202: ImportStartedSerializer},
    )
    def create(self, request: Request) -> Response:
        """Upload a contact file and import it in the background.

        Columns are recognised by their headers; those no contact has a field for become custom fields. A row needs
        a valid phone number or e-mail address. It repeats a contact that has its phone number or, without one, its
        e-mail address; everyone in the file, new or not, joins the list. With `preview` nothing is imported yet: look
        at the preview, then start the import.
        """
        return self._upload(request, ImportUploadSerializer)

    def _upload(self, request: Request, form: type[ClientUploadSerializer]) -> Response:
        data = self.validated(form(data=form_fields(request.data), context=self.get_serializer_context()))
        job = imports.start_import(
            file=data["file"],
            record_type=self.record_type,
            target_list=data.get("list_id"),
            list_name=data.get("list_name", "").strip(),
            options=Options(
                policy=Policy(data.get("policy") or (Policy.SKIP if data["skip_duplicates"] else Policy.OVERWRITE)),
                validate_phones=data["validate_phones"],
            ),
            preset=data.get("preset_id"),
            preview=data["preview"],
        )
        if data["preview"]:
            with suppress(NoColumns):
                # A file without a column to reach people by has a preview, but no dry run before somebody maps one.
                previews.start_preview(job, options={})
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


class ClientImportViewSet(ContactImportViewSet):
    """Files of clients on their way in."""

    record_type = RecordType.CLIENT
    permissions = dict.fromkeys(["list", "create", "retrieve", "cancel"], "clients:import")

    @extend_schema(
        request={"multipart/form-data": ClientUploadSerializer, "application/json": in_json(ClientUploadSerializer)},
        responses={202: ImportStartedSerializer},
    )
    def create(self, request: Request) -> Response:
        """Upload a file of companies and import it in the background.

        Columns are recognised by their headers; those no client has a field for become custom fields, and so do cells
        that are not what their column holds. A row needs a name, a domain or a website. It repeats the client of its
        domain, else the one of its name whose domain is unknown. With `preview` nothing is imported yet: look at the
        preview, then start the import.
        """
        return self._upload(request, ClientUploadSerializer)


class DraftViewSet(TenantViewSet):
    """Imports that are looked at before they start, and taken back afterwards."""

    model = ContactImport
    permissions = dict.fromkeys(["preview", "run_preview", "start", "undo", "show_undo"], "contacts:import")
    record_type: str = RecordType.CONTACT

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(record_type=self.record_type)

    @extend_schema(responses=ImportPreviewSerializer)
    def preview(self, request: Request, pk: str) -> Response:
        """Show what is in an uploaded file, which column is which, and what the dry run has found so far."""
        return self.respond(ImportPreviewSerializer(self.get_object()).data)

    @extend_schema(request=ImportOptionsSerializer, responses={202: ImportPreviewSerializer})
    def run_preview(self, request: Request, pk: str) -> Response:
        """Run a dry run under other options, which the draft keeps; it writes nothing to contacts."""
        return self._run_preview(request, ImportOptionsSerializer)

    def _run_preview(self, request: Request, form: type[ImportOptionsSerializer]) -> Response:
        job = self.get_object()
        data = self.validated(form(data=request.data, context=self.get_serializer_context()))
        previews.start_preview(job, options=stored_options(data))
        return self.respond(ImportPreviewSerializer(self.get_object()).data, status=202)

    @extend_schema(request=StartImportSerializer, responses={202: ImportStartedSerializer})
    def start(self, request: Request, pk: str) -> Response:
        """Import a file that was uploaded with `preview`."""
        return self._start(request, StartImportSerializer)

    def _start(self, request: Request, form: type[ImportOptionsSerializer]) -> Response:
        job = self.get_object()
        data = self.validated(form(data=request.data, context=self.get_serializer_context()))
        job = imports.start_draft(
            job,
            options=stored_options(data),
            target_list=data.get("list_id"),
            list_name=data.get("list_name", "").strip(),
        )
        return self.respond(ImportStartedSerializer(job).data, status=202)

    @extend_schema(request=None, responses={202: ImportUndoSerializer})
    def undo(self, request: Request, pk: str) -> Response:
        """Take an import back, within 30 days of its end.

        Contacts it made go to the trash, those it changed get their fields back, and whom it put on the list leaves
        it. Contacts and fields that were changed since are left alone and counted.
        """
        return self.respond(ImportUndoSerializer(undo.start_undo(self.get_object())).data, status=202)

    @extend_schema(responses=ImportUndoSerializer)
    def show_undo(self, request: Request, pk: str) -> Response:
        """Show how far the undo of an import is and what became of the contacts."""
        latest = undo.latest_undo(self.get_object())
        if latest is None:
            raise NotFound
        return self.respond(ImportUndoSerializer(latest).data)


class ClientDraftViewSet(DraftViewSet):
    """Imports of clients that are looked at before they start, and taken back afterwards."""

    record_type = RecordType.CLIENT
    permissions = dict.fromkeys(["preview", "run_preview", "start", "undo", "show_undo"], "clients:import")

    @extend_schema(request=ClientImportOptionsSerializer, responses={202: ImportPreviewSerializer})
    def run_preview(self, request: Request, pk: str) -> Response:
        """Run a dry run under other options, which the draft keeps; it writes nothing to clients."""
        return self._run_preview(request, ClientImportOptionsSerializer)

    @extend_schema(request=StartClientImportSerializer, responses={202: ImportStartedSerializer})
    def start(self, request: Request, pk: str) -> Response:
        """Import a file of clients that was uploaded with `preview`."""
        return self._start(request, StartClientImportSerializer)


class ImportPresetViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Mappings of columns, with options, for files that come again in the same form."""

    model = ImportPreset
    serializer_class = ImportPresetSerializer
    sort_fields = {"createdAt": "created_at", "name": "name"}
    permissions = dict.fromkeys(
        ["list", "create", "retrieve", "update", "partial_update", "destroy"], "contacts:import"
    )

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("created_by")

    def perform_create(self, data: dict[str, Any]) -> ImportPreset:
        return presets.create_preset(**data)

    def perform_update(self, instance: ImportPreset, data: dict[str, Any]) -> ImportPreset:
        return presets.update_preset(instance, **data)

    def perform_destroy(self, instance: ImportPreset) -> str:
        presets.delete_preset(instance)
        return "Import preset deleted successfully"


class ImportFileViewSet(TenantViewSet):
    """Files around imports."""

    model = ContactImport
    content_negotiation_class = DownloadNegotiation
    permissions = dict.fromkeys(["rejected", "template"], "contacts:import")
    record_type: str = RecordType.CONTACT
    template_name, template_headers = "contacts", TEMPLATE_HEADERS

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(record_type=self.record_type)

    @extend_schema(responses={(200, CSV): OpenApiTypes.BINARY})
    def rejected(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Download all rejected rows as CSV: row number, reason, suggested fix and the cells as they were.

        Corrected, the file can be uploaded again as it is.
        """
        job = self.get_object()
        return StreamingHttpResponse(
            rejected_csv(job), content_type=f"{CSV}; charset=utf-8", headers=_attachment(f"rejected-{job.id}.csv")
        )

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=["csv", "xlsx"], default="csv", description="Kind of file.")],
        responses={(200, CSV): OpenApiTypes.BINARY, (200, XLSX): OpenApiTypes.BINARY},
    )
    def template(self, request: Request) -> HttpResponse:
        """Download an empty file with the headers an import knows best."""
        match kind := request.query_params.get("format", "csv"):
            case "csv":
                return HttpResponse(
                    ",".join(self.template_headers) + "\r\n",
                    content_type=f"{CSV}; charset=utf-8",
                    headers=_attachment(f"{self.template_name}.csv"),
                )
            case "xlsx":
                workbook = Workbook(write_only=True)
                workbook.create_sheet(self.template_name.capitalize()).append(self.template_headers)
                content = io.BytesIO()
                workbook.save(content)
                return HttpResponse(
                    content.getvalue(), content_type=XLSX, headers=_attachment(f"{self.template_name}.xlsx")
                )
        raise Invalid.field("format", "format is csv or xlsx.", value=kind[:50], constraint="choice")


class ClientFileViewSet(ImportFileViewSet):
    """Files around imports of clients."""

    record_type = RecordType.CLIENT
    permissions = dict.fromkeys(["rejected", "template"], "clients:import")
    template_name, template_headers = "clients", CLIENT_HEADERS


def _attachment(filename: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{filename}"'}
