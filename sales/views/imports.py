"""/uploads/deals"""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.serializers.import_options import ClientUploadSerializer
from contacts.serializers.import_previews import ImportPreviewSerializer
from contacts.serializers.imports import ImportStartedSerializer
from contacts.views.imports import ContactImportViewSet, DraftViewSet, ImportFileViewSet
from sales.serializers.imports import DealImportOptionsSerializer, StartDealImportSerializer

DEAL_HEADERS = ["name", "client", "contact email", "pipeline", "stage", "amount", "currency", "expected close",
    "owner", "source", "description", "lost reason", "tags"]  # fmt: skip


class DealImportViewSet(ContactImportViewSet):
    """Files of deals on their way in."""

    record_type = "deal"
    permissions = dict.fromkeys(["list", "create", "retrieve", "cancel"], "deals:import")

    @extend_schema(request={"multipart/form-data": ClientUploadSerializer}, responses={202: ImportStartedSerializer})
    def create(self, request: Request) -> Response:
        """Upload a file of deals and import it in the background.

        A row needs a name. It repeats the deal of its id, else the one of its name and client. Pipeline, stage,
        client, contact, owner and lost reason are named as they are here; a row that names what is not here, or lacks
        what its stage asks for, is rejected. A row without a stage begins in the first of the usual pipeline.
        """
        return self._upload(request, ClientUploadSerializer)


class DealDraftViewSet(DraftViewSet):
    """Imports of deals that are looked at before they start, and taken back afterwards."""

    record_type = "deal"
    permissions = dict.fromkeys(["preview", "run_preview", "start", "undo", "show_undo"], "deals:import")

    @extend_schema(request=DealImportOptionsSerializer, responses={202: ImportPreviewSerializer})
    def run_preview(self, request: Request, pk: str) -> Response:
        """Run a dry run under other options, which the draft keeps; it writes nothing to deals."""
        return self._run_preview(request, DealImportOptionsSerializer)

    @extend_schema(request=StartDealImportSerializer, responses={202: ImportStartedSerializer})
    def start(self, request: Request, pk: str) -> Response:
        """Import a file of deals that was uploaded with `preview`."""
        return self._start(request, StartDealImportSerializer)


class DealFileViewSet(ImportFileViewSet):
    """Files around imports of deals."""

    record_type = "deal"
    permissions = dict.fromkeys(["rejected", "template"], "deals:import")
    template_name, template_headers = "deals", DEAL_HEADERS
