"""Sales profiles."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from contacts.admin.profiles import ProfileAdmin
from sales.models import SalesProfile
from sales.services import profiles


@admin.register(SalesProfile)
class SalesProfileAdmin(ProfileAdmin):
    section = "Sales"
    icon = "loyalty"

    service_to_make_primary = staticmethod(profiles.make_sales_profile_primary)
    list_display = (
        "person",
        "headline",
        "shown_status",
        "buying_role",
        "score",
        "shown_budget",
        "territory",
        "is_primary",
    )
    list_filter = ("lead_status", "buying_role", "is_primary")
    search_fields = ("headline", "contact__last_name", "contact__email")
    raw_id_fields = ("contact", "client")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("contact", "client"),
                    ("headline", "is_primary"),
                    ("lead_status", "lead_source"),
                    ("buying_role", "score"),
                    ("budget", "lifetime_value"),
                    ("currency", "territory"),
                    "interests",
                    "notes",
                )
            },
        ),
        ("History", {"fields": (("created_by", "created_at"), "updated_at")}),
    )

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> SalesProfile:
        data = self.visible_contact(request, data)
        return profiles.create_sales_profile(principal=self.principal(request), **client_by_id(data))

    def perform_update(self, request: HttpRequest, obj: SalesProfile, changes: dict[str, Any]) -> None:
        profiles.update_sales_profile(profile=obj, principal=self.principal(request), **client_by_id(changes))

    def perform_delete(self, request: HttpRequest, obj: SalesProfile) -> None:
        profiles.delete_sales_profile(profile=obj)

    @admin.display(description="Budget")
    def shown_budget(self, profile: SalesProfile) -> str:
        return f"{profile.budget:,.0f} {profile.currency}" if profile.budget is not None else ""

    @display(  # type: ignore[untyped-decorator]
        description="Lead",
        label={
            "New": "info",
            "Qualified": "success",
            "Customer": "success",
            "Lost": "danger",
            "Unqualified": "warning",
        },
    )
    def shown_status(self, profile: SalesProfile) -> str:
        return profile.get_lead_status_display()


def client_by_id(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as the services take them: the company by id."""
    values = dict(values)
    if "client" in values:
        client = values.pop("client")
        values["client_id"] = client.pk if client else None
    return values
