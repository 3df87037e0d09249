"""How the organization recruits: hiring processes with their stages, reasons to reject, settings."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from recruitment.models import HiringProcess, RecruitmentSettings, RejectionReason, StageOutcome
from recruitment.services import processes, settings
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin

SECTION = "Recruitment set-up"
MANAGED = {"view": "jobs:read", **dict.fromkeys(["add", "change", "delete"], "recruitment:manage")}
OUTCOMES = {str(label).lower(): value for value, label in StageOutcome.choices}


class ProcessForm(TenantForm):
    """A process with its stages as lines of text, which is the quickest way to put them in order."""

    stages = forms.CharField(
        help_text="One a line, in their order; what a stage means, other than open, stands behind a colon:"
        " Hired: hired, Rejected: rejected, Withdrawn: withdrawn. A line whose name is changed is another stage.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        process: HiringProcess | None = kwargs.get("instance")
        known = processes.stages_of(process.pk) if process is not None else []
        self.known = {stage.name: stage for stage in known}
        lines = [(stage.name, stage.outcome) for stage in known] or [
            (stage["name"], stage.get("outcome", StageOutcome.OPEN)) for stage in processes.USUAL_STAGES
        ]
        shown = "\n".join(f"{name}: {outcome}" if outcome != StageOutcome.OPEN else name for name, outcome in lines)
        super().__init__(*args, **{**kwargs, "initial": {"stages": shown, **(kwargs.get("initial") or {})}})

    def clean_stages(self) -> list[dict[str, Any]]:
        stages: list[dict[str, Any]] = []
        for line in filter(None, map(str.strip, self.cleaned_data["stages"].splitlines())):
            name, _, meaning = line.partition(":")
            outcome = OUTCOMES.get(meaning.strip().lower() or "open")
            if outcome is None:
                raise ValidationError(f"A stage means one of: {', '.join(OUTCOMES)}.")
            stage = self.known.get(name.strip())
            stages.append(
                {"name": name.strip()[:100], "outcome": outcome, **({"id": stage.pk} if stage is not None else {})}
            )
        return stages


@admin.register(HiringProcess)
class HiringProcessAdmin(TenantAdmin):
    permissions = MANAGED
    section = SECTION
    icon = "account_tree"
    form = ProcessForm

    list_display = ("name", "family", "shown_stages", "is_default", "created_at")
    search_fields = ("name", "family")
    fieldsets = ((None, {"fields": ("name", ("family", "is_default"), "stages")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.alive().prefetch_related("stages")  # type: ignore[no-any-return]

    @admin.display(description="Stages")
    def shown_stages(self, process: HiringProcess) -> str:
        stages = sorted(process.stages.all(), key=lambda stage: stage.position)
        return " → ".join(stage.name for stage in stages if stage.deleted_at is None)

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> HiringProcess:
        return processes.create_process(**data)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            return super().save_model(request, obj, form, change)
        processes.update_process(obj, **{name: form.cleaned_data[name] for name in form.changed_data})
        return None

    def perform_delete(self, request: HttpRequest, obj: HiringProcess) -> None:
        processes.delete_process(obj)


@admin.register(RejectionReason)
class RejectionReasonAdmin(TenantAdmin):
    permissions = MANAGED
    section = SECTION
    icon = "sentiment_dissatisfied"

    list_display = ("name", "is_archived", "created_at")
    search_fields = ("name",)
    fields = ("name", "message", "is_archived")

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> RejectionReason:
        return processes.create_reason(**data)

    def perform_update(self, request: HttpRequest, obj: RejectionReason, changes: dict[str, Any]) -> None:
        processes.update_reason(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: RejectionReason) -> None:
        processes.delete_reason(obj)


@admin.register(RecruitmentSettings)
class RecruitmentSettingsAdmin(TenantAdmin):
    """One row an organization: the list leads to it, or to the form that stores it the first time."""

    permissions = {"view": "jobs:read", **dict.fromkeys(["add", "change"], "recruitment:manage")}
    section = SECTION
    icon = "tune"
    menu_title = "Settings"

    list_display = ("__str__", "is_careers_page_on", "retention_months", "ownership_days", "needs_second_approver")
    fields = (
        "is_careers_page_on",
        "consent_text",
        ("retention_months", "renewal_days"),
        ("ownership_days", "needs_second_approver"),
    )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Lead to the row there is, if there is one."""
        stored = RecruitmentSettings.objects.first()
        if stored is not None:
            return redirect("admin:recruitment_recruitmentsettings_change", stored.pk)
        response: HttpResponse = super().add_view(request, form_url, extra_context)
        return response

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not RecruitmentSettings.objects.exists() and self.has_add_permission(request):
            return redirect(reverse("admin:recruitment_recruitmentsettings_add"))
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> RecruitmentSettings:
        return settings.update_settings(**data)

    def perform_update(self, request: HttpRequest, obj: RecruitmentSettings, changes: dict[str, Any]) -> None:
        settings.update_settings(**changes)
