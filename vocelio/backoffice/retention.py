"""The page "Retention": how long the organization keeps what."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from vocelio.backoffice.security import may_set_security
from vocelio.languages.translate import translated
from vocelio.members.services.organization import set_retention
from vocelio.organizations.retention import Kept, all_kept, kept_days


class RetentionForm(forms.Form):
    """One field for each kind of data; an empty one takes the installation's duration."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in all_kept():
            self.fields[kind.name] = forms.IntegerField(
                label=translated(kind.title),
                required=False,
                min_value=kind.shortest,
                max_value=kind.longest,
                widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": kind.default or "∞"}),
                help_text=help_of(kind),
            )


def help_of(kind: Kept) -> str:
    bounds = {"shortest": kind.shortest, "longest": kind.longest, "default": kind.default}
    if kind.default is None:
        return translated("%(shortest)s to %(longest)s days; empty: for ever.") % bounds
    return translated("%(shortest)s to %(longest)s days; empty: %(default)s.") % bounds


def retention_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show and save the days."""
    if not may_set_security(request):
        raise PermissionDenied
    form = RetentionForm(request.POST or None, initial=kept_days())
    if request.method == "POST" and form.is_valid():
        set_retention(form.cleaned_data)
        messages.success(request, "Saved; what is past its time is removed within the hour.")
        return redirect("admin:retention")
    return TemplateResponse(request, "backoffice/retention.html", {**context, "form": form})
