"""The personal page "Language and time zone"."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget

from vocelio.users.models import User
from vocelio.users.services.people import set_preferences


def zones() -> list[tuple[str, str]]:
    return [("", "-"), *((name, name) for name in sorted(available_timezones()))]


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(
        label="Language",
        required=False,
        choices=[("", "As the organization or the browser has it"), *settings.LANGUAGES],
        widget=UnfoldAdminSelectWidget,
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        required=False,
        choices=zones,
        widget=UnfoldAdminSelectWidget,
        help_text="Empty: the organization's.",
    )


def preferences_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show and save them."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the site lets nobody else through
    form = PreferencesForm(request.POST or None, initial={"language": user.language, "time_zone": user.time_zone})
    if request.method == "POST" and form.is_valid():
        set_preferences(user=user, **form.cleaned_data)
        messages.success(request, "Saved; the next page reads so.")
        return redirect("admin:preferences")
    return TemplateResponse(request, "backoffice/preferences.html", {**context, "form": form})
