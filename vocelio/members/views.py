"""/members, /members/invitations, /organization"""

from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.access.permissions import PUBLIC
from vocelio.access.roles import SELF
from vocelio.api.serializers import MessageSerializer
from vocelio.api.viewsets import ApiViewSet, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.members.filters import InvitationFilter, MemberFilter
from vocelio.members.models import Invitation
from vocelio.members.serializers import (
    AcceptInvitationSerializer,
    InvitationSerializer,
    MemberSerializer,
    OrganizationSerializer,
    RetentionChangeSerializer,
    RetentionSerializer,
)
from vocelio.members.services import invitations, members
from vocelio.members.services.organization import set_retention, update_organization
from vocelio.organizations.models import Membership, Organization, RetentionRule
from vocelio.organizations.retention import all_kept, kept_days
from vocelio.users.models import SecondFactor
from vocelio.users.serializers import TokensSerializer
from vocelio.users.views import answer_tokens


class MemberViewSet(ListMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """The people of the organization."""

    model = Membership
    serializer_class = MemberSerializer
    filterset_class = MemberFilter
    sort_fields = {"createdAt": "created_at", "name": "member_name", "email": "member_email", "role": "role"}
    default_sort = "name"
    permissions = {
        "list": "members:read",
        "retrieve": "members:read",
        "update": "members:manage",
        "partial_update": "members:manage",
        "destroy": "members:manage",
        "reset_totp": "members:manage",
    }

    def get_queryset(self) -> QuerySet[Membership]:
        queryset: QuerySet[Membership] = super().get_queryset().select_related("user")
        confirmed = SecondFactor.objects.filter(user=OuterRef("user"), confirmed_at__isnull=False)
        return queryset.annotate(
            member_name=F("user__name"), member_email=F("user__email"), has_second_factor=Exists(confirmed)
        )

    def perform_update(self, instance: Membership, data: dict[str, Any]) -> Membership:
        members.update_member(instance, **data)
        return self.get_queryset().get(pk=instance.pk)

    @extend_schema(responses={200: MessageSerializer})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Deactivate a member; what they made stays."""
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: Membership) -> str:
        members.deactivate_member(instance)
        return "Member deactivated"

    @extend_schema(request=None, responses={200: MessageSerializer})
    @action(detail=True, methods=["post"], url_path="totp-reset")
    def reset_totp(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Switch a member's two-step log-in off, who lost phone and recovery codes; ends their sessions, tells them.

        Somebody who belongs to other organizations too is left to the platform's operator (409).
        """
        members.reset_second_factor(self.get_object())
        return self.message("Two-step log-in reset; the member was told by mail.")


class InvitationViewSet(ListMixin, DestroyMixin, TenantViewSet):
    """Invitations that nobody has accepted yet."""

    model = Invitation
    serializer_class = InvitationSerializer
    filterset_class = InvitationFilter
    permissions = {"list": "members:manage", "create": "members:manage", "destroy": "members:manage"}

    def get_queryset(self) -> QuerySet[Invitation]:
        return super().get_queryset().filter(accepted_at=None).select_related("invited_by")

    @extend_schema(responses={201: InvitationSerializer, 200: InvitationSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Invite somebody by e-mail (201), or send the invitation again with a new link (200)."""
        invitation, is_new = invitations.invite_member(**self.validated())
        return self.respond(self.get_serializer(invitation).data, status=201 if is_new else 200)

    @extend_schema(responses={200: MessageSerializer})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Withdraw an invitation; its link opens nothing any more."""
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: Invitation) -> str:
        invitations.revoke_invitation(instance)
        return "Invitation withdrawn"


class AcceptInvitationViewSet(ApiViewSet):
    """Joining by the link of the mail. Takes no Authorization header, so that a stale one does no harm."""

    authentication_classes = ()
    permissions = {"accept": PUBLIC}

    @extend_schema(request=AcceptInvitationSerializer, responses=TokensSerializer)
    @action(detail=False, methods=["post"])
    def accept(self, request: Request) -> Response:
        """Join and sign in: newcomers set a password, people with an account prove theirs."""
        data = self.validated(AcceptInvitationSerializer(data=request.data))
        return answer_tokens(invitations.accept_invitation(**data))


class OrganizationViewSet(RetrieveMixin, UpdateMixin, TenantViewSet):
    """The caller's organization."""

    model = Organization
    serializer_class = OrganizationSerializer
    permissions = {"retrieve": SELF, "update": "organization:manage", "partial_update": "organization:manage"}

    def get_queryset(self) -> QuerySet[Organization]:
        return Organization.objects.filter(pk=self.principal.organization_id)

    def get_object(self) -> Organization:
        return get_object_or_404(self.get_queryset())

    def perform_update(self, instance: Organization, data: dict[str, Any]) -> Organization:
        return update_organization(instance, **data)


class RetentionViewSet(TenantViewSet):
    """How long the organization keeps what."""

    model = RetentionRule
    permissions = {"retrieve": "organization:manage", "update": "organization:manage"}

    @extend_schema(responses=RetentionSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show each kind of data with its days and within which bounds they can be chosen."""
        return self.respond(RetentionSerializer({"kinds": all_kept()}, context={"days": kept_days()}).data)

    @extend_schema(request=RetentionChangeSerializer, responses=RetentionSerializer)
    def update(self, request: Request) -> Response:
        """Choose for how many days kinds of data are kept; upkeep removes what is past its time within the hour."""
        set_retention(**self.validated(RetentionChangeSerializer(data=request.data)))
        return self.retrieve(request)
