"""People who sign in, and where they are signed in."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from vocelio.backoffice.tenant import PlatformAdmin, TenantAdmin
from vocelio.users.models import Session, User
from vocelio.users.services.people import disable_user, enable_user, operator_resets_second_factor
from vocelio.users.services.sessions import end_sessions
from vocelio.users.services.trail import record_everywhere

# Permissions come from roles.py; Django's groups would only look as if they did something.
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(PlatformAdmin):
    """Operators see everybody; what they change is told to each organization the person belongs to."""

    icon = "person"
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login", "created_at")
    readonly_fields = ("last_login", "created_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if obj is not None else self.fields[:-2]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "email")

    actions = ("reset_two_step",)

    @admin.action(description="Reset the two-step log-in of the selected people")
    def reset_two_step(self, request: HttpRequest, queryset: Any) -> None:
        for user in queryset:
            operator_resets_second_factor(user)
        self.message_user(request, "Their two-step log-in is off, and their sessions have ended.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: people are disabled, since their work keeps their name."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            # They choose a password by the reset e-mail.
            obj.set_unusable_password()
            obj.email = obj.email.lower()
        is_switched, is_wanted = change and "is_active" in form.changed_data, obj.is_active
        if is_switched:
            # Organizations are told of what happens to an active member: first in, or last out.
            obj.is_active = not is_wanted
            if is_wanted:
                enable_user(user=obj)
        super().save_model(request, obj, form, change)
        if fields := sorted(set(form.changed_data) - {"is_active"}):
            record_everywhere("user.updated", user_id=obj.pk, fields=fields)
        if is_switched and not is_wanted:
            disable_user(user=obj)


@admin.register(Session)
class SessionAdmin(TenantAdmin):
    """Devices on which members are signed in to the chosen organization's API."""

    permissions = {"view": "members:manage", "end": "members:manage"}
    section = "Organization"
    icon = "devices"

    list_display = (
        "user",
        "ip_address",
        "user_agent",
        "created_at",
        "last_used_at",
        "expires_at",
        "ended_at",
        "end_reason",
    )
    list_select_related = ("user",)
    search_fields = ("user__email",)
    actions = ("end",)
    fields = list_display
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return super().get_queryset(request).filter(organization_id=self.principal(request).organization_id)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "end")

    @admin.action(description="End the selected sessions", permissions=["end"])
    def end(self, request: HttpRequest, queryset: Any) -> None:
        ended = end_sessions(queryset, reason="ended_by_admin")
        self.message_user(request, f"Ended {ended} sessions.")
