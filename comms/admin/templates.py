"""Templates, with a preview beside the words."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from comms.admin.accounts import SECTION
from comms.admin.previews import problem, reachable_contact, shown
from comms.models import CommunicationTemplate, Medium
from comms.services import analytics, templates
from comms.services.rendering import KNOWN
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.languages.numbers import number

HELP = "Use {{first_name|there}} and the like: " + ", ".join(KNOWN)


class TemplateForm(TenantForm):
    """A template with the wording in force; another text is another version."""

    subject = forms.CharField(required=False, max_length=300, widget=UnfoldAdminTextInputWidget)
    body_text = forms.CharField(label="Text", required=False, widget=UnfoldAdminTextareaWidget, help_text=HELP)
    body_html = forms.CharField(label="HTML", required=False, widget=UnfoldAdminTextareaWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            version = templates.wordings([self.instance]).get(self.instance.pk)
            for name in ("subject", "body_text", "body_html"):
                if name in self.fields and version is not None:
                    self.initial[name] = getattr(version, name)


@admin.register(CommunicationTemplate)
class TemplateAdmin(TenantAdmin):
    permissions = {
        "view": "messages:read",
        "add": "messages:manage",
        "change": "messages:manage",
        "delete": "messages:manage",
    }
    section = SECTION
    icon = "article"
    form = TemplateForm
    change_form_after_template = "comms/template_preview.html"

    list_display = ("name", "channel", "category", "language", "version", "approval", "is_active", "created_by")
    list_select_related = ("created_by",)
    list_filter = ("channel", "category", "is_active")
    search_fields = ("name",)
    readonly_fields = ("version", "figures")
    fields = (
        ("name", "channel"),
        ("category", "language"),
        ("when_missing", "is_active"),
        ("track_clicks", "track_opens"),
        "subject",
        "body_text",
        "body_html",
        ("version", "figures"),
    )

    def get_urls(self) -> list[URLPattern]:
        preview = path("preview/", self.admin_site.admin_view(self.preview), name="comms_communicationtemplate_preview")
        return [preview, *super().get_urls()]

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Answer how the wording in the form would arrive at a contact, for whoever writes it."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        channel = request.POST.get("channel", Medium.EMAIL)
        principal = self.principal(request)
        contact = reachable_contact(principal, channel)
        if channel not in Medium.values or contact is None:
            return problem("There is no contact to show it for.")
        wording = {name: request.POST.get(name, "") for name in ("subject", "body_text", "body_html")}
        return shown(principal, contact, channel=channel, wording=wording, note=f"For {contact}:")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.alive()  # type: ignore[no-any-return]

    @display(description="Approval", label={"approved": "success", "pending": "warning", "rejected": "danger"})  # type: ignore[untyped-decorator]
    def approval(self, template: CommunicationTemplate) -> str:
        return template.remote_status

    @admin.display(description="What came of it")
    def figures(self, template: CommunicationTemplate) -> str:
        if template._state.adding:
            return ""
        found = analytics.template_figures(template)
        lines = [
            f"Version {each['version']}: {number(each['sent'])} sent, {number(each['replied'])} replied, {number(each['clicked'])} clicked,"
            f" {number(each['unsubscribed'])} unsubscribed"
            for each in found["versions"]
        ]
        return "; ".join([*lines, *(each["note"] for each in found["comparisons"])])

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> CommunicationTemplate:
        return templates.create_template(**data)

    def perform_update(self, request: HttpRequest, obj: CommunicationTemplate, changes: dict[str, Any]) -> None:
        templates.update_template(template=obj, **changes)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        # The wording is no column of the template, so that it is compared by the service.
        self.perform_update(request, obj, {name: form.cleaned_data[name] for name in form.changed_data})

    def perform_delete(self, request: HttpRequest, obj: CommunicationTemplate) -> None:
        templates.delete_template(obj)
