"""The personal page "Two-step log-in"."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminPasswordWidget

from vocelio.access.principal import Entrance
from vocelio.backoffice.chosen import lacks_second_factor
from vocelio.backoffice.entrance import CodeForm
from vocelio.errors import VocelioError
from vocelio.users.models import User
from vocelio.users.services import second_factor


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


class ProofForm(PasswordForm, CodeForm):
    field_order = ("password", "code")


def two_step_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show how things stand and take the step that the pressed button names."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the site lets nobody else through
    form = _form(request)
    shown: dict[str, Any] = {"needed": lacks_second_factor(request)}
    if request.method == "POST" and form.is_valid():
        try:
            shown |= _act(request, user, form.cleaned_data)
            if "done" in shown:
                messages.success(request, shown["done"])
                return redirect("admin:two_step")
        except VocelioError as error:
            messages.error(request, error.message)
            if request.POST.get("step") == "confirm":
                shown["enrolment"] = second_factor.pending_enrolment(user)
    shown |= {
        "standing": second_factor.standing(user.pk),
        "is_proven": Entrance.of(request.session).has_second_factor,
        "password_form": PasswordForm(),
        "proof_form": ProofForm(),
        "code_form": CodeForm(),
    }
    response = TemplateResponse(request, "backoffice/two_step.html", {**context, **shown})
    response["Cache-Control"] = "no-store"
    return response.render()


def _form(request: HttpRequest) -> forms.Form:
    kinds: dict[str | None, type[forms.Form]] = {"begin": PasswordForm, "confirm": CodeForm, "prove": CodeForm}
    return kinds.get(request.POST.get("step"), ProofForm)(request.POST or None)


def _act(request: HttpRequest, user: User, data: dict[str, Any]) -> dict[str, Any]:
    step = request.POST.get("step")
    if step == "begin":
        second_factor.confirm_password(user, data["password"])
        return {"enrolment": second_factor.begin_enrolment(user)}
    if step == "confirm":
        codes = second_factor.confirm_enrolment(user, data["code"])
        Entrance(has_second_factor=True).keep(request.session)
        return {"recovery_codes": codes}
    if step == "prove":
        second_factor.prove_code(user, data["code"])
        Entrance(has_second_factor=True).keep(request.session)
        return {"done": "The code is right."}
    if step == "renew":
        return {"recovery_codes": second_factor.replace_recovery_codes(user, **data)}
    if step == "disable":
        second_factor.disable_second_factor(user, **data)
        return {"done": "Two-step log-in is off."}
    return {}
