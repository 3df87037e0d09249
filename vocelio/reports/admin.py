"""Reports in the back office: built with a form, drawn, saved, exported, mailed."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from vocelio.access.principal import Principal
from vocelio.backoffice.tenant import TenantAdmin, members
from vocelio.errors import VocelioError
from vocelio.reports.charts import drawn_figures
from vocelio.reports.files import CONTENT_TYPES, report_file
from vocelio.reports.forms import DefinitionForm, definition_of, form_data
from vocelio.reports.models import FileFormat, Frequency, ReportDelivery, ReportSchedule, SavedReport
from vocelio.reports.registry import metric_named
from vocelio.reports.services import saved, schedules
from vocelio.reports.services.answers import answer_in_time, as_report
from vocelio.reports.services.questions import FigureQuestion, read_question
from vocelio.reports.services.shown import shown_answer
from vocelio.reports.views.drawn import file_response

USUAL = {"metrics": ["contacts.created"], "range": {"preset": "last_90_days"}, "granularity": "week", "compare": True}
# What the form of the page holds beside the definition.
ABOUT = ("name", "description", "is_shared")
SHOWN_DELIVERIES = 8
NUMBER = UnfoldAdminTextInputWidget(attrs={"type": "number"})


class ScheduleForm(forms.Form):
    """When, as what file and to whom a report is mailed."""

    frequency = forms.ChoiceField(choices=Frequency.choices, widget=UnfoldAdminSelectWidget())
    day = forms.IntegerField(
        min_value=1, max_value=28, initial=1, widget=NUMBER, help_text="1 is Monday, or the first of the month."
    )
    hour = forms.IntegerField(min_value=0, max_value=23, initial=8, widget=NUMBER)
    format = forms.ChoiceField(choices=FileFormat.choices, initial=FileFormat.PDF, widget=UnfoldAdminSelectWidget())
    recipients = forms.MultipleChoiceField(widget=forms.SelectMultiple(attrs={"size": 5}))

    def __init__(self, data: Any, *, principal: Principal) -> None:
        super().__init__(data)
        self.fields["recipients"].choices = [  # type: ignore[attr-defined]
            (str(user.pk), str(user)) for user in members(principal)
        ]


@admin.register(SavedReport)
class SavedReportAdmin(TenantAdmin):
    permissions = {
        "view": "reports:read",
        "add": "reports:write",
        "change": "reports:read",
        "delete": "reports:write",
        "share": "reports:share",
        "schedule": "reports:schedule",
    }
    section = "Reports"
    icon = "insert_chart"
    menu_title = "Reports"

    list_display = ("name", "counts", "chart", "shared", "owner", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name",)

    @admin.display(description="Counts")
    def counts(self, report: SavedReport) -> str:
        metrics = [metric_named(name) for name in report.definition.get("metrics", [])]
        return ", ".join(metric.title for metric in metrics if metric)

    @display(description="Shared", boolean=True)  # type: ignore[untyped-decorator]
    def shared(self, report: SavedReport) -> bool:
        return report.is_shared

    def perform_delete(self, request: HttpRequest, obj: SavedReport) -> None:
        saved.delete_report(obj, principal=self.principal(request))

    def get_urls(self) -> list[URLPattern]:
        return [
            path("file/", self.admin_site.admin_view(self.file), name="reports_savedreport_file"),
            path("<uuid:pk>/schedule/", self.admin_site.admin_view(self.schedule), name="reports_savedreport_schedule"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Build a report; nothing is kept until it is saved."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a saved report as of now, with the form to change it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        report = self.get_object(request, object_id)
        if report is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        return self._page(request, report)

    def _page(self, request: HttpRequest, report: SavedReport | None) -> HttpResponse:
        principal = self.principal(request)
        sent = request.POST if request.method == "POST" else request.GET
        definition = report.definition if report else USUAL
        given = sent if "metric" in sent else form_data(definition, report.chart if report else "line")
        form = DefinitionForm(given, principal=principal)
        key = given.get("filter", "")
        if key:
            form = DefinitionForm(given, principal=principal, values=values_of(given, key, principal))
        refusal = None
        if form.is_valid():
            made = definition_of(form)
            if request.method == "POST":
                try:
                    with transaction.atomic():
                        kept = self._save(request, report, made, form.cleaned_data["chart"])
                except VocelioError as error:
                    refusal = error.message
                else:
                    self.message_user(request, f"{kept} is saved.", messages.SUCCESS)
                    return redirect("admin:reports_savedreport_change", kept.pk)
        # What stands in the table is what is shown, whatever the form can say of it.
        asked = definition_of(form) if form.is_valid() and "metric" in sent else definition
        chart = given.get("chart", "bar")
        context = {
            **self.admin_site.each_context(request),
            **figures_of(asked, principal, chart),
            "title": report.name if report else "New report",
            "opts": self.opts,
            "report": report,
            "form": form,
            "about": {name: request.POST.get(name, getattr(report, name, "")) for name in ABOUT},
            "may_share": self.may(request, "share"),
            "may_schedule": self.may(request, "schedule"),
            "is_wider": bool(report) and form.is_valid() and not same(definition_of(form), definition),
            "files": [
                (kind.upper(), f"{reverse('admin:reports_savedreport_file')}?{urlencode(list(flat(given, kind)))}")
                for kind in CONTENT_TYPES
            ],
            "schedule_form": ScheduleForm(None, principal=principal),
            "schedules": schedules_of(report, principal) if report else [],
            "deliveries": ReportDelivery.objects.filter(report=report).order_by("-created_at")[:SHOWN_DELIVERIES]
            if report
            else [],
        }
        if refusal:
            context["refusal"] = refusal
        return TemplateResponse(request, "reports/report.html", context)

    def _save(
        self, request: HttpRequest, report: SavedReport | None, definition: dict[str, Any], chart: str
    ) -> SavedReport:
        if not self.may(request, "add"):
            raise PermissionDenied
        principal = self.principal(request)
        values = {
            "name": request.POST.get("name", "").strip()[:100] or "Report",
            "description": request.POST.get("description", "")[:500],
            "is_shared": "is_shared" in request.POST,
            "definition": definition,
            "chart": chart,
        }
        if report is None or "copy" in request.POST:
            return saved.create_report(principal=principal, **values)
        return saved.update_report(report, principal=principal, **values)

    def file(self, request: HttpRequest) -> HttpResponse:
        """Answer what the form asks as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        principal = self.principal(request)
        key = request.GET.get("filter", "")
        values = values_of(request.GET, key, principal) if key else None
        form = DefinitionForm(request.GET, principal=principal, values=values)
        kind = request.GET.get("format", "csv")
        if not form.is_valid() or kind not in CONTENT_TYPES:
            messages.error(request, "This cannot be asked so.")
            return redirect("admin:reports_savedreport_add")
        question = read_question(definition_of(form), principal)
        found = answer_in_time(question)
        report = as_report(found, chart=form.cleaned_data["chart"])
        return file_response(report_file(kind, report, question, currency=found.currency), "report", kind)

    def schedule(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Mail the report from now on, at once, or no more."""
        if request.method != "POST" or not self.may(request, "schedule"):
            raise PermissionDenied
        principal = self.principal(request)
        report: Any = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            with transaction.atomic():
                done = self._schedule(request, report, principal)
        except VocelioError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return redirect("admin:reports_savedreport_change", pk)

    def _schedule(self, request: HttpRequest, report: SavedReport, principal: Principal) -> str:
        action, _, schedule_id = request.POST.get("do", "").partition(":")
        if action in ("send", "stop", "resume"):
            schedule: ReportSchedule = get_object_or_404(report.schedules, pk=uuid.UUID(schedule_id))
            if action == "send":
                schedules.send_now(schedule)
                return "It is on its way."
            if action == "resume":
                schedules.update_schedule(schedule, principal=principal, is_active=True)
                return "It is mailed again."
            schedules.delete_schedule(schedule)
            return "It is no longer mailed."
        form = ScheduleForm(request.POST, principal=principal)
        if not form.is_valid():
            return "Choose at least one recipient."
        values = {**form.cleaned_data, "recipients": [uuid.UUID(each) for each in form.cleaned_data["recipients"]]}
        schedules.create_schedule(report=report, principal=principal, **values)
        return "It is mailed from now on."


def figures_of(definition: dict[str, Any], principal: Principal, chart: str) -> dict[str, Any]:
    """Return what the page draws: chart and table of the answer, or why there is none."""
    try:
        question = read_question(definition, principal)
        figures = shown_answer(answer_in_time(question))
    except VocelioError as error:
        return {"refusal": error.message}
    return {
        "figures": figures,
        "question": question,
        "drawn": drawn_figures(figures, chart),
        "numbers": drawn_figures(figures, "number"),
        "table": drawn_figures(figures, "table"),
        "counts": [metric.counts for metric in question.metrics],
    }


def values_of(given: Any, key: str, principal: Principal) -> list[tuple[str, str]]:
    """Return the values of a dimension that the form's question has, to choose from."""
    definition: dict[str, Any] = {"metrics": [given.get("metric", "")], "dimensions": [key], "limit": 100}
    if given.get("period") and given["period"] != "days":
        definition["range"] = {"preset": given["period"]}
    try:
        question: FigureQuestion = read_question(definition, principal)
        found = answer_in_time(question)
    except VocelioError:
        return []
    chosen = [
        ("" if value is None else str(value), label) for value, label in zip(found.values, found.labels, strict=True)
    ]
    return list(dict(reversed(chosen)).items())[::-1]


def same(made: dict[str, Any], definition: dict[str, Any]) -> bool:
    """Say whether the form can say all that a definition asks."""
    plain = {key: value for key, value in definition.items() if value and key != "limit"}
    return made == {"range": {"preset": "last_30_days"}, **plain}


def flat(given: Any, kind: str) -> list[tuple[str, str]]:
    """Return the form's fields as pairs of an address."""
    names = [name for name in given if name not in ("csrfmiddlewaretoken", *ABOUT)]
    return [(name, value) for name in names for value in given.getlist(name)] + [("format", kind)]


def schedules_of(report: SavedReport, principal: Principal) -> list[tuple[ReportSchedule, str]]:
    """Return the schedules of a report with the names of those who get it."""
    names = {user.pk: str(user) for user in members(principal)}
    return [
        (schedule, ", ".join(names.get(user_id, "a former member") for user_id in schedule.recipients))
        for schedule in report.schedules.select_related("owner").order_by("created_at")
    ]
