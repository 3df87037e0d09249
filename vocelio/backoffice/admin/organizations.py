"""The chosen organization, who belongs to it and who is invited; operators see every organization."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from vocelio.backoffice.organizations import create_organization
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.members.models import Invitation
from vocelio.members.services.invitations import invite_member, revoke_invitation
from vocelio.members.services.members import reset_second_factor, update_member
from vocelio.members.services.organization import update_organization
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import SecondFactor

ROLE_COLORS = {"Admin": "danger", "Manager": "info", "Agent": "success"}


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    permissions = {"view": "members:read", "change": "organization:manage"}
    section = "Organization"
    icon = "apartment"

    list_display = ("name", "slug", "subscription_tier", "default_region", "visibility", "is_active", "created_at")
    search_fields = ("name", "slug")
    ordering: tuple[str, ...] = ("name",)
    fields = (
        "name",
        "slug",
        "subscription_tier",
        "default_region",
        "visibility",
        "language",
        "time_zone",
        "number_format",
        "is_active",
        "settings",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        queryset = super().get_queryset(request)
        if self._is_operator(request):
            return queryset
        return queryset.filter(pk=self.principal(request).organization_id)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The slug is part of addresses.
        fixed = () if obj is None else ("slug",)
        return (
            (*self.readonly_fields, *fixed)
            if self._is_operator(request)
            else (*self.readonly_fields, "slug", "is_active")
        )

    def may(self, request: HttpRequest, action: str) -> bool:
        """Let operators add organizations and change any, beyond what roles allow."""
        if self._is_operator(request):
            return action in {"view", "add", "change"}
        return super().may(request, action)

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Organization:
        return create_organization(**data)

    def perform_update(self, request: HttpRequest, obj: Organization, changes: dict[str, Any]) -> None:
        with organization_scope(obj.pk):
            update_organization(obj, **changes)

    def _is_operator(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    permissions = {"view": "members:read", "change": "members:manage"}
    section = "Organization"
    icon = "group"
    menu_title = "Members"

    list_display = ("user", "email", "shown_role", "team", "in_two_steps", "is_break_glass", "is_active", "created_at")
    list_select_related = ("user",)
    list_filter = ("role", "is_active")
    search_fields = ("user__email", "user__name", "team")
    fields = ("user", "role", "team", "is_active", "is_break_glass", "in_two_steps", "created_at")
    readonly_fields = ("user", "in_two_steps", "created_at")
    actions = ("reset_two_step",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        confirmed = SecondFactor.objects.filter(user=OuterRef("user"), confirmed_at__isnull=False)
        rows: QuerySet[Membership] = super().get_queryset(request).annotate(has_second_factor=Exists(confirmed))
        return rows

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")

    @admin.display(description="Two-step log-in", boolean=True)
    def in_two_steps(self, membership: Any) -> bool:
        return bool(membership.has_second_factor)

    @admin.action(description="Reset the two-step log-in of the selected members", permissions=["reset"])
    def reset_two_step(self, request: HttpRequest, queryset: Any) -> None:
        for membership in queryset.select_related("user"):
            reset_second_factor(membership)
        self.message_user(request, "The members were told by mail.")

    @admin.display(description="E-mail")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @display(description="Role", label=ROLE_COLORS)  # type: ignore[untyped-decorator]
    def shown_role(self, membership: Membership) -> str:
        return Role(membership.role).label

    def perform_update(self, request: HttpRequest, obj: Membership, changes: dict[str, Any]) -> None:
        update_member(obj, **changes)


@admin.register(Invitation)
class InvitationAdmin(TenantAdmin):
    """Invitations that wait for an answer; the link itself is only ever in the mail."""

    permissions = {"view": "members:manage", "add": "members:manage", "delete": "members:manage"}
    section = "Organization"
    icon = "mail"

    list_display = ("email", "shown_role", "team", "invited_by", "created_at", "sent_at", "expires_at", "accepted_at")
    list_select_related = ("invited_by",)
    search_fields = ("email",)
    fields = ("email", "name", "role", "team")

    @display(description="Role", label=ROLE_COLORS)  # type: ignore[untyped-decorator]
    def shown_role(self, invitation: Invitation) -> str:
        return Role(invitation.role).label

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Invitation:
        return invite_member(**data)[0]

    def perform_delete(self, request: HttpRequest, obj: Invitation) -> None:
        revoke_invitation(obj)
