"""/dnc/check, /dnc/opt-outs, /dnc/permissions, /dnc/attempts, /dnc/history, /dnc/rules"""

from datetime import date
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from dnc.filters import EmailOptOutFilter, NumberFilter, PermissionFilter
from dnc.models import Certificate, ContactAttempt, DncEntry, EmailOptOut, Permission
from dnc.rules.book import all_rules, version
from dnc.serializers.scrubs import HistorySerializer, RuleSerializer, RulesSerializer
from dnc.serializers.verdicts import (
    AttemptSerializer,
    CheckAnswerSerializer,
    CheckSerializer,
    EmailOptOutSerializer,
    OptOutAnswerSerializer,
    OptOutSerializer,
    PermissionSerializer,
)
from dnc.services import entries, facts_store
from dnc.services.certificates import check_numbers
from dnc.services.history import history_of
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Invalid


class CheckViewSet(TenantViewSet):
    """The verdict on numbers."""

    model = Certificate
    serializer_class = CheckSerializer
    permissions = {"create": "dnc:check"}
    # A check is repeated rather than replayed: an answer of yesterday is no verdict.
    keeps_answers = False

    @extend_schema(request=CheckSerializer, responses={200: CheckAnswerSerializer})
    def create(self, request: Request) -> Response:
        """Judge up to 10,000 numbers at once, in the order asked, and leave a certificate.

        Each answer names a code, every reason with its list and version, and for each way of contact whether it is
        allowed, now or in how many seconds. What cannot be proven clean is blocked.
        """
        data = self.validated()
        verdicts, certificate_id = check_numbers(data["phone_numbers"], at=data.get("at"))
        return Response(
            {
                "data": [verdict.described() for verdict in verdicts],
                "certificateId": certificate_id,
                "rulesVersion": version(),
            }
        )


class OptOutViewSet(TenantViewSet):
    """People who said no."""

    model = DncEntry
    serializer_class = OptOutSerializer
    permissions = {"create": "dnc:check"}

    @extend_schema(request=OptOutSerializer, responses={201: OptOutAnswerSerializer})
    def create(self, request: Request) -> Response:
        """Store that people said no, by number or e-mail address, for all channels unless one is named.

        It holds from this request's commit on, for everybody and for good.
        """
        return self.respond(entries.add_opt_outs(**self.validated()), status=201)


class EmailOptOutViewSet(ListMixin, DestroyMixin, TenantViewSet):
    """Addresses whose owners said no; numbers stand on the company's own list."""

    model = EmailOptOut
    serializer_class = EmailOptOutSerializer
    filterset_class = EmailOptOutFilter
    permissions = dict.fromkeys(["list", "destroy"], "dnc:manage")

    def perform_destroy(self, instance: EmailOptOut) -> str:
        entries.take_back_email_opt_out(instance)
        return "The address may be written to again"


class PermissionViewSet(ListMixin, CreateMixin, RetrieveMixin, TenantViewSet):
    """Business relationships and consents, with where their proof is kept."""

    model = Permission
    serializer_class = PermissionSerializer
    filterset_class = PermissionFilter
    sort_fields = {"createdAt": "created_at", "occurredOn": "occurred_on"}
    permissions = dict.fromkeys(["list", "retrieve", "create", "revoke"], "dnc:manage")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("created_by")

    def perform_create(self, data: dict[str, Any]) -> Permission:
        return facts_store.grant_permission(**data)

    @extend_schema(request=None, responses=PermissionSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """End a permission from now on; its record stays."""
        return self.respond(self.represent(facts_store.revoke_permission(self.get_object())))


class AttemptViewSet(ListMixin, CreateMixin, TenantViewSet):
    """Records of calls and messages, which frequency caps count."""

    model = ContactAttempt
    serializer_class = AttemptSerializer
    filterset_class = NumberFilter
    sort_fields = {"createdAt": "created_at", "attemptedAt": "attempted_at"}
    permissions = {"list": "dnc:manage", "create": "dnc:check"}

    def perform_create(self, data: dict[str, Any]) -> ContactAttempt:
        return facts_store.note_attempt(**data)


class HistoryViewSet(TenantViewSet):
    """Everything known of one number."""

    model = DncEntry
    permissions = {"retrieve": "dnc:manage"}

    @extend_schema(
        operation_id="dnc_history_retrieve",
        parameters=[
            OpenApiParameter("phoneNumber", str, required=True),
            OpenApiParameter("on", OpenApiTypes.DATE, description="Whether registries listed it on this day."),
        ],
        responses=HistorySerializer,
    )
    def retrieve(self, request: Request) -> Response:
        """Show one number's entries, registry changes, permissions, facts, attempts and scrub results."""
        text, day = request.query_params.get("phoneNumber", ""), request.query_params.get("on")
        if "\0" in text or not text:
            raise Invalid.field("phoneNumber", "Give the number.", constraint="required")
        try:
            on = date.fromisoformat(day) if day is not None else None
        except ValueError:
            raise Invalid.field("on", "on must be a day, YYYY-MM-DD.", value=str(day)[:20], constraint="date") from None
        return self.respond(history_of(text[:50], on))


class RuleViewSet(TenantViewSet):
    """The rules that verdicts follow."""

    model = Certificate
    permissions = {"retrieve": "dnc:check"}

    @extend_schema(operation_id="dnc_rules", responses=RulesSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show every rule with where, from when to when it holds, and its source."""
        return self.respond(RuleSerializer(all_rules(), many=True).data)
