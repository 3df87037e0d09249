"""Pages for a step of the day that takes more than the form of a record: convert a lead, complete an activity."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from contacts.models import Contact, RelationRole
from sales.models import ActivityKind, Disposition, SalesProfile, Stage, StageKind
from vocelio.access.principal import Principal
from vocelio.backoffice.tenant import TenantAdmin, members
from vocelio.errors import VocelioError
from vocelio.users.models import User


class DayInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    input_type = "date"


class MomentInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    input_type = "datetime-local"


class StepForm(forms.Form):
    """Checks the shape of the input; what the service refuses is shown at its field."""

    # What the services' errors call a field that the form calls otherwise.
    names: dict[str, str] = {}

    def refuse(self, refusal: VocelioError) -> None:
        for error in refusal.details.get("errors") or [refusal.details]:
            field = self.names.get(error.get("field", ""))
            self.add_error(field, error.get("message") or refusal.message)


class ConvertForm(StepForm):
    """What becomes of a lead: a client, known or new, and a deal."""

    names = {"amount": "amount", "expectedCloseOn": "expected_close_on", "deal.stageId": "stage"}

    client_name = forms.CharField(
        label="Client",
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A client of this name is taken when there is one, else made. Blank: none.",
    )
    role = forms.ChoiceField(
        label="Part they play there",
        choices=RelationRole.choices,
        initial=RelationRole.EMPLOYEE,
        widget=UnfoldAdminSelectWidget,
    )
    deal_name = forms.CharField(
        label="Deal", required=False, max_length=255, widget=UnfoldAdminTextInputWidget(), help_text="Blank: none."
    )
    stage = forms.ModelChoiceField(
        Stage.objects.none(),
        required=False,
        empty_label="The first of the usual pipeline",
        widget=UnfoldAdminSelectWidget,
    )
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=18, decimal_places=2, widget=UnfoldAdminDecimalFieldWidget
    )
    expected_close_on = forms.DateField(label="Expected close", required=False, widget=DayInput())
    assigned_to = forms.ModelChoiceField(
        User.objects.none(),
        label="Responsible",
        required=False,
        empty_label="By the assignment rules",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, profile: SalesProfile, principal: Principal, data: Any = None) -> None:
        contact: Contact = profile.contact
        company = profile.client.name if profile.client else contact.company
        super().__init__(data, initial={"client_name": company, "deal_name": f"{company or contact}"})
        stages: Any = self.fields["stage"]
        open_stages = Stage.objects.alive().filter(kind=StageKind.OPEN, pipeline__deleted_at__isnull=True)
        stages.queryset = open_stages.select_related("pipeline").order_by("pipeline__created_at", "position")
        stages.label_from_instance = lambda stage: f"{stage.pipeline.name}: {stage.name}"
        people: Any = self.fields["assigned_to"]
        people.queryset = members(principal)

    def arguments(self) -> dict[str, Any]:
        """Return the input as the service takes it."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        result: dict[str, Any] = {"role": given["role"]}
        if name := given.get("client_name"):
            result["client"] = {"name": name}
        if name := given.get("deal_name"):
            result["deal"] = {"name": name}
            if stage := given.get("stage"):
                result["deal"]["stage_id"] = stage.pk
            result["deal"] |= {name: given[name] for name in ("amount", "expected_close_on") if name in given}
        if user := given.get("assigned_to"):
            result["assigned_to_id"] = user.pk
        return result


class CompleteForm(StepForm):
    """How it went."""

    names = {"disposition": "disposition", "outcome": "outcome", "callbackAt": "callback_at"}

    disposition = forms.ChoiceField(
        label="The call ended", required=False, choices=[("", ""), *Disposition.choices], widget=UnfoldAdminSelectWidget
    )
    outcome = forms.CharField(
        label="What came of it", required=False, max_length=20_000, widget=UnfoldAdminTextareaWidget
    )
    callback_at = forms.DateTimeField(label="Call back at (UTC)", required=False, widget=MomentInput())

    def __init__(self, kind: str, data: Any = None) -> None:
        super().__init__(data)
        if kind != ActivityKind.CALL:
            del self.fields["disposition"], self.fields["callback_at"]


def step_page(
    page: TenantAdmin,
    request: HttpRequest,
    form: StepForm,
    act: Callable[[], HttpResponse],
    *,
    title: str,
    explained: str,
    label: str,
) -> HttpResponse:
    """Show the form; sent, return what `act` answers, or the form with the service's refusal."""
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                return act()
        except VocelioError as error:
            form.refuse(error)
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "explained": explained,
        "label": label,
        "form": form,
        "opts": page.opts,
    }
    return TemplateResponse(request, "backoffice/step.html", context)
