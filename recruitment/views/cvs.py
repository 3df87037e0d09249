"""/cvs and /cv-batches"""

import uuid
from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recruitment.models import Cv, CvBatch, CvStatus
from recruitment.serializers.cvs import (
    AcceptCvSerializer,
    CvBatchSerializer,
    CvBatchUploadSerializer,
    CvDetailSerializer,
    CvSerializer,
    CvUploadSerializer,
)
from recruitment.serializers.profiles import CandidateProfileSerializer
from recruitment.services import batches, cvs
from vocelio.api.parsers import OrjsonParser, UploadParser, form_fields
from vocelio.api.viewsets import DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet
from vocelio.jobs.services import cancel_job
from vocelio.storage.serializers import in_json


class CvFilter(django_filters.FilterSet):
    """What GET /cvs can be narrowed by."""

    status = django_filters.ChoiceFilter(choices=CvStatus.choices)
    batchId = django_filters.UUIDFilter(field_name="batch_id")
    contactId = django_filters.UUIDFilter(field_name="contact_id")
    profileId = django_filters.UUIDFilter(field_name="profile_id")


class CvViewSet(ListMixin, RetrieveMixin, DestroyMixin, TenantViewSet):
    """CVs, and what was read in them."""

    model = Cv
    serializer_class = CvSerializer
    filterset_class = CvFilter
    parser_classes = [UploadParser, OrjsonParser]
    permissions = {
        "list": "profiles:read",
        "retrieve": "profiles:read",
        "create": "profiles:write",
        "accept": "profiles:write",
        "destroy": "profiles:write",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("contact", "created_by").defer("contact__search")

    def represent(self, instance: Cv) -> Any:
        return CvDetailSerializer(instance).data

    @extend_schema(responses=CvDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a CV with its text."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request={"multipart/form-data": CvUploadSerializer}, responses={201: CvDetailSerializer})
    def create(self, request: Request) -> Response:
        """Upload a CV: PDF or Word (.docx) by what it holds. What it says is proposed, nothing is written yet.

        422 `CV_REFUSED` for one that is encrypted, holds scripts, has no text or takes too much to read.
        """
        data = self.validated(CvUploadSerializer(data=request.data, context=self.get_serializer_context()))
        cv = cvs.take_in(file=data["file"])
        return self.respond(self.represent(self.get_queryset().get(pk=cv.pk)), status=201)

    @extend_schema(request={"application/json": AcceptCvSerializer}, responses=CandidateProfileSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: uuid.UUID) -> Response:
        """Make what is right of the proposals the candidate's: of a known contact, or of a new one."""
        cv = self.get_object()
        serializer = AcceptCvSerializer(data=request.data, context=self.get_serializer_context())
        data = self.validated(serializer)
        values = {name: data[field.source] for name, field in serializer.fields.items() if field.source in data}
        contact_id = values.pop("contactId", None)
        profile = cvs.accept_cv(cv=cv, principal=self.principal, contact_id=contact_id, values=values)
        context = self.get_serializer_context()
        return self.respond(CandidateProfileSerializer(profile, context=context).data)

    def perform_destroy(self, instance: Cv) -> str:
        cvs.delete_cv(cv=instance)
        return "CV deleted"


class CvBatchViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Zips of CVs on their way in."""

    model = CvBatch
    serializer_class = CvBatchSerializer
    parser_classes = [UploadParser, OrjsonParser]
    permissions = dict.fromkeys(["list", "retrieve", "create", "cancel"], "candidates:import")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("created_by")

    @extend_schema(
        request={"multipart/form-data": CvBatchUploadSerializer, "application/json": in_json(CvBatchUploadSerializer)},
        responses={202: CvBatchSerializer},
    )
    def create(self, request: Request) -> Response:
        """Upload a zip of CVs to be taken in in the background; GET /cvs?batchId= shows what was read in them."""
        data = self.validated(
            CvBatchUploadSerializer(data=form_fields(request.data), context=self.get_serializer_context())
        )
        return self.respond(self.represent(batches.start_batch(file=data["file"])), status=202)

    @extend_schema(request=None, responses=CvBatchSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: uuid.UUID) -> Response:
        """Stop a batch; what was taken in so far stays."""
        return self.respond(self.represent(cancel_job(self.get_object())))
