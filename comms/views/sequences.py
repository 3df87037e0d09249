"""/communications/sequences, /communications/enrolments"""

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from comms.filters.communications import EnrolmentFilter
from comms.models import Enrolment, Sequence
from comms.serializers.sequences import (
    EnrolledSerializer,
    EnrolmentSerializer,
    EnrolRequestSerializer,
    SequenceSerializer,
)
from comms.services import sequences
from contacts.models import Contact
from vocelio.api.viewsets import (
    CreateMixin,
    DestroyMixin,
    ListMixin,
    RetrieveMixin,
    TenantViewSet,
    UpdateMixin,
)
from vocelio.errors import Invalid


class SequenceViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Messages that follow each other."""

    model = Sequence
    serializer_class = SequenceSerializer
    sort_fields = {"createdAt": "created_at", "name": "name"}
    permissions = {
        "list": "messages:read",
        "retrieve": "messages:read",
        "create": "messages:manage",
        "update": "messages:manage",
        "partial_update": "messages:manage",
        "destroy": "messages:manage",
        "enrol": "messages:write",
    }

    def get_queryset(self) -> QuerySet[Sequence]:
        return super().get_queryset().select_related("created_by").prefetch_related("steps__template")

    def represent(self, instance: Sequence) -> Any:
        return SequenceSerializer(self.get_queryset().get(pk=instance.pk)).data

    def perform_create(self, data: dict[str, Any]) -> Sequence:
        return sequences.create_sequence(**data)

    def perform_update(self, instance: Sequence, data: dict[str, Any]) -> Sequence:
        return sequences.update_sequence(sequence=instance, **data)

    def perform_destroy(self, instance: Sequence) -> str:
        sequences.delete_sequence(instance)
        return "Sequence deleted successfully"

    @extend_schema(request=EnrolRequestSerializer, responses=EnrolledSerializer)
    @action(detail=True, methods=["post"], serializer_class=EnrolRequestSerializer)
    def enrol(self, request: Request, pk: uuid.UUID) -> Response:
        """Send contacts through the sequence; those who are under way already stay where they are."""
        sequence = self.get_object()
        ids = set(self.validated()["contact_ids"])
        found = list(Contact.objects.alive().visible_to(self.principal).defer("search").filter(pk__in=ids))
        if missing := ids - {contact.pk for contact in found}:
            raise Invalid.field(
                "contactIds", f"There is no contact {min(map(str, missing))}.", constraint="does_not_exist"
            )
        begun, already = sequences.enrol(sequence=sequence, contacts=found)
        return self.respond({"enrolled": begun, "already": already})


class EnrolmentViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """People on their way through sequences."""

    model = Enrolment
    serializer_class = EnrolmentSerializer
    filterset_class = EnrolmentFilter
    permissions = {"list": "messages:read", "retrieve": "messages:read", "stop": "messages:write"}

    def get_queryset(self) -> QuerySet[Enrolment]:
        return super().get_queryset().select_related("sequence", "contact").defer("contact__search")

    @extend_schema(request=None, responses=EnrolmentSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: uuid.UUID) -> Response:
        """End one person's way; what it has queued is cancelled."""
        return self.respond(self.represent(sequences.stop_enrolment(self.get_object())))
