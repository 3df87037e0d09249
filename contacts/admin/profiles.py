"""The base of the pages of profiles, whatever their kind."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from contacts.models import Profile
from contacts.services.client_relations import contact_to_add
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError


class ProfileAdmin(TenantAdmin):
    """Pages of one kind of profile; subclasses name the services."""

    # The service that makes a profile its contact's primary one.
    service_to_make_primary: ClassVar[Callable[..., Any]]

    permissions = {
        "view": "profiles:read",
        "add": "profiles:write",
        "change": "profiles:write",
        "delete": "profiles:delete",
    }
    actions = ("make_primary",)
    list_select_related = ("contact",)
    raw_id_fields: tuple[str, ...] = ("contact",)
    readonly_fields: tuple[str, ...] = ("is_primary", "created_by", "created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else (*fields, "contact")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(contact__deleted_at__isnull=True).defer("contact__search")

    def has_make_primary_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")

    @admin.action(description="Make the selected profiles primary", permissions=["make_primary"])
    def make_primary(self, request: HttpRequest, queryset: Any) -> None:
        for profile in queryset:
            try:
                self.service_to_make_primary(profile=profile)
            except VocelioError as error:
                self.message_user(request, f"{profile}: {error.message}", messages.WARNING)

    def visible_contact(self, request: HttpRequest, data: dict[str, Any]) -> dict[str, Any]:
        """Return the form's values with a contact that the person may see."""
        contact = contact_to_add(data["contact"].pk, self.principal(request))
        return {**data, "contact": contact}

    @admin.display(description="Person")
    def person(self, profile: Profile) -> str:
        return str(profile.contact)
