"""Templates and sequences."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from comms.admin.accounts import SECTION
from comms.models import CommunicationTemplate, Enrolment, Sequence
from comms.services import analytics, templates
from comms.services.rendering import KNOWN
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin

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
            f"Version {each['version']}: {each['sent']:,} sent, {each['replied']:,} replied, {each['clicked']:,} clicked,"
            f" {each['unsubscribed']:,} unsubscribed"
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


@admin.register(Sequence)
class SequenceAdmin(TenantAdmin):
    permissions = {"view": "messages:read"}
    section = SECTION
    icon = "route"

    list_display = ("name", "is_active", "in_window", "created_by", "created_at")
    list_select_related = ("created_by",)


@admin.register(Enrolment)
class EnrolmentAdmin(TenantAdmin):
    permissions = {"view": "messages:read"}
    section = SECTION
    icon = "directions_walk"
    menu_title = "People in sequences"

    list_display = ("contact", "sequence", "status", "stopped_by", "position", "next_at")
    list_select_related = ("contact", "sequence")
    list_filter = ("status",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search")
