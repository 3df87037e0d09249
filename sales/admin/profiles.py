"""Sales profiles."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from contacts.admin.profiles import ProfileAdmin
from sales.admin.steps import ConvertForm, step_page
from sales.models import SalesProfile
from sales.services import profiles
from sales.services.conversion import convert_lead
from vocelio.languages.numbers import money


@admin.register(SalesProfile)
class SalesProfileAdmin(ProfileAdmin):
    permissions = {**ProfileAdmin.permissions, "convert": "deals:write"}
    section = "Sales"
    icon = "loyalty"
    change_form_template = "backoffice/with_action.html"

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

    def get_urls(self) -> list[URLPattern]:
        convert = self.admin_site.admin_view(self.convert)
        return [path("<uuid:pk>/convert/", convert, name="sales_salesprofile_convert"), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer to make a deal of the lead."""
        offered = None
        if object_id and self.may(request, "convert"):
            page = reverse("admin:sales_salesprofile_convert", args=[object_id])
            offered = {"page": page, "label": "Convert into a client and a deal"}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "offered": offered})

    def convert(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Ask what becomes of the lead, and make it."""
        if not self.may(request, "convert"):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related("contact", "client").defer("contact__search", "client__search")
        profile: SalesProfile = get_object_or_404(rows, pk=pk)
        principal = self.principal(request)
        form = ConvertForm(profile, principal, request.POST or None)

        def act() -> HttpResponse:
            result = convert_lead(principal=principal, contact_id=profile.contact_id, **form.arguments())
            made = ", ".join(result.created) or "nothing"
            self.message_user(request, f"{result.contact} is converted. New: {made}.", messages.SUCCESS)
            if result.deal is None:
                return redirect("admin:sales_salesprofile_change", pk)
            return redirect("admin:sales_deal_change", result.deal.pk)

        return step_page(
            self,
            request,
            form,
            act,
            title=f"Convert {profile.contact}",
            explained="All of it is made, or, where anything is refused, nothing.",
            label="Convert",
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
        return money(profile.budget, profile.currency, cents=False) if profile.budget is not None else ""

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
