"""Applications, interviews, offers and placements."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from contacts.admin.panels import render
from contacts.client_panels import PanelTable
from recruitment.models import Application, Interview, InterviewStatus, Offer, Placement
from recruitment.services import applications, interviews, offers
from recruitment.services.timeline import read_timeline
from vocelio.backoffice.forms import by_id
from vocelio.backoffice.tenant import TenantAdmin

OUTCOMES = {"Open": "info", "Hired": "success", "Rejected": "danger", "Withdrawn": "warning"}


@admin.register(Application)
class ApplicationAdmin(TenantAdmin):
    permissions = {"view": "applications:read", "change": "applications:write"}
    section = "Recruitment"
    icon = "assignment_ind"

    list_display = ("contact", "job", "stage", "state", "rating", "source", "assigned_to", "applied_at")
    list_select_related = ("contact", "job", "stage", "assigned_to")
    list_filter = ("status", "source")
    search_fields = ("contact__last_name", "contact__email", "job__title")
    readonly_fields = ("person", "job", "stage", "status", "answers", "cover_note", "applied_at", "history")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("person", "job"),
                    ("stage", "status"),
                    ("rating", "assigned_to"),
                    ("source", "referrer"),
                    "tags",
                    "outcome_note",
                    "cover_note",
                    "answers",
                )
            },
        ),
        ("What happened", {"fields": ("history",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        self._principal = self.principal(request)
        return rows.alive().defer("contact__search")  # type: ignore[no-any-return]

    @display(description="Status", label=OUTCOMES)  # type: ignore[untyped-decorator]
    def state(self, application: Application) -> str:
        return application.get_status_display()

    @admin.display(description="Applicant")
    def person(self, application: Application) -> SafeString:
        contact = application.contact
        address = reverse("admin:contacts_contact_change", args=[contact.pk])
        return render(
            PanelTable(["Name", "E-mail", "Phone"], [(address, [str(contact), contact.email, contact.phone or ""])])
        )

    @admin.display(description="Timeline")
    def history(self, application: Application) -> SafeString:
        entries = read_timeline(application, self._principal)
        rows = [
            ("", [f"{entry['at']:%d %b %Y %H:%M}", entry["title"], str(entry["user"] or "")]) for entry in entries[:100]
        ]
        return render(PanelTable(["When", "What", "By"], rows))

    def perform_update(self, request: HttpRequest, obj: Application, changes: dict[str, Any]) -> None:
        applications.update_application(application=obj, **by_id(changes, "assigned_to"))


@admin.register(Interview)
class InterviewAdmin(TenantAdmin):
    permissions = {"view": "applications:read", "change": "applications:write"}
    section = "Recruitment"
    icon = "forum"

    ordering = ("-starts_at", "-id")
    list_display = ("title", "who", "kind", "state", "starts_at", "timezone")
    list_select_related = ("application__contact", "application__job")
    list_filter = ("status", "kind")
    readonly_fields = ("who",)
    fields = (
        "who",
        ("title", "kind"),
        ("starts_at", "ends_at"),
        ("timezone", "status"),
        "location",
        "agenda",
        "invites_candidate",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("application__contact__search")

    @admin.display(description="Applicant")
    def who(self, interview: Interview) -> str:
        return str(interview.application)

    @display(  # type: ignore[untyped-decorator]
        description="Status", label={label: "info" for _, label in InterviewStatus.choices}
    )
    def state(self, interview: Interview) -> str:
        return interview.get_status_display()

    def perform_update(self, request: HttpRequest, obj: Interview, changes: dict[str, Any]) -> None:
        interviews.update_interview(interview=obj, **changes)


@admin.register(Offer)
class OfferAdmin(TenantAdmin):
    permissions = {"view": "offers:read"}
    section = "Recruitment"
    icon = "contract"

    list_display = ("job", "status", "starts_on", "expires_on", "approved_by", "sent_at", "decided_at", "created_at")
    list_select_related = ("job", "approved_by")
    list_filter = ("status",)
    fields = ("job", "status", ("starts_on", "expires_on"), "terms", ("approved_by", "approved_at"), "note")


@admin.register(Placement)
class PlacementAdmin(TenantAdmin):
    permissions = {"view": "offers:read", "change": "offers:write"}
    section = "Recruitment"
    icon = "badge"

    list_display = ("contact", "job", "client", "status", "starts_on", "earned", "created_at")
    list_select_related = ("contact", "job", "client")
    list_filter = ("status",)
    readonly_fields = ("contact", "job", "client")
    fields = (("contact", "job", "client"), "status", ("starts_on", "ends_on", "guarantee_until"), ("fee", "currency"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search", "client__search")

    @admin.display(description="Fee")
    def earned(self, placement: Placement) -> str:
        return f"{placement.fee:,.2f} {placement.currency}" if placement.fee else ""

    def perform_update(self, request: HttpRequest, obj: Placement, changes: dict[str, Any]) -> None:
        offers.update_placement(placement=obj, **changes)
