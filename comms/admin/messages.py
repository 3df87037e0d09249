"""Outbox, inbox, and the composer with its preview."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from comms.admin import caught
from comms.admin.accounts import SECTION
from comms.admin.previews import contact_named, form_page, problem, show_refusal, shown
from comms.models import Communication, CommunicationTemplate, Medium
from comms.services import communications
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError

STATUSES = {
    "Sent": "success", "Delivered": "success", "Read": "success", "Replied": "success", "Queued": "info",
    "Sending": "info", "Received": "info", "Failed": "danger", "Bounced": "danger", "Unknown": "warning",
    "Cancelled": "warning",
}  # fmt: skip


class ComposerForm(forms.Form):
    """A message to one contact, from a template or in one's own words."""

    contact = forms.CharField(
        label="To",
        max_length=320,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "E-mail address or phone of a contact"}),
    )
    channel = forms.ChoiceField(choices=Medium.choices, widget=UnfoldAdminSelectWidget)
    template: "forms.ModelChoiceField[CommunicationTemplate]" = forms.ModelChoiceField(
        queryset=None, required=False, widget=UnfoldAdminSelectWidget, help_text="Its channel is taken, its text too."
    )
    subject = forms.CharField(required=False, max_length=300, widget=UnfoldAdminTextInputWidget)
    body_text = forms.CharField(label="Text", required=False, widget=UnfoldAdminTextareaWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usable = CommunicationTemplate.objects.alive().filter(is_active=True).order_by("name")
        self.fields["template"].queryset = usable  # type: ignore[attr-defined]


@admin.register(Communication)
class CommunicationAdmin(TenantAdmin):
    permissions = {"view": "messages:read", "add": "messages:write", "retry": "messages:write"}
    section = SECTION
    icon = "mail"
    menu_title = "All messages"
    actions = ("retry", "call_off", "done", "release")

    list_display = ("title", "direction", "channel", "shown_status", "contact", "address", "why", "created_at")
    list_select_related = ("contact",)
    list_filter = ("direction", "channel", "status", "purpose")
    search_fields = ("address__exact",)

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show inbox and outbox beside all."""
        base = reverse("admin:comms_communication_changelist")
        return [
            ("Inbox", "inbox", f"{base}?direction__exact=inbound"),
            ("Outbox", "outbox", f"{base}?status__exact=queued"),
            ("To send by hand", "back_hand", f"{base}?channel__exact=linkedin&status__exact=queued"),
            ("Caught mail", "mark_email_read", reverse("admin:comms_caught")),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search", "body_html")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "retry")

    @admin.display(description="Message")
    def title(self, message: Communication) -> str:
        return str(message)[:80]

    @display(description="Status", label=STATUSES)  # type: ignore[untyped-decorator]
    def shown_status(self, message: Communication) -> str:
        return message.get_status_display()

    @admin.display(description="Why")
    def why(self, message: Communication) -> str:
        return message.error_message[:80]

    @admin.action(description="Send again", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        for message in queryset:
            self._do(request, message, lambda row: communications.retry_communication(message=row))

    @admin.action(description="Call off", permissions=["retry"])
    def call_off(self, request: HttpRequest, queryset: Any) -> None:
        principal = self.principal(request)
        for message in queryset:
            self._do(
                request,
                message,
                lambda row: communications.update_communication(message=row, principal=principal, status="cancelled"),
            )

    @admin.action(description="Note as sent by hand", permissions=["retry"])
    def done(self, request: HttpRequest, queryset: Any) -> None:
        for message in queryset:
            self._do(request, message, lambda row: communications.complete_communication(message=row))

    @admin.action(description="Send by LinkedIn's API", permissions=["retry"])
    def release(self, request: HttpRequest, queryset: Any) -> None:
        for message in queryset:
            self._do(request, message, lambda row: communications.release_communication(message=row))

    def _do(self, request: HttpRequest, message: Communication, act: Any) -> None:
        try:
            self.message_user(request, f"{message}: {act(message).status}", messages.SUCCESS)
        except VocelioError as error:
            self.message_user(request, f"{message}: {error.message}", messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("preview/", site.admin_view(self.preview), name="comms_communication_preview"),
            path("caught/", site.admin_view(caught.inbox(self)), name="comms_caught"),
            path("caught/<uuid:pk>/", site.admin_view(caught.mail(self)), name="comms_caught_mail"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Write to a contact, seeing beside the form what will arrive."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ComposerForm(request.POST or None, initial={"contact": request.GET.get("to", "")})
        if request.method == "POST" and form.is_valid():
            try:
                message = self._write(request, form.cleaned_data)
            except VocelioError as error:
                show_refusal(form, error)
            else:
                return redirect("admin:comms_communication_change", message.pk)
        address = reverse("admin:comms_communication_preview")
        return form_page(
            self, request, form, title="Write a message", card="Message", button="Send", preview_url=address
        )

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Answer what the contact would get, for the composer."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        form = ComposerForm(request.POST)
        principal = self.principal(request)
        contact = contact_named(principal, request.POST.get("contact", ""))
        if not form.is_valid() or contact is None:
            return problem("Name a contact by e-mail address or phone.")
        data = form.cleaned_data
        wording = {"subject": data["subject"], "body_text": data["body_text"]}
        return shown(principal, contact, channel=data["channel"], template=data["template"], wording=wording)

    def _write(self, request: HttpRequest, data: dict[str, Any]) -> Communication:
        contact = contact_named(self.principal(request), data["contact"])
        if contact is None:
            raise VocelioError("There is no contact with this address.")
        template = data["template"]
        wording = {} if template else {name: data[name] for name in ("subject", "body_text") if data[name]}
        return communications.create_communication(
            principal=self.principal(request),
            contact=contact,
            channel=template.channel if template else data["channel"],
            template=template,
            **wording,
        )
