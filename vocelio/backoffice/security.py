"""The page "Security": how members of the organization log in."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from vocelio.access.principal import Principal
from vocelio.backoffice.chosen import principal_of
from vocelio.backoffice.tenant import shown_again
from vocelio.errors import VocelioError
from vocelio.members.services.organization import update_organization
from vocelio.organizations.models import Membership, Organization, SecondFactorRule
from vocelio.sso.models import IdentityProvider
from vocelio.sso.services.log_in import redirect_uri
from vocelio.sso.services.providers import delete_provider, provider_of_organization, save_provider
from vocelio.sso.views import tried
from vocelio.users.models import SecondFactor

PERMISSION = "organization:manage"


class RuleForm(forms.Form):
    second_factor = forms.ChoiceField(
        label="Two-step log-in is required of",
        choices=SecondFactorRule.choices,
        widget=UnfoldAdminSelectWidget,
        help_text="Members without it set it up at their next log-in; log-ins by password alone end.",
    )


class ProviderForm(forms.Form):
    issuer = forms.CharField(
        label="Issuer",
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="The provider's address as in its discovery document, such as https://login.example.com.",
    )
    client_id = forms.CharField(label="Client ID", max_length=255, widget=UnfoldAdminTextInputWidget)
    client_secret = forms.CharField(
        label="Client secret",
        max_length=500,
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Left empty it stays as it is; another issuer or client needs it again.",
    )
    allowed_domains = forms.CharField(
        label="E-mail domains",
        widget=UnfoldAdminTextInputWidget,
        help_text="Whose addresses may log in, separated by commas.",
    )
    newcomer_role = forms.ChoiceField(
        label="Newcomers",
        choices=IdentityProvider.NEWCOMER_ROLES,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Whether people without an account join by logging in.",
    )
    is_enabled = forms.BooleanField(label="Switched on", required=False, widget=UnfoldBooleanSwitchWidget)
    is_required = forms.BooleanField(
        label="Required",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Nobody logs in by password but admins marked for emergencies (see Members).",
    )

    def values(self) -> dict[str, Any]:
        """Return what the service takes."""
        values = dict(self.cleaned_data)
        values["allowed_domains"] = [part for part in values["allowed_domains"].replace(",", " ").split() if part]
        if not values["client_secret"]:
            del values["client_secret"]
        return values


def may_set_security(request: HttpRequest) -> bool:
    principal = principal_of(request)
    return principal is not None and principal.may(PERMISSION)


def security_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show and save the rule of the second step and the identity provider."""
    principal = _principal(request)
    return shown_again(request, lambda: _page(request, principal, context))


def security_test(request: HttpRequest) -> HttpResponse:
    """Ask the provider for its description and keys, and say what came of it."""
    principal = _principal(request)
    if request.method == "POST":
        try:
            found = tried(principal.organization_id)
            messages.success(request, f"The provider answered; it signs with {found['keys']} keys.")
        except VocelioError as error:
            messages.error(request, error.message)
    return redirect("admin:security")


def _page(request: HttpRequest, principal: Principal, context: dict[str, Any]) -> HttpResponse:
    organization = Organization.objects.get(pk=principal.organization_id)
    provider = provider_of_organization()
    refusal: VocelioError | None = request.__dict__.get("_refusal")
    step = request.POST.get("step")
    rule = RuleForm(request.POST if step == "rule" else None, initial={"second_factor": organization.second_factor})
    form = ProviderForm(request.POST if step == "provider" else None, initial=_initial(organization, provider))
    if refusal is None and request.method == "POST" and (saved := _save(step, organization, rule, form)):
        messages.success(request, saved)
        return redirect("admin:security")
    if refusal is not None:
        _show_refusal(form, refusal)
    members = Membership.objects.active().filter(organization=organization)
    proven = SecondFactor.objects.filter(confirmed_at__isnull=False, user__in=members.values("user"))
    return TemplateResponse(
        request,
        "backoffice/security.html",
        {
            **context,
            "rule_form": rule,
            "provider_form": form,
            "provider": provider,
            "organization": organization,
            "redirect_uri": redirect_uri(organization.slug),
            "members": members.count(),
            "members_in_two_steps": proven.count(),
            "break_glass": members.filter(is_break_glass=True).select_related("user"),
        },
    )


def _save(step: str | None, organization: Organization, rule: RuleForm, form: ProviderForm) -> str:
    """Carry out the pressed button; return what to tell, empty when a form is not valid."""
    if step == "rule" and rule.is_valid():
        update_organization(organization, **rule.cleaned_data)
        return "The rule is saved."
    if step == "provider" and form.is_valid():
        save_provider(**form.values())
        return "The identity provider is saved."
    if step == "remove":
        delete_provider()
        return "The identity provider is removed; members log in by password."
    return ""


def _show_refusal(form: ProviderForm, refusal: VocelioError) -> None:
    form.is_valid()
    names = {"clientSecret": "client_secret", "allowedDomains": "allowed_domains", "isRequired": "is_required"}
    for error in refusal.details.get("errors") or [{}]:
        field = names.get(error.get("field", ""), error.get("field"))
        form.add_error(field if field in form.fields else None, error.get("message") or refusal.message)


def _initial(organization: Organization, provider: IdentityProvider | None) -> dict[str, Any]:
    if provider is None:
        return {"is_enabled": True}
    names = ("issuer", "client_id", "newcomer_role", "is_enabled")
    return {
        **{name: getattr(provider, name) for name in names},
        "allowed_domains": ", ".join(provider.allowed_domains),
        "is_required": organization.requires_sso,
    }


def _principal(request: HttpRequest) -> Principal:
    principal = principal_of(request)
    if principal is None or not principal.may(PERMISSION):
        raise PermissionDenied
    return principal
