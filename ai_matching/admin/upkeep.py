"""Runs, use of models, scores of leads, proposals."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ai_matching.admin.matches import LABELS
from ai_matching.embedders import all_embedders
from ai_matching.models import (
    AiSettings,
    AiUsage,
    EmbeddingRun,
    EnrichmentProposal,
    LeadScore,
    LeadScoreEntry,
    ProposalStatus,
    SubjectKind,
)
from ai_matching.services import enrichment
from ai_matching.services.embeddings import coverage, start_run, unembedded
from ai_matching.services.leads import backtest
from ai_matching.services.learning import accept_weights, propose_weights, reject_weights
from ai_matching.services.settings import WEIGHTS, own_settings, update_settings, weights_of
from ai_matching.services.usage import spent_this_month
from contacts.models import Contact
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError

# Records of a kind whose vectors are missing or old, above the list of runs.
UNEMBEDDED = 20
# Earlier scores on a lead's page.
ENTRIES = 20


class StartForm(TenantForm):
    """Nothing to fill in: everything is looked at, what has a vector is skipped."""

    class Meta:
        fields: list[str] = []


class LookForm(TenantForm):
    """Whom to look for."""

    class Meta:
        fields = ["contact"]


def weight(label: str) -> forms.FloatField:
    return forms.FloatField(label=label, min_value=0, max_value=1, widget=UnfoldAdminTextInputWidget)


class AiSettingsForm(TenantForm):
    """The weights each in a field of its own."""

    weight_similarity = weight("Title and text")
    weight_skills = weight("Skills")
    weight_experience = weight("Experience")
    weight_location = weight("Place")
    weight_salary = weight("Salary")
    weight_availability = weight("Availability")
    provider = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget, help_text="New vectors come from it.")

    class Meta:
        model = AiSettings
        fields = ["title_weight", "threshold", "provider", "monthly_budget", "may_send_contacts"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider" not in self.fields:
            # Of somebody who may only look.
            return
        ready = [(slug, each.label) for slug, each in all_embedders().items() if each.is_ready]
        # Annotated as any field.
        self.fields["provider"].choices = [("", "The best that is ready"), *ready]  # type: ignore[attr-defined]
        for name, value in weights_of(self.instance).items():
            self.fields[f"weight_{name}"].initial = value

    def clean(self) -> dict[str, Any] | None:
        """Return the weights as the service takes them."""
        cleaned = super().clean() or {}
        weights = {name: cleaned.pop(f"weight_{name}", None) for name in WEIGHTS}
        if None not in weights.values():
            if not any(weights.values()):
                self.add_error(None, "Something must count.")
            cleaned["weights"] = weights
        return cleaned


@admin.register(AiSettings)
class AiSettingsAdmin(TenantAdmin):
    """One row an organization: the list leads to it, or to the form that stores it the first time."""

    permissions = {"view": "matching:review", **dict.fromkeys(["add", "change", "learn"], "matching:manage")}
    section = "Matching"
    icon = "tune"
    menu_title = "Settings"
    form = AiSettingsForm
    change_form_template = "matching/settings.html"

    list_display = ("__str__", "title_weight", "threshold", "provider", "monthly_budget", "may_send_contacts")
    fieldsets = (
        (
            "What counts",
            {
                "fields": (
                    ("weight_similarity", "weight_skills"),
                    ("weight_experience", "weight_location"),
                    ("weight_salary", "weight_availability"),
                    ("title_weight", "threshold"),
                )
            },
        ),
        ("Models", {"fields": (("provider", "monthly_budget"), "may_send_contacts")}),
    )

    def get_urls(self) -> list[URLPattern]:
        learn = self.admin_site.admin_view(self.learn)
        return [path("weights/", learn, name="ai_matching_aisettings_learn"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.may(request, "change"):
            return self.fieldsets
        return [(None, {"fields": ["weights", *AiSettingsForm.Meta.fields]})]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Lead to the row there is, if there is one."""
        stored = AiSettings.objects.first()
        if stored is not None:
            return redirect("admin:ai_matching_aisettings_change", stored.pk)
        response: HttpResponse = super().add_view(request, form_url, extra_context)
        return response

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not AiSettings.objects.exists() and self.has_add_permission(request):
            return redirect(reverse("admin:ai_matching_aisettings_add"))
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show beside the form which weights past judgements speak for."""
        if self.may(request, "learn"):
            proposal = propose_weights()
            extra_context = {**(extra_context or {}), "proposal": proposal}
            if proposal["proposed"] is not None:
                then = proposal["proposed"]["weights"]
                rows = [(LABELS[name], now, then[name]) for name, now in proposal["current"]["weights"].items()]
                extra_context["weights"] = rows
        response = super().changeform_view(request, object_id, form_url, extra_context)
        if object_id is not None and isinstance(response, TemplateResponse) and response.context_data is not None:
            # There is one row alone.
            response.context_data["has_add_permission"] = False
        return response

    def learn(self, request: HttpRequest) -> HttpResponse:
        """Take the proposed weights, or leave them, as a person says."""
        if request.method != "POST" or not self.may(request, "learn"):
            raise PermissionDenied
        try:
            with transaction.atomic():
                if request.POST.get("answer") == "accept":
                    accept_weights()
                    self.message_user(request, "The proposed weights count from now on.", messages.SUCCESS)
                else:
                    reject_weights()
                    self.message_user(request, "The weights stay as they are.", messages.SUCCESS)
        except VocelioError as error:
            self.message_user(request, error.message, messages.ERROR)
        # Which leads to the row there is.
        return redirect("admin:ai_matching_aisettings_add")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        names = {"weights" if name.startswith("weight_") else name for name in form.changed_data}
        changes = form.cleaned_data if not change else {name: form.cleaned_data[name] for name in sorted(names)}
        if changes:
            obj.__dict__.update(update_settings(**changes).__dict__)


@admin.register(EmbeddingRun)
class EmbeddingRunAdmin(TenantAdmin):
    permissions = {"view": "matching:review", "add": "matching:review"}
    section = "Matching"
    icon = "hub"
    menu_title = "Vectors"
    change_list_template = "matching/runs.html"

    list_display = ("created_at", "shown_kinds", "model", "live", "embedded", "unchanged", "created_by")
    list_select_related = ("created_by",)
    fields = (
        ("shown_kinds", "status"),
        ("provider", "model"),
        ("total", "processed"),
        ("embedded", "unchanged"),
        ("reused", "empty"),
        ("error_code", "error_message"),
        ("created_by", "created_at"),
    )
    readonly_fields = ("shown_kinds",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs |= {"form": StartForm, "fields": []}
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            told = "Every job, candidate and contact is looked at; those whose text has a vector already are skipped."
            return [(None, {"fields": [], "description": told})]
        return super().get_fieldsets(request, obj)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show above the runs how much has vectors."""
        shown: dict[str, Any] = {}
        if self.has_view_permission(request):
            shown["coverage"] = coverage()
            shown["unembedded"] = [each for kind in SubjectKind.values for each in unembedded(kind, limit=UNEMBEDDED)]
        return super().changelist_view(request, {**(extra_context or {}), **shown})  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.__dict__.update(start_run(kinds=SubjectKind.values).__dict__)

    @admin.display(description="Of")
    def shown_kinds(self, run: EmbeddingRun) -> str:
        return ", ".join(f"{SubjectKind(kind).label.lower()}s" for kind in run.kinds)

    @admin.display(description="Progress")
    def live(self, run: EmbeddingRun) -> SafeString:
        return progress_bar(run)


@admin.register(AiUsage)
class AiUsageAdmin(TenantAdmin):
    permissions = {"view": "matching:review"}
    section = "Matching"
    icon = "payments"
    menu_title = "Use and cost"
    ordering = ("-day", "-id")

    list_display = ("day", "purpose", "provider", "model", "requests", "texts", "tokens", "cost")
    list_filter = ("purpose", "provider")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Say in the title what the month has cost of its budget."""
        extra = dict(extra_context or {})
        if self.has_view_permission(request):
            extra["title"] = f"${spent_this_month():.2f} of ${own_settings().monthly_budget:.2f} spent this month"
        return super().changelist_view(request, extra)  # type: ignore[no-any-return]


@admin.register(LeadScore)
class LeadScoreAdmin(TenantAdmin):
    permissions = {"view": "deals:read", "backtest": "analytics:read"}
    section = "Matching"
    icon = "speed"
    menu_title = "Lead scores"
    ordering = ("-score", "-id")

    list_display = ("person", "score", "reasons", "scored_at")
    list_select_related = ("profile__contact",)
    change_list_template = "matching/leads.html"
    fields = (("contact", "score"), "why", ("rules_version", "scored_at"), "history")
    readonly_fields = ("contact", "why", "history")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("profile__contact__search")

    def get_urls(self) -> list[URLPattern]:
        backtested = self.admin_site.admin_view(self.backtest)
        return [path("backtest/", backtested, name="ai_matching_leadscore_backtest"), *super().get_urls()]

    def backtest(self, request: HttpRequest) -> HttpResponse:
        """Show how well the rules would have told past deals apart."""
        if not self.may(request, "backtest"):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "What the scores are worth",
            "found": backtest(),
            "opts": self.opts,
        }
        return TemplateResponse(request, "matching/backtest.html", context)

    @admin.display(description="Lead")
    def person(self, score: LeadScore) -> str:
        return str(score.profile.contact)

    @admin.display(description="Lead")
    def contact(self, score: LeadScore) -> SafeString:
        address = reverse("admin:contacts_contact_change", args=[score.profile.contact_id])
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address, score.profile.contact
        )

    @admin.display(description="How it came here")
    def history(self, score: LeadScore) -> SafeString:
        """Show the scores there were, the latest first, each with what it was made of."""
        rows = LeadScoreEntry.objects.filter(profile_id=score.profile_id).order_by("-scored_at", "-id")[:ENTRIES]
        return format_html_join(
            "",
            "<p><b>{}</b> · {}<br>{}</p>",
            (
                (row.score, date_format(localtime(row.scored_at), "DATETIME_FORMAT"), because(row.factors))
                for row in rows
            ),
        )

    @admin.display(description="Because")
    def reasons(self, score: LeadScore) -> str:
        return because(score.factors)

    @admin.display(description="Why")
    def why(self, score: LeadScore) -> SafeString:
        return factor_bars(score.factors)


@admin.register(EnrichmentProposal)
class EnrichmentProposalAdmin(TenantAdmin):
    permissions = {"view": "contacts:read", **dict.fromkeys(["add", "accept", "reject"], "contacts:write")}
    section = "Matching"
    icon = "auto_fix_high"
    menu_title = "Proposals"

    list_display = ("contact", "about", "value", "source", "confidence", "explanation", "state")
    list_select_related = ("contact",)
    list_filter = ("status", "field", "source")
    actions = ("accept", "reject")
    form = LookForm
    autocomplete_fields = ("contact",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            told = "Looks for what might be added to a contact. Nothing is written before somebody accepts it."
            return [(None, {"fields": ["contact"], "description": told})]
        return super().get_fieldsets(request, obj)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Look for proposals of the contact that was chosen, and show them."""
        form = self.get_form(request)(request.POST) if request.method == "POST" and self.may(request, "add") else None
        if form is None or not form.is_valid():
            response: HttpResponse = super().add_view(request, form_url, extra_context)
            return response
        visible = Contact.objects.alive().visible_to(self.principal(request)).defer("search")
        contact = get_object_or_404(visible, pk=form.cleaned_data["contact"].pk)
        with transaction.atomic():
            found, notice = enrichment.enrich(contact)
        told = f"{len(found)} proposals wait." if found else "Nothing was found that is not there already."
        self.message_user(request, f"{told} {notice}".strip(), messages.SUCCESS if found else messages.WARNING)
        return redirect(f"{reverse('admin:ai_matching_enrichmentproposal_changelist')}?contact__id__exact={contact.pk}")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search")

    def has_accept_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "accept")

    @admin.display(description="Field")
    def about(self, proposal: EnrichmentProposal) -> str:
        return proposal.field

    @display(description="Status", label={"To be looked at": "info", "Accepted": "success", "Rejected": "warning"})  # type: ignore[untyped-decorator]
    def state(self, proposal: EnrichmentProposal) -> str:
        return proposal.get_status_display()

    @admin.action(description="Accept: write to the contacts", permissions=["accept"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, ProposalStatus.ACCEPTED)

    @admin.action(description="Reject", permissions=["accept"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, ProposalStatus.REJECTED)

    def _each(self, request: HttpRequest, queryset: QuerySet[Any], status: str) -> None:
        done = 0
        for proposal in queryset:
            try:
                with transaction.atomic():
                    if status == ProposalStatus.ACCEPTED:
                        enrichment.accept(proposal, self.principal(request))
                    else:
                        enrichment.reject(proposal)
                done += 1
            except VocelioError as error:
                self.message_user(request, f"{proposal}: {error.message}", messages.ERROR)
        self.message_user(request, f"{done} {ProposalStatus(status).label.lower()}.", messages.SUCCESS)


def because(factors: list[dict[str, Any]]) -> str:
    """Say why, from what adds most to what adds least, with the points each adds."""
    ordered = sorted(factors, key=lambda each: -float(each["points"]))
    return "; ".join(f"{each['reason']} ({each['points']:.0f})" for each in ordered)


def factor_bars(factors: list[dict[str, Any]]) -> SafeString:
    """Return what each factor adds, of what it adds at most, with the reason."""
    rows = format_html_join(
        "",
        '<div class="factor"><span>{}</span><div class="factor-track"><div class="factor-bar" style="width: {}%"></div></div>'
        "<b>{}</b><span>{}</span></div>",
        (
            (
                each["factor"].capitalize(),
                f"{100 * each['points'] / each['most']:.0f}" if each["most"] else 0,
                f"{each['points']:.0f}/{each['most']}",
                each["reason"],
            )
            for each in factors
        ),
    )
    return format_html('<div class="factors">{}</div>', rows)
