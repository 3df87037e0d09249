"""The match explorer and the decision log."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from ai_matching.filters import filtered_candidates
from ai_matching.models import Match, MatchedPerson, Verdict
from ai_matching.services.decisions import decide, quality
from ai_matching.services.log_export import export_log
from ai_matching.services.matching import Answer, Asking, candidates_for, match_candidates
from contacts.models import LiveContact
from recruitment.models import JobOpening, OpeningStatus
from vocelio.access.principal import Principal
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
        ("about", "kind"),
        ("created_by", "created_at"),
        ("compared_by", "rules_version"),
        ("what_counts", "conditions"),
        ("total", "notice"),
        "shown",
    )
    readonly_fields = ("about", "compared_by", "what_counts", "conditions", "shown")

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
        asked = request.GET
        chosen = next((job for job in jobs if str(job.pk) == asked.get("job")), None)
        answer = None
        filters = conditions_of(asked, principal) if chosen is not None else {}
        # Nobody of the name: there is nothing to compare.
        if chosen is not None and filters.get("candidateIds") != []:
            among = filtered_candidates(candidates_for(principal), filters, chosen)
            asking = Asking(principal=principal, limit=SHOWN, filters=filters)
            answer = match_candidates(asking=asking, among=among, job=chosen)
        context = {
            **self.admin_site.each_context(request),
            "title": "Match explorer",
            "jobs": jobs,
            "chosen": chosen,
            "asked": asked,
            "skills": list(chosen.skills.all()) if chosen else [],
            "answer": answer,
            "rows": rows_of(answer) if answer else [],
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
        asked = QueryDict(request.META["QUERY_STRING"], mutable=True)
        asked["job"] = str(result.match.job_id or "")
        return redirect(f"{reverse('admin:ai_matching_match_explorer')}?{asked.urlencode()}")

    @admin.display(description="For")
    def about(self, match: Match) -> str:
        return str(match.job or (match.profile and match.profile.contact) or "a text")

    @admin.display(description="Compared by")
    def compared_by(self, match: Match) -> str:
        return f"{match.provider}, {match.model}, version {match.model_version}"

    @admin.display(description="What counted")
    def what_counts(self, match: Match) -> str:
        weights = [
            f"{label.lower()} {match.weights[name]:.2f}" for name, label in LABELS.items() if match.weights.get(name)
        ]
        return ", ".join([*weights, f"of title and text the title {match.title_weight:.2f}"])

    @admin.display(description="Conditions")
    def conditions(self, match: Match) -> str:
        told = [
            f"{name}: {', '.join(map(str, each)) if isinstance(each, list) else each}"
            for name, each in match.filters.items()
        ]
        return "; ".join([*told, *([f"score from {match.threshold}"] if match.threshold else [])]) or "none"

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


def conditions_of(asked: QueryDict, principal: Principal) -> dict[str, Any]:
    """Return the conditions that the form above the explorer names."""
    conditions: dict[str, Any] = {}
    if name := asked.get("name", "").strip():
        people = LiveContact.objects.search(name).values("pk")
        found = candidates_for(principal).filter(contact_id__in=people).values_list("pk", flat=True)
        conditions["candidateIds"] = [str(pk) for pk in found[:SHOWN]]
    if "without" in asked:
        conditions["excludeApplicants"] = True
    return conditions


def rows_of(answer: Answer) -> list[dict[str, Any]]:
    """Return the results with their factors' labels and what was said last of each of them for this job."""
    shown = [result.subject.pk for result in answer.results]
    judged = MatchedPerson.objects.filter(job_id=answer.match.job_id, profile_id__in=shown).exclude(verdict="")
    said = dict(judged.order_by("decided_at", "id").values_list("profile_id", "verdict"))
    return [
        {
            "result": result,
            "said": said.get(result.subject.pk, ""),
            "bars": [(LABELS[each["factor"]], each) for each in result.factors],
        }
        for result in answer.results
    ]
