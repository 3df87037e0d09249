"""/ai/vector-match-candidates, /ai/vector-match-jobs, /ai/search, /ai/matches, /ai/match-results, /ai/match-quality"""

import uuid
from typing import Any

import orjson
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ai_matching.filters import MatchFilter, MatchResultFilter, filtered_candidates, filtered_jobs
from ai_matching.models import Match, MatchedPerson
from ai_matching.serializers.matching import (
    FoundSerializer,
    LoggedResultSerializer,
    MatchAnswerSerializer,
    MatchCandidatesSerializer,
    MatchJobsSerializer,
    MatchQualitySerializer,
    MatchSerializer,
    MatchVerdictSerializer,
    SearchSerializer,
)
from ai_matching.services import decisions, matching
from ai_matching.services.log_export import export_log
from ai_matching.services.search import NEEDS, search
from recruitment.services.jobs import find_job
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Forbidden

PAGE = inline_serializer(
    "MatchPagination",
    {name: serializers.IntegerField() for name in ("page", "limit", "total", "pages")},
)
ANSWER = inline_serializer("MatchPage", {"data": MatchAnswerSerializer(), "pagination": PAGE})
FOUND = inline_serializer("SearchPage", {"data": FoundSerializer(many=True), "notice": serializers.CharField()})
for shape in (ANSWER, FOUND):
    shape.enveloped = False  # type: ignore[attr-defined]


class MatchingViewSet(TenantViewSet):
    """Candidates and jobs that suit each other, with the reasons."""

    model = Match
    serializer_class = MatchAnswerSerializer
    permissions = {"candidates": "profiles:read", "jobs": "jobs:read", "search": "contacts:read"}

    @extend_schema(request=MatchCandidatesSerializer, responses=ANSWER)
    def candidates(self, request: Request) -> Response:
        """Rank the candidates who suit a job, or a text, best first. Every question and answer is logged."""
        serializer = MatchCandidatesSerializer(data=request.data)
        data = self.validated(serializer)
        job = find_job(data["jobId"], self.principal) if "jobId" in data else None
        among = filtered_candidates(matching.candidates_for(self.principal), data.get("filters", {}), job)
        answer = matching.match_candidates(asking=self._asking(data), among=among, job=job, text=data.get("text", ""))
        return self._answered(answer, data)

    @extend_schema(request=MatchJobsSerializer, responses=ANSWER)
    def jobs(self, request: Request) -> Response:
        """Rank the open jobs that suit a candidate, or the text of a CV, best first."""
        data = self.validated(MatchJobsSerializer(data=request.data))
        profile = matching.find_candidate(data["candidateId"], self.principal) if "candidateId" in data else None
        among = filtered_jobs(matching.jobs_for(self.principal), data.get("filters", {}))
        answer = matching.match_jobs(asking=self._asking(data), among=among, profile=profile, text=data.get("text", ""))
        return self._answered(answer, data)

    @extend_schema(request=SearchSerializer, responses=FOUND)
    def search(self, request: Request) -> Response:
        """Find contacts, jobs or candidates by what a text means rather than by its letters."""
        data = self.validated(SearchSerializer(data=request.data))
        if not self.principal.may(NEEDS[data["kind"]]):
            raise Forbidden
        rows, notice = search(
            kind=data["kind"], text=data["text"], principal=self.principal, limit=data.get("limit", 20)
        )
        return Response({"data": FoundSerializer(rows, many=True).data, "notice": notice})

    def _asking(self, data: dict[str, Any]) -> matching.Asking:
        return matching.Asking(
            principal=self.principal,
            weights=data.get("weights"),
            title_weight=data.get("title_weight"),
            threshold=data.get("threshold"),
            page=data.get("page", 1),
            limit=data.get("limit", 20),
            filters=orjson.loads(orjson.dumps(data.get("filters", {}), default=_plain)),
        )

    def _answered(self, answer: matching.Answer, data: dict[str, Any]) -> Response:
        limit = data.get("limit", 20)
        pages = -(-answer.total // limit)
        pagination = {"page": data.get("page", 1), "limit": limit, "total": answer.total, "pages": pages}
        return Response({"data": MatchAnswerSerializer(answer).data, "pagination": pagination})


class MatchViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """The decision log: every question, by which model and weights it was answered."""

    model = Match
    serializer_class = MatchSerializer
    filterset_class = MatchFilter
    permissions = dict.fromkeys(["list", "retrieve"], "matching:review")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("job", "created_by")


class MatchResultViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """What was shown, at which rank and why, and what a person said of it."""

    model = MatchedPerson
    serializer_class = LoggedResultSerializer
    filterset_class = MatchResultFilter
    permissions = {"list": "matching:review", "retrieve": "matching:review", "verdict": "profiles:read"}

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("decided_by")

    @extend_schema(request=MatchVerdictSerializer, responses=LoggedResultSerializer)
    @action(detail=True, methods=["post"])
    def verdict(self, request: Request, pk: uuid.UUID) -> Response:
        """Say whether a result was a good match. No application is made, moved or rejected by it."""
        result = self.get_object()
        data = self.validated(MatchVerdictSerializer(data=request.data))
        return self.respond(self.represent(decisions.decide(result, **data)))


class MatchLogFileViewSet(TenantViewSet):
    """The decision log as a file."""

    model = Match
    content_negotiation_class = DownloadNegotiation
    permissions = {"export": "matching:review"}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def export(self, request: Request) -> StreamingHttpResponse:
        """Download the decision log as CSV: a line for each result that was shown."""
        return StreamingHttpResponse(
            export_log(self.principal.organization_id),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="match-log.csv"'},
        )


class MatchQualityViewSet(TenantViewSet):
    """How good matches are."""

    model = Match
    serializer_class = MatchQualitySerializer
    pagination_class = None
    permissions = {"retrieve": "matching:review"}

    @extend_schema(responses=MatchQualitySerializer(many=True))
    def retrieve(self, request: Request) -> Response:
        """Show the precision of the first ten results by model and weights, as verdicts and hires say."""
        return self.respond(MatchQualitySerializer(decisions.quality(), many=True).data)


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set) else str(value)
