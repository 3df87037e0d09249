"""Applications, with what happened to them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from unfold.decorators import display

from contacts.admin.panels import render
from contacts.client_panels import PanelTable
from recruitment.models import Application
from recruitment.services import applications
from recruitment.services.timeline import read_timeline
from vocelio.backoffice.forms import by_id
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.languages.translate import translated

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
            (
                "",
                [
                    date_format(timezone.localtime(entry["at"]), "j M Y, H:i T"),
                    translated(entry["title"]),
                    str(entry["user"] or ""),
                ],
            )
            for entry in entries[:100]
        ]
        return render(PanelTable(["When", "What", "By"], rows))

    def perform_update(self, request: HttpRequest, obj: Application, changes: dict[str, Any]) -> None:
        applications.update_application(application=obj, **by_id(changes, "assigned_to"))
