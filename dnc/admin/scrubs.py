"""Scrubs: choose lists, watch them being held against the registries, see who may be called."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from contacts.models import ContactList
from dnc.admin.lists import SECTION
from dnc.models import DncList, Scrub
from dnc.services.analytics import compliance
from dnc.services.decision import CODES
from dnc.services.scrubs import start_scrub
from vocelio.backoffice.cards import Chart
from vocelio.backoffice.dashboard import drawn
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.numbers import number


class ScrubForm(forms.Form):
    """Whom to check against what."""

    contact_lists: "forms.ModelMultipleChoiceField[ContactList]" = forms.ModelMultipleChoiceField(
        queryset=None, widget=forms.CheckboxSelectMultiple
    )
    dnc_lists: "forms.ModelMultipleChoiceField[DncList]" = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None means all. The company's own lists are always consulted.",
    )
    mode = forms.ChoiceField(
        choices=[("manual", "Calls by hand"), ("autodialer", "Autodialer"), ("sms", "Text messages")],
        widget=UnfoldAdminSelectWidget,
        help_text="For which way of contact they must be clean.",
    )
    clean_list_name = forms.CharField(
        label="Name of the clean list",
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Named by date unless given"}),
    )
    keep_clean = forms.BooleanField(
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Scrub again whenever a Do-Not-Call list changes.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = ContactList.objects.with_counts().filter(status=ContactList.Status.ACTIVE).order_by("name")
        self.fields["contact_lists"].queryset = active  # type: ignore[attr-defined]
        self.fields["contact_lists"].label_from_instance = lambda each: f"{each.name} ({number(each.contact_count)})"  # type: ignore[attr-defined]
        self.fields["dnc_lists"].queryset = DncList.objects.get_queryset().active().order_by("name")  # type: ignore[attr-defined]


@admin.register(Scrub)
class ScrubAdmin(TenantAdmin):
    permissions = {"view": "dnc:manage", "add": "dnc:manage"}
    section = SECTION
    icon = "cleaning_services"
    menu_title = "Scrubs"

    list_display = (
        "__str__",
        "live",
        "total_contacts",
        "clean_contacts",
        "matched_dnc",
        "blocked_contacts",
        "rate",
        "created_by",
        "created_at",
    )
    list_select_related = ("created_by",)
    list_filter = ("status", "mode")
    fieldsets = (
        (None, {"fields": ("live", "counts", "outcomes", "clean", "files", "error_message")}),
        (
            "Run",
            {
                "fields": (
                    ("created_by", "created_at"),
                    ("judged_at", "completed_at"),
                    ("shown_mode", "is_watched"),
                    ("newly_blocked", "newly_clean"),
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [
            name
            for _, options in self.fieldsets
            for names in options["fields"]
            for name in ((names,) if isinstance(names, str) else names)
        ]

    @admin.display(description="Mode")
    def shown_mode(self, scrub: Scrub) -> str:
        return scrub.mode

    @admin.display(description="Progress")
    def live(self, scrub: Scrub) -> SafeString:
        return progress_bar(scrub)

    @admin.display(description="Compliance")
    def rate(self, scrub: Scrub) -> str:
        return "" if scrub.compliance_rate is None else f"{scrub.compliance_rate} %"

    @admin.display(description="Contacts")
    def counts(self, scrub: Scrub) -> str:
        return (
            f"{number(scrub.total_contacts)}: {number(scrub.clean_contacts)} clean, {number(scrub.matched_dnc)} listed,"
            f" {number(scrub.blocked_contacts)} blocked; {number(scrub.without_phone)} without a phone"
        )

    @admin.display(description="Outcome")
    def outcomes(self, scrub: Scrub) -> str:
        codes = scrub.checkpoint.get("codes", {})
        return "; ".join(f"{code} {CODES[code]}: {number(count)}" for code, count in sorted(codes.items()))

    @admin.display(description="Clean list")
    def clean(self, scrub: Scrub) -> SafeString | str:
        if scrub.clean_list_id is None:
            return "none"
        address = reverse("admin:contacts_contact_changelist")
        return format_html('<a href="{}?list={}">{}</a>', address, scrub.clean_list_id, scrub.clean_list_name)

    @admin.display(description="Files")
    def files(self, scrub: Scrub) -> SafeString | str:
        if scrub.certificate_id is None:
            return ""
        return format_html(
            '<a href="{}">Every number as CSV</a> · <a href="{}">Certificate as PDF</a>',
            reverse("v1:dnc-scrub-export", args=[scrub.pk]),
            reverse("v1:dnc-certificate-pdf", args=[scrub.certificate_id]),
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask what to scrub against what, start it, and go where it can be watched."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ScrubForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                scrub = start_scrub(
                    contact_list_ids=[each.pk for each in data["contact_lists"]],
                    dnc_list_ids=[each.pk for each in data["dnc_lists"]],
                    mode=data["mode"],
                    clean_list_name=data["clean_list_name"].strip(),
                    watch=data["keep_clean"],
                )
            except VocelioError as error:
                form.add_error(None, error.message)
            else:
                return redirect("admin:dnc_scrub_change", scrub.pk)
        context = {**self.admin_site.each_context(request), "title": "Scrub contact lists", "form": form}
        return TemplateResponse(request, "dnc/scrub.html", context | {"opts": self.opts})


def compliance_page(page: TenantAdmin) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view of the compliance dashboard."""

    def view(request: HttpRequest) -> HttpResponse:
        if not page.may(request, "view"):
            raise PermissionDenied
        figures = compliance(30)
        trend = figures["trend"]
        chart = Chart(
            "Compliance rate of each day's scrubs, percent",
            [date_format(row["date"], "j M") for row in trend],
            [round(row["complianceRate"] or 0) for row in trend],
        )
        outcomes = [(code, CODES[code], count) for code, count in figures["outcomes"].items()]
        context = {
            **page.admin_site.each_context(request),
            "title": "Compliance",
            "opts": page.opts,
            "figures": figures,
            "outcomes": outcomes,
            "chart": drawn(chart),
        }
        return TemplateResponse(request, "dnc/compliance.html", context)

    return view
