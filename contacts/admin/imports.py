"""Imports of contacts, clients and what apps above add: upload a file, watch it go in, fetch the rows that did not."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from contacts.admin.drafts import DraftForm, shown_preview
from contacts.incoming import Options, Policy
from contacts.models import ContactImport, RecordType
from contacts.record_kinds import record_choices, record_kind, record_kinds
from contacts.services.import_kinds import RECORDS
from contacts.services.import_plans import NoColumns
from contacts.services.imports import cancel_import, start_draft, start_import
from contacts.services.presets import create_preset
from contacts.services.previews import latest_preview, start_preview
from contacts.services.undo import latest_undo, start_undo, undo_deadline
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.jobs.models import JobStatus
from vocelio.languages.numbers import number
from vocelio.languages.translate import translated

COUNTS = {"created": "new", "updated": "changed", "skipped": "nothing to do", "rejected": "rejected"}
UNDONE = {
    "removed": "removed",
    "kept": "kept, used since",
    "restored": "restored",
    "partly_restored": "partly restored",
    "unrestored": "changed since",
    "gone": "gone already",
    "unlisted": "off the list",
}


class UploadForm(forms.Form):
    """A file and what to do with it."""

    file = forms.FileField(widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}))
    record_type = forms.ChoiceField(
        label="The rows are",
        choices=record_choices,
        initial=RecordType.CONTACT,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    list_name = forms.CharField(
        label="Add contacts to the list",
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Made when there is none of this name"}),
    )
    skip_duplicates = forms.BooleanField(
        required=False, initial=True, widget=UnfoldBooleanSwitchWidget, help_text="Off: known records are updated."
    )
    validate_phones = forms.BooleanField(
        required=False, initial=True, widget=UnfoldBooleanSwitchWidget, help_text="Off: odd numbers are let in."
    )

    def arguments(self) -> dict[str, Any]:
        """Return the input as the service takes it."""
        data = self.cleaned_data
        options = Options(
            policy=Policy.SKIP if data["skip_duplicates"] else Policy.OVERWRITE,
            validate_phones=data["validate_phones"],
        )
        kind = data["record_type"] or RecordType.CONTACT
        return {
            "file": data["file"],
            "record_type": kind,
            # The page proposes the file's name, whatever the rows are.
            "list_name": data["list_name"] if RECORDS[kind].has_lists else "",
            "options": options,
        }


@admin.register(ContactImport)
class ContactImportAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "add", "cancel", "undo"], "contacts:import")
    section = "Contacts"
    icon = "upload_file"
    menu_title = "Imports"

    list_display = (
        "filename",
        "record_type",
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
    list_filter = ("record_type", "status")
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
        rows = ((translated(name), name, number(count)) for name, count in job.audit_counts().items())
        return format_html('<div data-counts="{}">{}</div>', job.pk, format_html_join("", one, rows))

    @admin.display(description="Rejected rows")
    def rejected_rows(self, job: ContactImport) -> SafeString | str:
        if not job.invalid_contacts:
            return "none"
        address = reverse(f"v1:{record_kind(job.record_type).routes}-rejected", args=[job.pk])
        return format_html(
            '<a href="{}">{}</a>', address, translated(f"Download {number(job.invalid_contacts)} as CSV")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.fieldsets for names in options["fields"] for name in flat(names)]

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("<uuid:pk>/cancel/", site.admin_view(self.cancel), name="contacts_contactimport_cancel"),
            path("<uuid:pk>/draft/", site.admin_view(self.draft), name="contacts_contactimport_draft"),
            path("<uuid:pk>/undo/", site.admin_view(self.undo), name="contacts_contactimport_undo"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Take a file in and go where it can be watched."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(
            request.POST or None,
            request.FILES or None,
            initial={"record_type": request.GET.get("of", RecordType.CONTACT)},
        )
        if request.method == "POST" and form.is_valid():
            kind = record_kind(form.cleaned_data["record_type"] or RecordType.CONTACT)
            if not self.principal(request).may(kind.permission):
                raise PermissionDenied
            look_first = "look" in request.POST
            try:
                job = start_import(**form.arguments(), preview=look_first)
                if look_first:
                    with suppress(NoColumns):
                        start_preview(job, options={})
            except VocelioError as error:
                form.add_error("file", error.message)
            else:
                page = "draft" if look_first else "change"
                return redirect(f"admin:contacts_contactimport_{page}", job.pk)
        context = {**self.admin_site.each_context(request), "title": "Import a file", "form": form, "opts": self.opts}
        context["templates"] = [
            (translated(kind.label).lower(), reverse(f"v1:{kind.template}")) for kind in record_kinds()
        ]
        return TemplateResponse(request, "backoffice/upload.html", context)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if job is not None:
            undo = latest_undo(job)
            until = undo_deadline(job)
            is_undone = undo is not None and undo.status in (
                JobStatus.PENDING,
                JobStatus.PROCESSING,
                JobStatus.COMPLETED,
            )
            context |= {
                "is_draft": job.is_draft and job.status == JobStatus.PENDING,
                "may_cancel": not JobStatus(job.status).is_final and self.may(request, "cancel"),
                "may_undo": until is not None
                and until > timezone.now()
                and not is_undone
                and self.may(request, "undo"),
                "undoable_until": until,
                "undo": undo,
                "undo_bar": progress_bar(undo) if undo else "",
                "undo_counts": [(UNDONE[name], name, number) for name, number in undo.audit_counts().items()]
                if undo
                else [],
            }
        return super().changeform_view(request, object_id, form_url, context)

    def draft(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show what is in the file and what an import would do; run it again otherwise, or start."""
        if not self.may(request, "add"):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request).select_related("target_list"), pk=pk)
        if not job.is_draft or job.status != JobStatus.PENDING:
            return redirect("admin:contacts_contactimport_change", pk)
        form = DraftForm(job, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    if name := form.cleaned_data["save_as"].strip():
                        create_preset(name=name, options=form.options(), record_type=job.record_type)
                    if "start" in request.POST:
                        list_name = form.cleaned_data.get("list_name", "").strip()
                        start_draft(job, options=form.options(), list_name=list_name)
                        return redirect("admin:contacts_contactimport_change", pk)
                    start_preview(job, options=form.options())
                    return redirect("admin:contacts_contactimport_draft", pk)
            except VocelioError as error:
                form.add_error(None, error.message)
        preview = latest_preview(job)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Look at {job.filename}",
            "opts": self.opts,
            "form": form,
            "job": job,
            "layout": job.layout,
            "known_by": record_kind(job.record_type).known_by,
            "found": shown_preview(preview),
            "bar": progress_bar(preview) if preview else "",
            "count_names": COUNTS,
            "counts": [(title, name, preview.audit_counts()[name]) for name, title in COUNTS.items()]
            if preview
            else [],
        }
        return TemplateResponse(request, "backoffice/draft.html", context)

    def undo(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Take the import back."""
        if request.method != "POST" or not self.may(request, "undo"):
            raise PermissionDenied
        start_undo(get_object_or_404(self.get_queryset(request), pk=pk))
        self.message_user(request, "The import is being taken back.")
        return redirect("admin:contacts_contactimport_change", pk)

    def cancel(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Stop the import after the chunk in hand."""
        if request.method != "POST" or not self.may(request, "cancel"):
            raise PermissionDenied
        cancel_import(get_object_or_404(self.get_queryset(request), pk=pk))
        self.message_user(request, "The import stops after the rows in hand.")
        return redirect("admin:contacts_contactimport_change", pk)


def flat(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names
