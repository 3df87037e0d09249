"""/candidate-profiles and candidates' files"""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.views.profiles import ContactProfileViewSet
from recruitment.filters.profiles import CandidateProfileFilter
from recruitment.models import CandidateFile, CandidateProfile
from recruitment.serializers.profiles import (
    CandidateFileSerializer,
    CandidateProfileSerializer,
    FileUploadSerializer,
    NewCandidateProfileSerializer,
)
from recruitment.services import files, profiles
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.parsers import UploadParser
from vocelio.api.viewsets import DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.audit.services import record
from vocelio.storage.downloads import REDIRECT, file_answer

TYPES = {
    CandidateFile.Kind.PDF: "application/pdf",
    CandidateFile.Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class CandidateProfileViewSet(ListMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Contacts as people who may be hired."""

    model = CandidateProfile
    serializer_class = CandidateProfileSerializer
    filterset_class = CandidateProfileFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at", "jobSearch": "job_search"}
    permissions = {
        "list": "profiles:read",
        "retrieve": "profiles:read",
        "update": "profiles:write",
        "partial_update": "profiles:write",
        "make_primary": "profiles:write",
        "destroy": "profiles:delete",
    }

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        visible = CandidateProfile.visible(self.principal)
        return visible.select_related("created_by").prefetch_related("skills", "files__created_by")

    def perform_update(self, instance: CandidateProfile, data: dict[str, Any]) -> CandidateProfile:
        profiles.update_candidate_profile(profile=instance, **data)
        changed: CandidateProfile = self.get_queryset().get(pk=instance.pk)
        return changed

    def perform_destroy(self, instance: CandidateProfile) -> str:
        profiles.delete_candidate_profile(profile=instance)
        return "Candidate profile deleted successfully"

    @extend_schema(request=None, responses=CandidateProfileSerializer)
    @action(detail=True, methods=["post"], url_path="make-primary")
    def make_primary(self, request: Request, pk: uuid.UUID) -> Response:
        """Make this the contact's primary candidate profile.

        409 PRIMARY_CHANGED when somebody else makes another one primary at the same moment.
        """
        return self.respond(self.represent(profiles.make_candidate_profile_primary(profile=self.get_object())))


class NewCandidateProfileViewSet(ContactProfileViewSet):
    """The candidate profiles of one contact."""

    serializer_class = NewCandidateProfileSerializer

    @extend_schema(responses={201: CandidateProfileSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Give the contact a candidate profile. The first is primary."""
        contact = self.get_object()
        profile = profiles.create_candidate_profile(contact=contact, principal=self.principal, **self.validated())
        serializer = CandidateProfileSerializer(profile, context=self.get_serializer_context())
        return self.respond(serializer.data, status=201)


class CandidateFilesViewSet(TenantViewSet):
    """The documents of one candidate."""

    model = CandidateProfile
    serializer_class = CandidateFileSerializer
    parser_classes = [UploadParser]
    permissions = {"list": "profiles:read", "create": "profiles:write"}

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return CandidateProfile.visible(self.principal)

    def list(self, request: Request, pk: uuid.UUID) -> Response:
        """List the candidate's documents."""
        rows = CandidateFile.objects.filter(profile=self.get_object()).select_related("created_by")
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request={"multipart/form-data": FileUploadSerializer}, responses={201: CandidateFileSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Upload a CV or another document: PDF or Word (.docx) by what it holds, at most 10 MB."""
        profile = self.get_object()
        data = self.validated(FileUploadSerializer(data=request.data, context=self.get_serializer_context()))
        return self.respond(self.represent(files.add_file(profile=profile, file=data["file"])), status=201)


class CandidateFileViewSet(RetrieveMixin, DestroyMixin, TenantViewSet):
    """One document of a candidate."""

    model = CandidateFile
    serializer_class = CandidateFileSerializer
    content_negotiation_class = DownloadNegotiation
    permissions = {"retrieve": "profiles:read", "download": "profiles:read", "destroy": "profiles:write"}

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset().filter(profile__contact__deleted_at__isnull=True)
        return rows.select_related("profile", "created_by")

    def perform_destroy(self, instance: CandidateFile) -> str:
        files.delete_file(file=instance)
        return "File deleted successfully"

    @extend_schema(responses={**{(200, kind): OpenApiTypes.BINARY for kind in TYPES.values()}, 302: REDIRECT})
    @action(detail=True)
    def download(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """Download the file, from a bucket by 302 to an address there; who did is in the audit log."""
        row = self.get_object()
        answer = file_answer(row.file, filename=row.filename, content_type=TYPES[row.kind])
        record("candidate_file.downloaded", "candidate_file", row.pk, profileId=str(row.profile_id))
        return answer
