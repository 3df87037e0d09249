"""Exports: ask for a file of the contacts a list shows, watch it being written, fetch it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget

from contacts.filters.selection import Selection
from contacts.models import ContactExport
from contacts.services.exports import fetch_export, start_export
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.storage.downloads import file_answer

# What the list of contacts in the back office is narrowed by, in the words of the API.
FILTERS = {"q": "search", "list": "listId", "status__exact": "status", "created_at_from": "createdFrom"}


class ExportForm(forms.Form):
    format = forms.ChoiceField(choices=ContactExport.Format.choices, widget=UnfoldAdminSelectWidget)


@admin.register(ContactExport)
class ContactExportAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "add"], "contacts:export")
    section = "Contacts"
    icon = "download"
    menu_title = "Exports"

    list_display = ("filename", "live", "rows", "size", "download_link", "created_by", "created_at")
    list_display_links = None
    list_select_related = ("created_by",)
    list_filter = ("status",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Progress")
    def live(self, job: ContactExport) -> SafeString:
        return progress_bar(job)

    @admin.display(description="Size")
    def size(self, job: ContactExport) -> str:
        return filesizeformat(job.file_size) if job.file_size else ""

    @admin.display(description="File")
    def download_link(self, job: ContactExport) -> SafeString | str:
        if not job.is_available:
            return job.error_message
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">Download</a>',
            reverse("admin:contacts_contactexport_download", args=[job.pk]),
        )

    def get_urls(self) -> list[URLPattern]:
        download = self.admin_site.admin_view(self.download)
        return [path("<uuid:pk>/download/", download, name="contacts_contactexport_download"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a file of what the list of contacts showed."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        chosen = {FILTERS[name]: value for name, value in request.GET.items() if name in FILTERS and value}
        form = ExportForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                start_export(
                    principal=self.principal(request),
                    choose=Selection(chosen).contacts,
                    filter=chosen,
                    format=form.cleaned_data["format"],
                )
            except VocelioError as error:
                form.add_error(None, error.message)
            else:
                return redirect("admin:contacts_contactexport_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": "Export contacts",
            "form": form,
            "opts": self.opts,
            "chosen": chosen,
        }
        return TemplateResponse(request, "backoffice/export.html", context)

    def download(self, request: HttpRequest, pk: Any) -> HttpResponseBase:
        """Fetch a finished file."""
        if not self.may(request, "view"):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request), pk=pk)
        return file_answer(fetch_export(job), filename=job.filename, content_type=job.content_type)
