"""/contacts/bulk-jobs"""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.contacts import contacts_matching
from contacts.models import BulkJob
from contacts.serializers.bulk import (
    BulkJobDetailSerializer,
    BulkJobSerializer,
    BulkPreviewRequestSerializer,
    BulkPreviewSerializer,
)
from contacts.services import bulk_jobs
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.jobs.services import cancel_job


class BulkJobViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Changes to whatever a filter finds. POST /contacts/bulk-operations with a filter starts one."""

    model = BulkJob
    serializer_class = BulkJobSerializer
    permissions = dict.fromkeys(["list", "retrieve", "preview", "cancel", "undo"], "contacts:bulk")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("created_by")

    @extend_schema(responses=BulkJobDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a job with its first hundred failures."""
        return self.respond(BulkJobDetailSerializer(self.get_object()).data)

    @extend_schema(request=BulkPreviewRequestSerializer, responses=BulkPreviewSerializer)
    def preview(self, request: Request) -> Response:
        """Say how many contacts a filter finds now; changes nothing."""
        data = self.validated(BulkPreviewRequestSerializer(data=request.data))
        count, is_exact = bulk_jobs.preview_bulk(contacts_matching(data["filter"], self.principal))
        return self.respond({"count": count, "isEstimate": not is_exact})

    @extend_schema(request=None, responses=BulkJobSerializer)
    def cancel(self, request: Request, pk: uuid.UUID) -> Response:
        """Stop after the contacts in hand; what is done stays and can be undone."""
        return self.respond(BulkJobSerializer(cancel_job(self.get_object())).data)

    @extend_schema(request=None, responses={202: BulkJobSerializer})
    def undo(self, request: Request, pk: uuid.UUID) -> Response:
        """Take back what the job did, within 30 days, except where contacts were changed since."""
        return self.respond(BulkJobSerializer(bulk_jobs.undo_bulk(self.get_object())).data, status=202)
