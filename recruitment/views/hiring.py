"""/interviews, /scorecards, /offers, /placements, /submissions"""

import uuid
from typing import Any

import django_filters
from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recruitment.models import (
    Application,
    Interview,
    Interviewer,
    InterviewStatus,
    Offer,
    OfferStatus,
    Placement,
    PlacementStatus,
    Scorecard,
    Submission,
    SubmissionStatus,
)
from recruitment.serializers.hiring import (
    InterviewSerializer,
    OfferSerializer,
    OfferStatusChangeSerializer,
    PlacementSerializer,
    ScorecardSerializer,
    SubmissionSerializer,
)
from recruitment.services import interviews, offers, pools
from vocelio.api.conditions import take_version
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin

READ, WRITE = "applications:read", "applications:write"


class OfApplication(TenantViewSet):
    """Base of what is made of an application: POST /applications/{id}/<noun>."""

    model = Application

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        return rows.alive().select_related("job", "contact").defer("contact__search")

    def made(self, row: Any, parts: Any) -> Response:
        """Answer what was made, as its own resource shows it."""
        return self.respond(self.get_serializer(parts(type(row).objects.filter(pk=row.pk)).get()).data, status=201)


class InterviewFilter(django_filters.FilterSet):
    """What GET /interviews can be narrowed by."""

    applicationId = django_filters.UUIDFilter(field_name="application_id")
    jobId = django_filters.UUIDFilter(field_name="application__job_id")
    status = django_filters.ChoiceFilter(choices=InterviewStatus.choices)
    interviewerId = django_filters.UUIDFilter(field_name="interviewers__user_id")
    startsFrom = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte", label="Not before.")
    startsTo = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lte", label="Not after.")


class InterviewViewSet(ListMixin, RetrieveMixin, UpdateMixin, TenantViewSet):
    """Conversations with applicants."""

    model = Interview
    serializer_class = InterviewSerializer
    filterset_class = InterviewFilter
    sort_fields = {"startsAt": "starts_at", "createdAt": "created_at"}
    default_sort = "-startsAt"
    permissions = {
        "list": READ,
        "retrieve": READ,
        "update": WRITE,
        "partial_update": WRITE,
        "scorecards": READ,
        "score": WRITE,
    }

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows if getattr(self, "swagger_fake_view", False) else with_people(rows)

    def perform_update(self, instance: Interview, data: dict[str, Any]) -> Interview:
        people = data.pop("interviewer_ids", None)
        interviews.update_interview(interview=instance, interviewers=people, **data)
        changed: Interview = self.get_queryset().get(pk=instance.pk)
        return changed

    @extend_schema(responses=ScorecardSerializer(many=True))
    @action(detail=True, filterset_class=None, filter_backends=[], pagination_class=None)
    def scorecards(self, request: Request, pk: uuid.UUID) -> Response:
        """List the scorecards the caller may see: their own, and the others' once their own is in."""
        cards = Scorecard.objects.get_queryset().visible_to(self.principal).filter(interview=self.get_object())
        rows = cards.select_related("user").order_by("submitted_at", "id")
        return Response({"data": ScorecardSerializer(rows, many=True).data})

    @extend_schema(request=ScorecardSerializer, responses=ScorecardSerializer)
    @scorecards.mapping.post
    def score(self, request: Request, pk: uuid.UUID) -> Response:
        """Write one's own scorecard; with `submit` for good."""
        interview = self.get_object()
        data = self.validated(ScorecardSerializer(data=request.data, context=self.get_serializer_context()))
        card = interviews.score(
            interview=interview, user_id=self.principal.user_id, submit=data.pop("submit", False), **data
        )
        return self.respond(ScorecardSerializer(card).data)


class NewInterviewViewSet(OfApplication):
    serializer_class = InterviewSerializer
    permissions = {"create": WRITE}

    @extend_schema(responses={201: InterviewSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Plan an interview; everybody named, and the applicant unless told otherwise, is invited by mail."""
        application, data = self.get_object(), self.validated()
        people = data.pop("interviewer_ids", [])
        return self.made(interviews.create_interview(application=application, interviewers=people, **data), with_people)


class OfferFilter(django_filters.FilterSet):
    """What GET /offers can be narrowed by."""

    applicationId = django_filters.UUIDFilter(field_name="application_id")
    jobId = django_filters.UUIDFilter(field_name="job_id")
    status = django_filters.ChoiceFilter(choices=OfferStatus.choices)


@extend_schema_view(update=extend_schema(description="Change a draft."))
class OfferViewSet(ListMixin, RetrieveMixin, UpdateMixin, TenantViewSet):
    """What applicants are offered."""

    model = Offer
    serializer_class = OfferSerializer
    filterset_class = OfferFilter
    versioned_actions = ("update", "partial_update", "change_status")
    permissions = {
        "list": "offers:read",
        "retrieve": "offers:read",
        **dict.fromkeys(["update", "partial_update", "change_status"], "offers:write"),
    }

    def get_queryset(self) -> Any:
        return with_offer_people(super().get_queryset())

    def perform_update(self, instance: Offer, data: dict[str, Any]) -> Offer:
        return offers.update_offer(offer=instance, version=take_version(self.request, data), **data)

    @extend_schema(request=OfferStatusChangeSerializer, responses=OfferSerializer)
    @action(detail=True, methods=["post"], url_path="change-status")
    def change_status(self, request: Request, pk: uuid.UUID) -> Response:
        """Submit, approve, send back, send, accept, decline or withdraw an offer.

        Approving takes `offers:approve`, and somebody else than who drafted it unless the settings say otherwise.
        """
        offer, data = self.get_object(), self.validated(OfferStatusChangeSerializer(data=request.data))
        version = take_version(request, data)
        changed = offers.change_offer_status(offer=offer, principal=self.principal, version=version, **data)
        return self.respond(self.represent(changed))


class NewOfferViewSet(OfApplication):
    serializer_class = OfferSerializer
    permissions = {"create": "offers:write"}

    @extend_schema(responses={201: OfferSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Draft an offer to an applicant."""
        application, data = self.get_object(), self.validated()
        data.pop("version", None)
        return self.made(offers.create_offer(application=application, **data), with_offer_people)


class PlacementFilter(django_filters.FilterSet):
    """What GET /placements can be narrowed by."""

    status = django_filters.ChoiceFilter(choices=PlacementStatus.choices)
    clientId = django_filters.UUIDFilter(field_name="client_id")
    jobId = django_filters.UUIDFilter(field_name="job_id")
    contactId = django_filters.UUIDFilter(field_name="contact_id")


class PlacementViewSet(ListMixin, RetrieveMixin, UpdateMixin, TenantViewSet):
    """Who starts where, when, for what fee."""

    model = Placement
    serializer_class = PlacementSerializer
    filterset_class = PlacementFilter
    sort_fields = {"createdAt": "created_at", "startsOn": "starts_on"}
    permissions = {
        "list": "offers:read",
        "retrieve": "offers:read",
        "update": "offers:write",
        "partial_update": "offers:write",
    }

    def get_queryset(self) -> Any:
        return with_placement_parts(super().get_queryset())

    def perform_update(self, instance: Placement, data: dict[str, Any]) -> Placement:
        return offers.update_placement(placement=instance, **data)


class NewPlacementViewSet(OfApplication):
    serializer_class = PlacementSerializer
    permissions = {"create": "offers:write"}

    @extend_schema(responses={201: PlacementSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Place who applied; the application is hired, and the job filled with its last opening."""
        application, data = self.get_object(), self.validated()
        return self.made(offers.create_placement(application=application, **data), with_placement_parts)


class SubmissionFilter(django_filters.FilterSet):
    """What GET /submissions can be narrowed by."""

    status = django_filters.ChoiceFilter(choices=SubmissionStatus.choices)
    clientId = django_filters.UUIDFilter(field_name="client_id")
    applicationId = django_filters.UUIDFilter(field_name="application_id")


class SubmissionViewSet(ListMixin, RetrieveMixin, UpdateMixin, TenantViewSet):
    """Candidates shown to clients."""

    model = Submission
    serializer_class = SubmissionSerializer
    filterset_class = SubmissionFilter
    permissions = {"list": READ, "retrieve": READ, "update": WRITE, "partial_update": WRITE}

    def get_queryset(self) -> Any:
        return with_submission_parts(super().get_queryset())

    def perform_update(self, instance: Submission, data: dict[str, Any]) -> Submission:
        data.pop("client_id", None)
        data.pop("recipient_id", None)
        return pools.update_submission(submission=instance, **data)


class NewSubmissionViewSet(OfApplication):
    serializer_class = SubmissionSerializer
    permissions = {"create": WRITE}

    @extend_schema(responses={201: SubmissionSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Show a candidate to a client, the job's unless given; 409 CLAIMED while they are another recruiter's."""
        application, data = self.get_object(), self.validated()
        submission = pools.create_submission(application=application, principal=self.principal, **data)
        return self.made(submission, with_submission_parts)


def with_people(rows: Any) -> Any:
    people = Interviewer.objects.select_related("user").order_by("id")
    return rows.select_related("created_by", "application").prefetch_related(Prefetch("interviewers", people))


def with_offer_people(rows: Any) -> Any:
    return rows.select_related("job", "application", "approved_by", "created_by")


def with_placement_parts(rows: Any) -> Any:
    return rows.select_related("job", "contact", "client", "created_by").defer("contact__search", "client__search")


def with_submission_parts(rows: Any) -> Any:
    parts = ("application", "client", "recipient", "created_by")
    return rows.select_related(*parts).defer("client__search", "recipient__search")
