"""Messages to many: how far each is."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from comms.admin.accounts import SECTION
from comms.admin.previews import form_page, problem, show_refusal, shown
from comms.models import Communication, CommunicationTemplate, Medium, MessageBatch
from comms.services import batches
from contacts.filters.contacts import contacts_matching
from contacts.models import Contact, ContactList
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.numbers import number

MAX_SPREAD = 43_200
STATES = {"finished": "success", "sending": "info", "queueing": "info", "paused": "warning", "cancelled": "danger", "failed": "danger"}  # fmt: skip


class BatchForm(forms.Form):
    """A message to everybody on a list."""

    contact_list: "forms.ModelChoiceField[ContactList]" = forms.ModelChoiceField(
        queryset=None, label="To everybody on", widget=UnfoldAdminSelectWidget
    )
    template: "forms.ModelChoiceField[CommunicationTemplate]" = forms.ModelChoiceField(
        queryset=None, widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(
        required=False, max_length=200, widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Template and date"})
    )
    version_b = forms.IntegerField(
        label="Compare with version",
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Another version of the template, for a part of the people.",
    )
    share_a = forms.IntegerField(
        label="Share of the version in force, %",
        initial=50,
        min_value=1,
        max_value=99,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    scheduled_at = forms.DateTimeField(
        label="Not before (UTC)",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "now, or 2026-12-24 09:00"}),
    )
    spread_minutes = forms.IntegerField(
        label="Spread over minutes",
        initial=0,
        min_value=0,
        max_value=MAX_SPREAD,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    in_window = forms.BooleanField(
        label="Only within the recipients' hours", required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = ContactList.objects.with_counts().filter(status=ContactList.Status.ACTIVE).order_by("name")
        self.fields["contact_list"].queryset = lists  # type: ignore[attr-defined]
        self.fields["contact_list"].label_from_instance = lambda each: f"{each.name} ({number(each.contact_count)})"  # type: ignore[attr-defined]
        usable = CommunicationTemplate.objects.alive().filter(is_active=True).exclude(channel=Medium.LINKEDIN)
        self.fields["template"].queryset = usable.order_by("name")  # type: ignore[attr-defined]


@admin.register(MessageBatch)
class MessageBatchAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "add", "steer"], "messages:bulk")
    section = SECTION
    icon = "campaign"
    menu_title = "Batches"
    actions = ("pause", "resume", "cancel")

    list_display = ("name", "template", "state_shown", "live", "queued", "skipped", "created_by", "created_at")
    list_select_related = ("template", "created_by")
    fields = (
        ("name", "state_shown"),
        "live",
        "tally",
        ("template", "account"),
        ("version_a", "version_b", "share_a"),
        ("total", "queued", "skipped"),
        ("scheduled_at", "spread_minutes", "in_window"),
        "error_message",
    )

    def get_urls(self) -> list[URLPattern]:
        preview = path("preview/", self.admin_site.admin_view(self.preview), name="comms_messagebatch_preview")
        return [preview, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose whom to write what; beside it stand how many it reaches, the cost, and how it arrives."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = BatchForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = dict(form.cleaned_data)
            chosen = {"listId": str(data.pop("contact_list").pk)}
            found = contacts_matching(chosen, self.principal(request))
            try:
                batch = batches.start_batch(found=found, filter=chosen, **data)
            except VocelioError as error:
                show_refusal(form, error)
            else:
                return redirect("admin:comms_messagebatch_change", batch.pk)
        address = reverse("admin:comms_messagebatch_preview")
        return form_page(
            self, request, form, title="Write to many", card="Message to many", button="Start", preview_url=address
        )

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Answer whom the batch would reach, what it would cost, and how it arrives at one of them."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        form = BatchForm(request.POST)
        form.is_valid()
        contact_list, template = (form.cleaned_data.get(name) for name in ("contact_list", "template"))
        if contact_list is None or template is None:
            return problem("Choose a list and a template.")
        principal = self.principal(request)
        found = contacts_matching({"listId": str(contact_list.pk)}, principal)
        try:
            reach = batches.preview_batch(found=found, template=template, account=None)
        except VocelioError as error:
            return problem(error.message)
        note = (
            f"Reaches {number(reach['with_address'])} of {number(reach['total'])} people, for about"
            f" {reach['cost']} {reach['currency']}. Whoever said no is left out when it is sent."
        )
        some = batches.reachable(found, template.channel).order_by("id").values("pk")[:1]
        contact = Contact.objects.alive().defer("search").filter(pk__in=some).first()
        if contact is None:
            return problem("Nobody on this list can be written to this way.")
        return shown(principal, contact, template=template, note=note)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for names in self.fields for name in ((names,) if isinstance(names, str) else names)]

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "steer")

    @display(description="State", label=STATES)  # type: ignore[untyped-decorator]
    def state_shown(self, batch: MessageBatch) -> str:
        return batch.state

    @admin.display(description="Queueing")
    def live(self, batch: MessageBatch) -> SafeString:
        return progress_bar(batch)

    @admin.display(description="Messages")
    def tally(self, batch: MessageBatch) -> str:
        counts = Communication.objects.tally(batch)
        return ", ".join(f"{number(count)} {status}" for status, count in sorted(counts.items())) or "none yet"

    @admin.action(description="Pause", permissions=["steer"])
    def pause(self, request: HttpRequest, queryset: Any) -> None:
        self._steer(request, queryset, batches.pause_batch)

    @admin.action(description="Go on", permissions=["steer"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        self._steer(request, queryset, batches.resume_batch)

    @admin.action(description="Call off what is not sent", permissions=["steer"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        self._steer(request, queryset, batches.stop_batch)

    def _steer(self, request: HttpRequest, queryset: Any, act: Any) -> None:
        for batch in queryset:
            try:
                self.message_user(request, f"{batch}: {act(batch).state}", messages.SUCCESS)
            except VocelioError as error:
                self.message_user(request, f"{batch}: {error.message}", messages.WARNING)
