"""Changes to whatever a filter finds: preview, start, watch, undo."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts.filters.contacts import contacts_matching
from contacts.models import BulkJob, ContactList
from contacts.services.bulk_jobs import UNDO, preview_bulk, start_bulk, undo_bulk
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.jobs.models import JobStatus

OPERATIONS = [
    ("add-tags", "Add tags"),
    ("remove-tags", "Remove tags"),
    ("add-to-list", "Add to a list"),
    ("remove-from-list", "Remove from a list"),
    ("delete", "Move to the trash"),
]


class BulkForm(forms.Form):
    """Which contacts, and what to do with them."""

    filter = forms.CharField(
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "state=CA&tags=vip"}),
        help_text="Parameters of GET /v1/contacts; empty for all contacts.",
    )
    operation = forms.ChoiceField(choices=OPERATIONS, widget=UnfoldAdminSelectWidget)
    tags = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget, help_text="By commas.")
    list = forms.ModelChoiceField(queryset=ContactList.objects.none(), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["list"]
        chosen.queryset = ContactList.objects.filter(filter__isnull=True).order_by("name")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        operation = data.get("operation", "")
        if operation.endswith("tags"):
            tags = list(dict.fromkeys(tag.strip()[:100] for tag in data.get("tags", "").split(",") if tag.strip()))
            if not tags:
                self.add_error("tags", "Name at least one tag.")
            data["data"] = {"tags": tags}
        elif operation.endswith("list"):
            if not data.get("list"):
                self.add_error("list", "Choose a list.")
            else:
                data["data"] = {"list_id": data["list"].pk}
        data["parameters"] = {name: value for name, value in QueryDict(data.get("filter", "")).items() if value}
        return data


@admin.register(BulkJob)
class BulkJobAdmin(TenantAdmin):
    permissions = {"view": "contacts:bulk", "add": "contacts:bulk", "undo": "contacts:bulk"}
    section = "Contacts"
    icon = "edit_note"
    menu_title = "Bulk changes"

    list_display = ("action", "live", "succeeded", "failed", "created_by", "created_at")
    list_select_related = ("created_by",)
    list_filter = ("status",)
    readonly_fields = (
        "action", "live", "filter", "data", "succeeded", "failed", "failures_shown", "error_message", "created_by", "created_at"
    )  # fmt: skip
    fields = readonly_fields
    change_form_template = "backoffice/with_action.html"

    @admin.display(description="Progress")
    def live(self, job: BulkJob) -> SafeString:
        return progress_bar(job)

    @admin.display(description="First failures")
    def failures_shown(self, job: BulkJob) -> str:
        return (
            "\n".join(f"{each.contact_id}: {each.error}" for each in job.failures.order_by("contact_id")[:20]) or "none"
        )

    def get_urls(self) -> list[URLPattern]:
        undo = self.admin_site.admin_view(self.undo)
        return [path("<uuid:pk>/undo/", undo, name="contacts_bulkjob_undo"), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        offered = None
        if job is not None and JobStatus(job.status).is_final and job.action != UNDO and self.may(request, "undo"):
            offered = {"address": reverse("admin:contacts_bulkjob_undo", args=[job.pk]), "label": "Undo this change"}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "offered": offered})

    def undo(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Take back what the job did."""
        if request.method != "POST" or not self.may(request, "undo"):
            raise PermissionDenied
        try:
            undoing = undo_bulk(get_object_or_404(self.get_queryset(request), pk=pk))
        except VocelioError as error:
            self.message_user(request, error.message, messages.WARNING)
            return redirect("admin:contacts_bulkjob_change", pk)
        return redirect("admin:contacts_bulkjob_change", undoing.pk)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Say how many contacts it concerns, then start and go where it can be watched."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = BulkForm(request.POST or None)
        count = None
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                found = contacts_matching(data["parameters"], self.principal(request))
                count, _ = preview_bulk(found)
                if "start" in request.POST:
                    job = start_bulk(
                        action=data["operation"], filter=data["parameters"], data=data.get("data", {}), found=found
                    )
                    return redirect("admin:contacts_bulkjob_change", job.pk)
            except VocelioError as error:
                form.add_error("filter", error.details.get("errors", [{}])[0].get("message") or error.message)
        context = {
            **self.admin_site.each_context(request),
            "title": "Change many contacts",
            "form": form,
            "count": count,
            "opts": self.opts,
        }
        return TemplateResponse(request, "backoffice/bulk.html", context)
