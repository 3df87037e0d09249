"""The match explorer and the decision log."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from ai_matching.models import Match, MatchedPerson, Verdict
from ai_matching.services.decisions import decide, quality
from ai_matching.services.log_export import export_log
from ai_matching.services.matching import Asking, candidates_for, match_candidates
from recruitment.models import JobOpening, OpeningStatus
from vocelio.backoffice.tenant import TenantAdmin

# Jobs to choose from.
JOBS = 200
SHOWN = 10
LABELS = {
    "similarity": "Title and text",
    "skills": "Skills",
    "experience": "Experience",
    "location": "Place",
    "salary": "Salary",
    "availability": "Availability",
}


@admin.register(Match)
class MatchAdmin(TenantAdmin):
    permissions = {"view": "matching:review", "explore": "profiles:read", "decide": "profiles:read"}
    section = "Matching"
    icon = "history"
    menu_title = "Match log"

    change_list_template = "matching/log.html"
    list_display = ("created_at", "kind", "about", "model", "total", "notice", "created_by")
    list_select_related = ("job", "profile__contact", "created_by")
    list_filter = ("kind", "provider")
    fields = (
        ("kind", "created_by", "created_at"),
        ("job", "provider", "model", "model_version", "rules_version"),
        ("weights", "title_weight", "threshold", "filters"),
        ("total", "notice"),
        "shown",
    )
    readonly_fields = fields[-1:]

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        return [("Match explorer", "join_inner", reverse("admin:ai_matching_match_explorer"))]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("profile__contact__search")

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("explorer/", site.admin_view(self.explorer), name="ai_matching_match_explorer"),
            path("export/", site.admin_view(self.export), name="ai_matching_match_export"),
            path("explorer/<uuid:pk>/", site.admin_view(self.say), name="ai_matching_match_say"),
            *super().get_urls(),
        ]

    def explorer(self, request: HttpRequest) -> HttpResponse:
        """Show a job beside the candidates that suit it, each with its factors."""
        if not self.may(request, "explore"):
            raise PermissionDenied
        principal = self.principal(request)
        visible: Any = JobOpening.objects.get_queryset().visible_to(principal)
        jobs = list(
            visible.alive().filter(status=OpeningStatus.OPEN).order_by("title", "id").defer("description")[:JOBS]
        )
        chosen = next((job for job in jobs if str(job.pk) == request.GET.get("job")), None)
        answer = None
        if chosen is not None:
            asking = Asking(principal=principal, limit=SHOWN)
            answer = match_candidates(asking=asking, among=candidates_for(principal), job=chosen)
        context = {
            **self.admin_site.each_context(request),
            "title": "Match explorer",
            "jobs": jobs,
            "chosen": chosen,
            "skills": list(chosen.skills.all()) if chosen else [],
            "answer": answer,
            "labels": LABELS,
            "quality": quality() if self.may(request, "view") else [],
            "opts": self.opts,
        }
        return TemplateResponse(request, "matching/explorer.html", context)

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """Download the log as CSV."""
        if not self.may(request, "view"):
            raise PermissionDenied
        return StreamingHttpResponse(
            export_log(self.principal(request).organization_id),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="match-log.csv"'},
        )

    def say(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Note what a person says of a result, and go back to the explorer."""
        if request.method != "POST" or not self.may(request, "decide"):
            raise PermissionDenied
        result = get_object_or_404(MatchedPerson.objects.select_related("match"), pk=pk)
        if request.POST.get("verdict") in Verdict.values:
            with transaction.atomic():
                decide(result, verdict=request.POST["verdict"])
            self.message_user(request, "Noted. Nothing else follows from it.", messages.SUCCESS)
        return redirect(f"{reverse('admin:ai_matching_match_explorer')}?job={result.match.job_id or ''}")

    @admin.display(description="For")
    def about(self, match: Match) -> str:
        return str(match.job or (match.profile and match.profile.contact) or "a text")

    @admin.display(description="What was shown")
    def shown(self, match: Match) -> SafeString:
        rows = MatchedPerson.objects.filter(match=match).order_by("rank").select_related("profile__contact", "job")
        return format_html_join(
            "",
            "<p><b>{}. {}</b> · {} · {}<br>{}</p>",
            (
                (
                    row.rank,
                    row.job if match.kind == "jobs" else (row.profile and row.profile.contact),
                    row.score,
                    row.get_verdict_display() or "no verdict",
                    row.reason,
                )
                for row in rows.defer("profile__contact__search")
            ),
        )
