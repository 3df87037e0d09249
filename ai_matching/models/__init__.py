from ai_matching.models.decisions import Match, MatchedPerson, MatchKind, Verdict
from ai_matching.models.embeddings import Embedding, EmbeddingMark, EmbeddingRun, Part, SubjectKind
from ai_matching.models.enrichment import EnrichmentProposal, ProposalStatus
from ai_matching.models.leads import LeadScore, LeadScoreEntry
from ai_matching.models.settings import AiSettings, AiUsage, Purpose

__all__ = [
    "AiSettings",
    "AiUsage",
    "Embedding",
    "EmbeddingMark",
    "EmbeddingRun",
    "EnrichmentProposal",
    "LeadScore",
    "LeadScoreEntry",
    "Match",
    "MatchKind",
    "MatchedPerson",
    "Part",
    "ProposalStatus",
    "Purpose",
    "SubjectKind",
    "Verdict",
]
