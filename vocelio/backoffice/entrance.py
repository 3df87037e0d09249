"""The pages between the login form and the dashboard: second step, single sign-on."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from vocelio.access.principal import Entrance
from vocelio.errors import VocelioError
from vocelio.sso.cookies import keep_flow
from vocelio.sso.services import log_in
from vocelio.sso.views import BACKEND, LINK_KEY, enter_back_office
from vocelio.users.models import User
from vocelio.users.services.second_factor import has_second_factor, pending_enrolment
from vocelio.users.services.sign_in import ChallengeExpired, pass_second_step, read_challenge

CHALLENGE_KEY = "second_step"


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="Six digits of your authenticator app, or a recovery code.",
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "one-time-code"}),
    )


class LinkForm(forms.Form):
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autofocus": True, "autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label="Code",
        max_length=40,
        required=False,
        help_text="Only with two-step log-in: six digits of your authenticator app, or a recovery code.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
    )


def ask_second_step(request: HttpRequest, challenge: str) -> HttpResponse:
    """Go on to the page of the second step; the address to go to after it comes along."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = ""
    request.session[CHALLENGE_KEY] = {"challenge": challenge, "next": target}
    return redirect("admin:second_step")


def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for the code; of who must begin with two steps, show what their app needs first."""
    waiting: dict[str, str] = request.session.get(CHALLENGE_KEY) or {}
    try:
        user, _ = read_challenge(waiting.get("challenge", ""))
    except ChallengeExpired as error:
        messages.error(request, error.message)
        return redirect("admin:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            recovery_codes = pass_second_step(user, form.cleaned_data["code"])
        except VocelioError as error:
            form.add_error("code", error.message)
        else:
            target = waiting["next"] or reverse("admin:index")
            _enter(request, user)
            if recovery_codes is None:
                return HttpResponseRedirect(target)
            return _page(request, "recovery_codes", "Recovery codes", recovery_codes=recovery_codes, target=target)
    enrolment = None if has_second_factor(user.pk) else pending_enrolment(user)
    return _page(request, "second_step", "Two-step log-in", form=form, enrolment=enrolment)


def sso_begin(request: HttpRequest) -> HttpResponse:
    """Go to the identity provider of the organization that was named."""
    slug = request.POST.get("organization", "").strip().lower()
    if request.method == "POST" and slug:
        try:
            url, flow = log_in.begin(slug)
        except VocelioError as error:
            messages.error(request, error.message)
        else:
            return keep_flow(HttpResponseRedirect(url), flow)
    return _page(request, "sso", "Single sign-on", slug=slug)


def sso_link(request: HttpRequest) -> HttpResponse:
    """Ask for the password of the account that the provider's is to be connected with, once."""
    challenge = request.session.get(LINK_KEY, "")
    form = LinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, organization = log_in.link(challenge=challenge, **form.cleaned_data)
        except log_in.FlowOver as error:
            messages.error(request, error.message)
            return redirect("admin:login")
        except VocelioError as error:
            form.add_error(None, error.message)
        else:
            request.session.pop(LINK_KEY, None)
            enter_back_office(request, user, organization)
            return redirect("admin:index")
    return _page(request, "sso_link", "Connect your account", form=form)


def _enter(request: HttpRequest, user: User) -> None:
    request.session.pop(CHALLENGE_KEY, None)
    login(request, user, backend=BACKEND)
    Entrance(has_second_factor=True).keep(request.session)


def _page(request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
    from django.contrib.admin import site

    full = {**site.each_context(request), "title": title, **context}
    response = TemplateResponse(request, f"backoffice/{name}.html", full)
    response["Cache-Control"] = "no-store"
    return response
