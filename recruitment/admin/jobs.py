"""Jobs: as a list, with their boards, in figures."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from contacts.admin.panels import render
from contacts.client_panels import PanelTable
from recruitment.models import (
    JobOpening,
    JobSkill,
    JobTeamMember,
    OpeningStatus,
)
from recruitment.services import jobs
from recruitment.services.reports import REPORTS, Question
from vocelio.backoffice.forms import TenantForm, by_id
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.languages.translate import translated
from vocelio.reports.charts import days_chosen, drawn_reports, period_chosen

LABELS = {"Open": "success", "Draft": "info", "On hold": "warning", "Filled": "success", "Cancelled": "danger"}


class JobForm(TenantForm):
    """A job, with what it may become."""

    status = forms.ChoiceField(choices=OpeningStatus.choices, required=False, widget=UnfoldAdminSelectWidget)


@admin.register(JobOpening)
class JobOpeningAdmin(TenantAdmin):
    permissions = {"view": "jobs:read", "add": "jobs:write", "change": "jobs:write", "delete": "jobs:delete"}
    section = "Recruitment"
    icon = "work"
    menu_title = "Jobs"
    form = JobForm

    list_display = ("title", "shown_client", "place", "state", "numbers", "assigned_to", "board_link", "created_at")
    list_select_related = ("client", "assigned_to")
    list_filter = ("status", "remote_kind", "priority")
    search_fields = ("title", "client__name")
    autocomplete_fields = ("client",)
    readonly_fields = (
        "public_address", "asked_skills", "hiring_team", "opened_at", "closed_at", "status_reason", "created_by",
        "created_at", "version",
    )  # fmt: skip
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "title",
                    ("status", "priority", "openings"),
                    ("client", "assigned_to"),
                    ("department", "family", "process"),
                    ("city", "state", "country"),
                    ("remote_kind", "employment_type"),
                    ("salary_min", "salary_max"),
                    ("currency", "salary_period", "is_salary_public"),
                    ("experience_min", "experience_max"),
                    ("apply_by", "fill_by"),
                    "description",
                    "requirements",
                    "benefits",
                    "tags",
                    ("is_public", "public_address"),
                )
            },
        ),
        ("Asked for", {"fields": ("asked_skills", "hiring_team")}),
        ("History", {"fields": (("opened_at", "closed_at", "status_reason"), ("created_by", "created_at", "version"))}),
    )

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show the figures beside the list."""
        return [("Recruitment figures", "monitoring", reverse("admin:recruitment_jobopening_figures"))]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.alive().with_numbers().defer("client__search")  # type: ignore[no-any-return]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.base_fields["process"].required = False
        if obj is not None and "status" in form.base_fields:
            form.base_fields["status"].initial = obj.status
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"assigned_to": self.principal(request).user_id, **super().get_changeform_initial_data(request)}

    @admin.display(description="Client")
    def shown_client(self, job: JobOpening) -> str:
        return str(job.client or "")

    @admin.display(description="Place")
    def place(self, job: JobOpening) -> str:
        return job.place

    @display(description="Status", label=LABELS)  # type: ignore[untyped-decorator]
    def state(self, job: JobOpening) -> str:
        return job.get_status_display()

    @admin.display(description="Open, hired")
    def numbers(self, job: Any) -> str:
        return f"{job.open_applications}, {job.hires} of {job.openings}"

    @admin.display(description="Board")
    def board_link(self, job: JobOpening) -> SafeString:
        address = reverse("admin:recruitment_jobopening_board", args=[job.pk])
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address, translated("Board")
        )

    @admin.display(description="Careers page")
    def public_address(self, job: JobOpening) -> SafeString | str:
        if not job.public_slug:
            return "-"
        return format_html('<a href="{0}">{0}</a>', reverse("careers-job", args=[job.public_slug]))

    @admin.display(description="Skills")
    def asked_skills(self, job: JobOpening) -> SafeString:
        skills = JobSkill.objects.filter(job_id=job.pk)
        rows = [
            ("", [skill.name, skill.get_level_display(), "required" if skill.is_required else "wished"])
            for skill in skills
        ]
        return render(PanelTable(["Skill", "Level", ""], rows))

    @admin.display(description="Hiring team")
    def hiring_team(self, job: JobOpening) -> SafeString:
        members = JobTeamMember.objects.filter(job_id=job.pk).select_related("user")
        return render(
            PanelTable(["Who", "As"], [("", [str(member.user), member.get_role_display()]) for member in members])
        )

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> JobOpening:
        values = {name: value for name, value in data.items() if value is not None}
        values = by_id(values, *({"client", "process", "assigned_to"} & values.keys()))
        status = values.pop("status", "") or OpeningStatus.DRAFT
        return jobs.create_job(principal=self.principal(request), status=status, **values)

    def perform_update(self, request: HttpRequest, obj: JobOpening, changes: dict[str, Any]) -> None:
        values = by_id(changes, "client", "process", "assigned_to")
        jobs.update_job(job=obj, principal=self.principal(request), **values)

    def perform_delete(self, request: HttpRequest, obj: JobOpening) -> None:
        jobs.delete_job(job=obj)

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("figures/", site.admin_view(self.figures), name="recruitment_jobopening_figures"),
            path("<uuid:pk>/board/", site.admin_view(self.board), name="recruitment_jobopening_board"),
            *super().get_urls(),
        ]

    def board(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show the applications to a job; static/recruitment/board.js fills it by the API and follows what others do."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request), pk=pk)
        principal = self.principal(request)
        context = {
            **self.admin_site.each_context(request),
            "title": job.title,
            "job": job,
            "others": self.get_queryset(request).filter(status=OpeningStatus.OPEN).order_by("-created_at")[:50],
            "may_move": principal.may("applications:write"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "backoffice/application_board.html", context)

    def figures(self, request: HttpRequest) -> HttpResponse:
        """Show the reports as charts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = Question.of(self.principal(request), *days_chosen(request))
        reports = {name: report(asked) for name, report in REPORTS.items()}
        came, fill, offered = (reports[name].totals for name in ("applications", "time-to-fill", "offers"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Recruitment figures",
            "opts": self.opts,
            "channel": "applications",
            "events": "application",
            **period_chosen(request),
            "figures": [
                ("Applications", came["applied"], "came in", "inbox"),
                ("Hired", came["hired"], f"{came['rejected']} rejected", "trophy"),
                ("Days to fill", fill["daysToFill"] or 0, "from opening the job to the hire", "timer"),
                ("Days to hire", fill["daysToHire"] or 0, "from applying to the hire", "schedule"),
                ("Offers accepted", offered["acceptance"] or 0, "percent of those answered", "handshake"),
            ],
            "reports": drawn_reports(reports, asked, "recruitment-analytics"),
        }
        return TemplateResponse(request, "backoffice/figures.html", context)
