from django.urls import URLPattern, URLResolver, path

from ai_matching.views.matching import (
    MatchingViewSet,
    MatchLogFileViewSet,
    MatchQualityViewSet,
    MatchResultViewSet,
    MatchViewSet,
)
from ai_matching.views.upkeep import (
    AiSettingsViewSet,
    EmbeddingRunViewSet,
    EnrichmentViewSet,
    LeadScoreViewSet,
    ProposalViewSet,
    UsageViewSet,
    WeightsProposalViewSet,
)
from vocelio.api.routers import Router

router = Router()
router.register("ai/matches", MatchViewSet, basename="ai-matches")
router.register("ai/match-results", MatchResultViewSet, basename="ai-match-results")
router.register("ai/embedding-runs", EmbeddingRunViewSet, basename="ai-embedding-runs")
router.register("ai/lead-scores", LeadScoreViewSet, basename="ai-lead-scores")
router.register("ai/proposals", ProposalViewSet, basename="ai-proposals")

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "ai/vector-match-candidates",
        MatchingViewSet.as_view({"post": "candidates"}),
        name="ai-match-candidates",
    ),
    path("ai/vector-match-jobs", MatchingViewSet.as_view({"post": "jobs"}), name="ai-match-jobs"),
    path("ai/search", MatchingViewSet.as_view({"post": "search"}), name="ai-search"),
    path("ai/match-quality", MatchQualityViewSet.as_view({"get": "retrieve"}), name="ai-match-quality"),
    path("ai/update-embeddings", EmbeddingRunViewSet.as_view({"post": "start"}), name="ai-update-embeddings"),
    path("ai/usage", UsageViewSet.as_view({"get": "retrieve"}), name="ai-usage"),
    path("ai/settings", AiSettingsViewSet.as_view({"get": "retrieve", "put": "update"}), name="ai-settings"),
    path("ai/lead-scoring", LeadScoreViewSet.as_view({"post": "score"}, pagination_class=None), name="ai-lead-scoring"),
    path("ai/lead-scoring/backtest", LeadScoreViewSet.as_view({"get": "backtest"}), name="ai-lead-backtest"),
    path("ai/enrich-contact", EnrichmentViewSet.as_view({"post": "enrich"}), name="ai-enrich-contact"),
    path("ai/match-log/export", MatchLogFileViewSet.as_view({"get": "export"}), name="ai-match-log-export"),
    path(
        "ai/weights-proposal",
        WeightsProposalViewSet.as_view({"get": "retrieve"}),
        name="ai-weights-proposal",
    ),
    path("ai/weights-proposal/accept", WeightsProposalViewSet.as_view({"post": "accept"}), name="ai-weights-accept"),
    path("ai/weights-proposal/reject", WeightsProposalViewSet.as_view({"post": "reject"}), name="ai-weights-reject"),
    path(
        "ai/missing-embeddings",
        EmbeddingRunViewSet.as_view({"get": "missing"}, pagination_class=None),
        name="ai-missing-embeddings",
    ),
    *router.urls,
]
