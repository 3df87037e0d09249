"""Imports: upload a file, watch it go in, fetch the rows that did not."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from contacts.models import ContactImport
from contacts.services.imports import cancel_import, start_import
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.jobs.models import JobStatus


class UploadForm(forms.Form):
    """A file and what to do with it."""

    file = forms.FileField(widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}))
    list_name = forms.CharField(
        label="Add to the list",
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Made when there is none of this name"}),
    )
    skip_duplicates = forms.BooleanField(
        required=False, initial=True, widget=UnfoldBooleanSwitchWidget, help_text="Off: known contacts are updated."
    )
    validate_phones = forms.BooleanField(
        required=False, initial=True, widget=UnfoldBooleanSwitchWidget, help_text="Off: odd numbers are let in."
    )


@admin.register(ContactImport)
class ContactImportAdmin(TenantAdmin):
    permissions = {"view": "contacts:import", "add": "contacts:import", "cancel": "contacts:import"}
    section = "Contacts"
    icon = "upload_file"
    menu_title = "Imports"

    list_display = (
        "filename",
        "live",
        "total_rows",
        "imported_contacts",
        "updated_contacts",
        "duplicates",
        "invalid_contacts",
        "created_by",
        "created_at",
    )
    list_select_related = ("created_by",)
    list_filter = ("status",)
    search_fields = ("filename",)
    fieldsets = (
        (None, {"fields": ("filename", "live", "counts", "rejected_rows", "target_list", "error_message")}),
        (
            "Run",
            {
                "fields": (
                    ("created_by", "created_at"),
                    ("started_at", "completed_at"),
                    ("file_size", "import_type", "attempt"),
                )
            },
        ),
    )
    change_form_template = "backoffice/import.html"

    @admin.display(description="Progress")
    def live(self, job: ContactImport) -> SafeString:
        return progress_bar(job)

    @admin.display(description="Rows")
    def counts(self, job: ContactImport) -> SafeString:
        """Return the counts, which static/backoffice/jobs.js keeps up to date."""
        one = '<span class="count">{} <b data-count="{}">{}</b></span>'
        rows = ((name, name, f"{number:,}") for name, number in job.audit_counts().items())
        return format_html('<div data-counts="{}">{}</div>', job.pk, format_html_join("", one, rows))

    @admin.display(description="Rejected rows")
    def rejected_rows(self, job: ContactImport) -> SafeString | str:
        if not job.invalid_contacts:
            return "none"
        address = reverse("v1:upload-rejected", args=[job.pk])
        return format_html('<a href="{}">Download {} as CSV</a>', address, f"{job.invalid_contacts:,}")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.fieldsets for names in options["fields"] for name in flat(names)]

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("<uuid:pk>/cancel/", site.admin_view(self.cancel), name="contacts_contactimport_cancel"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Take a file in and go where it can be watched."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                job = start_import(**form.cleaned_data)
            except VocelioError as error:
                form.add_error("file", error.message)
            else:
                return redirect("admin:contacts_contactimport_change", job.pk)
        context = {**self.admin_site.each_context(request), "title": "Import contacts", "form": form, "opts": self.opts}
        return TemplateResponse(request, "backoffice/upload.html", context)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        may_cancel = job is not None and not JobStatus(job.status).is_final and self.may(request, "cancel")
        return super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "may_cancel": may_cancel}
        )

    def cancel(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Stop the import after the chunk in hand."""
        if request.method != "POST" or not self.may(request, "cancel"):
            raise PermissionDenied
        cancel_import(get_object_or_404(self.get_queryset(request), pk=pk))
        self.message_user(request, "The import stops after the rows in hand.")
        return redirect("admin:contacts_contactimport_change", pk)


def flat(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names
