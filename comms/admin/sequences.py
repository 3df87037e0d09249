"""Sequences with their steps, and the people on their way through them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from comms.admin.accounts import SECTION
from comms.admin.previews import show_refusal
from comms.models import CommunicationTemplate, Enrolment, Sequence
from comms.services import sequences
from contacts.models import Contact, ContactList
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.numbers import number

SPARE_STEPS = 3
MOST_ENROLLED = 1_000


class SequenceForm(forms.Form):
    """A sequence and who else goes through it."""

    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    is_active = forms.BooleanField(required=False, initial=True, widget=UnfoldBooleanSwitchWidget)
    in_window = forms.BooleanField(
        label="Only within the recipients' hours", required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )


class StepForm(forms.Form):
    """One step; one without a template is none."""

    template: "forms.ModelChoiceField[CommunicationTemplate]" = forms.ModelChoiceField(
        queryset=None, required=False, widget=UnfoldAdminSelectWidget
    )
    wait_hours = forms.IntegerField(initial=0, min_value=0, max_value=8760, widget=UnfoldAdminIntegerFieldWidget)
    times = forms.IntegerField(initial=1, min_value=1, max_value=20, widget=UnfoldAdminIntegerFieldWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usable = CommunicationTemplate.objects.alive().filter(is_active=True).order_by("name")
        self.fields["template"].queryset = usable  # type: ignore[attr-defined]


class EnrolForm(forms.Form):
    """Whose people begin."""

    contact_list: "forms.ModelChoiceField[ContactList]" = forms.ModelChoiceField(
        queryset=None, label="Everybody on", widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = ContactList.objects.filter(status=ContactList.Status.ACTIVE).order_by("name")
        self.fields["contact_list"].queryset = lists  # type: ignore[attr-defined]


Steps = forms.formset_factory(StepForm, extra=SPARE_STEPS, max_num=sequences.MAX_STEPS, validate_max=True)


@admin.register(Sequence)
class SequenceAdmin(TenantAdmin):
    permissions = {
        "view": "messages:read",
        "add": "messages:manage",
        "change": "messages:manage",
        "delete": "messages:manage",
        "enrol": "messages:write",
    }
    section = SECTION
    icon = "route"

    list_display = ("name", "is_active", "in_window", "created_by", "created_at")
    list_select_related = ("created_by",)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Name the steps."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._edit(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Change the steps, or send a list's people through."""
        sequence = self.get_object(request, object_id)
        if sequence is None:
            return redirect("admin:comms_sequence_changelist")
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "enrol" in request.POST:
            return self._enrol(request, sequence)
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        return self._edit(request, sequence)

    def _edit(self, request: HttpRequest, sequence: Sequence | None) -> HttpResponse:
        names = ("name", "is_active", "in_window")
        there = sequence.steps.order_by("position").values("template", "wait_hours", "times") if sequence else []
        form = SequenceForm(
            request.POST or None, initial={name: getattr(sequence, name) for name in names} if sequence else None
        )
        steps = Steps(request.POST or None, initial=list(there), prefix="steps")
        if request.method == "POST" and form.is_valid() and steps.is_valid():
            chosen = [each.cleaned_data for each in steps.forms if each.cleaned_data.get("template")]
            try:
                if sequence is None:
                    sequence = sequences.create_sequence(steps=chosen, **form.cleaned_data)
                else:
                    sequences.update_sequence(sequence=sequence, steps=chosen, **form.cleaned_data)
            except VocelioError as error:
                show_refusal(form, error)
            else:
                messages.success(request, f"{form.cleaned_data['name']}: {len(chosen)} steps.")
                return redirect("admin:comms_sequence_change", sequence.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": str(sequence) if sequence else "A sequence",
            "form": form,
            "steps": steps,
            "enrol": EnrolForm() if sequence and self.may(request, "enrol") else None,
            "may_change": self.has_change_permission(request),
            "under_way": Enrolment.objects.filter(sequence=sequence, status="active").count() if sequence else 0,
            "sequence": sequence,
            "opts": self.opts,
        }
        return TemplateResponse(request, "comms/sequence.html", context)

    def _enrol(self, request: HttpRequest, sequence: Sequence) -> HttpResponse:
        if not self.may(request, "enrol"):
            raise PermissionDenied
        form = EnrolForm(request.POST)
        if form.is_valid():
            rows = Contact.objects.alive().visible_to(self.principal(request)).defer("search")
            people = list(rows.filter(memberships__list=form.cleaned_data["contact_list"])[: MOST_ENROLLED + 1])
            if len(people) > MOST_ENROLLED:
                messages.warning(request, f"A list of at most {number(MOST_ENROLLED)} people begins at once.")
            else:
                try:
                    begun, already = sequences.enrol(sequence=sequence, contacts=people)
                    messages.success(request, f"{number(begun)} people begin; {number(already)} were under way.")
                except VocelioError as error:
                    messages.warning(request, error.message)
        return redirect("admin:comms_sequence_change", sequence.pk)

    def perform_delete(self, request: HttpRequest, obj: Sequence) -> None:
        sequences.delete_sequence(obj)


@admin.register(Enrolment)
class EnrolmentAdmin(TenantAdmin):
    permissions = {"view": "messages:read", "stop": "messages:write"}
    section = SECTION
    icon = "directions_walk"
    menu_title = "People in sequences"
    actions = ("stop",)

    list_display = ("contact", "sequence", "shown_status", "stopped_by", "position", "next_at")
    list_select_related = ("contact", "sequence")
    list_filter = ("sequence", "status")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search")

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "stop")

    @display(description="Status", label={"Under way": "info", "Came to the end": "success", "Stopped": "warning"})  # type: ignore[untyped-decorator]
    def shown_status(self, enrolment: Enrolment) -> str:
        return enrolment.get_status_display()

    @admin.action(description="Stop", permissions=["stop"])
    def stop(self, request: HttpRequest, queryset: Any) -> None:
        for enrolment in queryset:
            try:
                sequences.stop_enrolment(enrolment)
                self.message_user(request, f"{enrolment.contact}: stopped", messages.SUCCESS)
            except VocelioError as error:
                self.message_user(request, f"{enrolment.contact}: {error.message}", messages.WARNING)
