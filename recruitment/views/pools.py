"""/hotlists, and what belongs to a candidate: claims and consents"""

import uuid
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from recruitment.filters.jobs import NamedFilter
from recruitment.models import CandidateClaim, CandidateConsent, ConsentKind, Hotlist, HotlistEntry
from recruitment.serializers.hiring import (
    CandidateConsentSerializer,
    ClaimSerializer,
    HotlistEntrySerializer,
    HotlistSerializer,
)
from recruitment.services import careers, pools, retention
from recruitment.services.applications import find_applicant
from vocelio.api.serializers import MessageSerializer
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.errors import NotFound

READ, WRITE = "applications:read", "applications:write"


class HotlistViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Candidates kept at hand."""

    model = Hotlist
    serializer_class = HotlistSerializer
    filterset_class = NamedFilter
    sort_fields = {"createdAt": "created_at", "name": "name"}
    permissions = {
        **dict.fromkeys(["list", "retrieve", "candidates"], READ),
        **dict.fromkeys(["create", "update", "partial_update", "destroy", "add", "take_off"], WRITE),
    }

    def get_queryset(self) -> Any:
        entries = HotlistEntry.objects.none() if getattr(self, "swagger_fake_view", False) else HotlistEntry.objects
        number = (
            entries.filter(hotlist_id=OuterRef("pk"), contact__deleted_at__isnull=True)
            .order_by()
            .values("hotlist_id")
            .annotate(number=Count("pk"))
            .values("number")
        )
        counted = Coalesce(Subquery(number, output_field=IntegerField()), 0)
        return super().get_queryset().select_related("assigned_to").annotate(candidates=counted)

    def represent(self, instance: Hotlist) -> Any:
        return self.get_serializer(self.get_queryset().get(pk=instance.pk)).data

    def perform_create(self, data: dict[str, Any]) -> Hotlist:
        data.setdefault("assigned_to_id", self.principal.user_id)
        return pools.save_hotlist(Hotlist(), **data)

    def perform_update(self, instance: Hotlist, data: dict[str, Any]) -> Hotlist:
        return pools.save_hotlist(instance, **data)

    def perform_destroy(self, instance: Hotlist) -> str:
        pools.delete_hotlist(hotlist=instance)
        return "Hotlist deleted"

    @extend_schema(responses=HotlistEntrySerializer(many=True))
    @action(detail=True, filterset_class=None, serializer_class=HotlistEntrySerializer)
    def candidates(self, request: Request, pk: uuid.UUID) -> Response:
        """List the candidates of a hotlist."""
        visible = Contact.objects.alive().visible_to(self.principal)
        rows = HotlistEntry.objects.filter(hotlist_id=self.get_object().pk, contact__in=visible)
        page = self.paginate_queryset(
            self.filter_queryset(rows.select_related("contact", "created_by").defer("contact__search"))
        )
        return self.get_paginated_response(HotlistEntrySerializer(page or [], many=True).data)

    @extend_schema(request=HotlistEntrySerializer, responses={201: HotlistEntrySerializer})
    @candidates.mapping.post
    def add(self, request: Request, pk: uuid.UUID) -> Response:
        """Put a candidate on a hotlist; there already, the note changes."""
        hotlist = self.get_object()
        data = self.validated(HotlistEntrySerializer(data=request.data))
        contact = find_applicant(data["contact_id"], self.principal)
        entry = pools.put_on_hotlist(hotlist=hotlist, contact=contact, note=data.get("note", ""))
        return self.respond(HotlistEntrySerializer(entry).data, status=201)

    @extend_schema(responses={200: MessageSerializer})
    def take_off(self, request: Request, pk: uuid.UUID, contact_id: uuid.UUID) -> Response:
        """Take a candidate off a hotlist."""
        pools.take_off_hotlist(hotlist=self.get_object(), contact_id=contact_id)
        return self.message("Candidate taken off the hotlist")


class OfCandidate(TenantViewSet):
    """Base of what belongs to one candidate."""

    model = Contact

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else rows.alive().defer("search")


class ClaimViewSet(OfCandidate):
    """The recruiter a candidate belongs to for a while."""

    serializer_class = ClaimSerializer
    permissions = {"retrieve": READ, "update": WRITE, "destroy": WRITE}

    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Show whose a candidate is; 404 while they are nobody's."""
        found = CandidateClaim.objects.filter(contact=self.get_object()).select_related("user").first()
        if found is None:
            raise NotFound
        return self.respond(self.get_serializer(found).data)

    def update(self, request: Request, pk: uuid.UUID) -> Response:
        """Claim a candidate for the organization's window, or begin it anew; 409 CLAIMED by another recruiter."""
        contact, data = self.get_object(), self.validated()
        made = pools.claim(contact=contact, principal=self.principal, **data)
        return self.respond(self.get_serializer(made).data)

    @extend_schema(responses={200: MessageSerializer})
    def destroy(self, request: Request, pk: uuid.UUID) -> Response:
        """Give a candidate free."""
        pools.release(contact=self.get_object(), principal=self.principal)
        return self.message("Candidate released")


class ConsentViewSet(OfCandidate):
    """What a candidate agreed to."""

    serializer_class = CandidateConsentSerializer
    filter_backends = []
    pagination_class = None
    permissions = {"list": READ, "create": WRITE, "anonymise": "contacts:erase"}

    @extend_schema(responses=CandidateConsentSerializer(many=True))
    def list(self, request: Request, pk: uuid.UUID) -> Response:
        """List the consents of a candidate, the newest first."""
        rows = CandidateConsent.objects.filter(contact=self.get_object()).order_by("-given_at", "-id")[:100]
        return Response({"data": self.get_serializer(rows, many=True).data})

    @extend_schema(responses={201: CandidateConsentSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Note that a candidate agreed, by phone say."""
        contact, data = self.get_object(), self.validated()
        consent = careers.give_consent(contact, kind=ConsentKind.RECORDED, text=data["text"])
        return self.respond(self.get_serializer(consent).data, status=201)

    @extend_schema(request=None, responses=MessageSerializer)
    def anonymise(self, request: Request, pk: uuid.UUID) -> Response:
        """Forget the candidate: profile, CVs, applications and, where nothing else is known of them, the contact.

        Figures and placements stay, without the person.
        """
        return self.message(retention.anonymise(contact=self.get_object()))
