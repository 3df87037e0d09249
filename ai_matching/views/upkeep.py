"""/ai/update-embeddings, /ai/embedding-runs, /ai/usage, /ai/settings, /ai/lead-scoring, /ai/lead-scores,
/ai/enrich-contact, /ai/proposals"""

import datetime
import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ai_matching.filters import LeadScoreFilter, ProposalFilter
from ai_matching.models import (
    AiSettings,
    AiUsage,
    EmbeddingRun,
    EnrichmentProposal,
    LeadScore,
    LeadScoreEntry,
    SubjectKind,
)
from ai_matching.serializers.upkeep import (
    AiSettingsSerializer,
    AiStateSerializer,
    BacktestSerializer,
    EmbeddingRunSerializer,
    EnrichContactSerializer,
    EnrichedSerializer,
    LeadScoreEntrySerializer,
    LeadScoreSerializer,
    ProposalSerializer,
    ScoreLeadsSerializer,
    UnembeddedSerializer,
    UpdateEmbeddingsSerializer,
    UsageSerializer,
    WeightsProposalSerializer,
)
from ai_matching.services import embeddings, enrichment, leads, learning
from ai_matching.services.settings import own_settings, update_settings
from ai_matching.services.usage import spent_this_month, usage
from contacts.models import Contact
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Invalid
from vocelio.jobs.services import cancel_job

DAYS = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="The first day; 30 days before `to` unless given."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="The last day; today unless given."),
]


class DaysSerializer(serializers.Serializer[Any]):
    to = serializers.DateField(required=False)

    def get_fields(self) -> Any:
        return {**super().get_fields(), "from": serializers.DateField(required=False)}


class AiSettingsViewSet(TenantViewSet):
    """How the organization matches."""

    model = AiSettings
    serializer_class = AiStateSerializer
    permissions = {"retrieve": "profiles:read", "update": "matching:manage"}

    def retrieve(self, request: Request) -> Response:
        """Show the settings; the defaults until they are first changed."""
        return self.respond(self.get_serializer(own_settings()).data)

    @extend_schema(request=AiSettingsSerializer)
    def update(self, request: Request) -> Response:
        """Change the settings given. Another model answers after the next run over everything."""
        data = self.validated(AiSettingsSerializer(own_settings(), data=request.data, partial=True))
        return self.respond(self.get_serializer(update_settings(**data)).data)


class WeightsProposalViewSet(TenantViewSet):
    """Weights that past judgements speak for."""

    model = AiSettings
    serializer_class = WeightsProposalSerializer
    pagination_class = None
    permissions = dict.fromkeys(["retrieve", "accept", "reject"], "matching:manage")

    def retrieve(self, request: Request) -> Response:
        """Show the weights that stand beside those that verdicts and hires speak for, each held against other jobs."""
        return self.respond(self.get_serializer(learning.propose_weights()).data)

    @extend_schema(request=None)
    def accept(self, request: Request) -> Response:
        """Let the proposed weights count from now on; 409 NOT_ENOUGH_JUDGED or NO_BETTER_WEIGHTS without any."""
        return self.respond(self.get_serializer(learning.accept_weights()).data)

    @extend_schema(request=None)
    def reject(self, request: Request) -> Response:
        """Leave the weights as they are, and note that a person decided so."""
        return self.respond(self.get_serializer(learning.reject_weights()).data)


class EmbeddingRunViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Runs that make vectors."""

    model = EmbeddingRun
    serializer_class = EmbeddingRunSerializer
    permissions = {
        "list": "profiles:read",
        "retrieve": "profiles:read",
        "start": "matching:review",
        "cancel": "matching:review",
        "missing": "matching:review",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("created_by")

    @extend_schema(request=UpdateEmbeddingsSerializer, responses={202: EmbeddingRunSerializer})
    def start(self, request: Request) -> Response:
        """Make vectors of the records named, of all of some kinds, or of everything; texts that have one are skipped."""
        data = self.validated(UpdateEmbeddingsSerializer(data=request.data))
        kinds = sorted(data.get("kinds") or SubjectKind.values)
        run = embeddings.start_run(kinds=kinds, subject_ids=data.get("ids"))
        return self.respond(self.represent(run), status=202)

    @extend_schema(
        parameters=[OpenApiParameter("kind", enum=SubjectKind.values, required=True)],
        responses=UnembeddedSerializer(many=True),
    )
    def missing(self, request: Request) -> Response:
        """Show at most 100 records without a vector, or whose text changed after theirs was made."""
        kind = request.query_params.get("kind", "")
        if kind not in SubjectKind.values:
            told = f"There is: {', '.join(SubjectKind.values)}."
            raise Invalid.field("kind", told, value=kind[:10], constraint="choice")
        return self.respond(UnembeddedSerializer(embeddings.unembedded(kind), many=True).data)

    @extend_schema(request=None, responses=EmbeddingRunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: uuid.UUID) -> Response:
        """Stop a run; vectors made so far stay."""
        return self.respond(self.represent(cancel_job(self.get_object())))


class UsageViewSet(TenantViewSet):
    """What models were used for."""

    model = AiUsage
    serializer_class = UsageSerializer
    permissions = {"retrieve": "matching:review"}

    @extend_schema(parameters=DAYS)
    def retrieve(self, request: Request) -> Response:
        """Show requests, texts, tokens and cost of some days, and how much of each kind has vectors."""
        asked = DaysSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        last = asked.validated_data.get("to") or timezone.now().date()
        first = asked.validated_data.get("from") or last - datetime.timedelta(days=30)
        shown = {
            "rows": usage((first, last)),
            "spentThisMonth": spent_this_month(),
            "monthlyBudget": own_settings().monthly_budget,
            "coverage": embeddings.coverage(),
        }
        return self.respond(UsageSerializer(shown).data)


class LeadScoreViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """How promising leads are, and why."""

    model = LeadScore
    serializer_class = LeadScoreSerializer
    filterset_class = LeadScoreFilter
    sort_fields = {"score": "score", "scoredAt": "scored_at"}
    default_sort = "-score"
    permissions = {
        "list": "deals:read",
        "retrieve": "deals:read",
        "history": "deals:read",
        "score": "deals:write",
        "backtest": "analytics:read",
    }

    def get_queryset(self) -> Any:
        rows = super().get_queryset().filter(profile__contact__deleted_at__isnull=True)
        return rows.select_related("profile__contact").defer("profile__contact__search")

    @extend_schema(request=ScoreLeadsSerializer, responses=LeadScoreSerializer(many=True))
    def score(self, request: Request) -> Response:
        """Score the leads among some contacts now; those without a sales profile are left out."""
        data = self.validated(ScoreLeadsSerializer(data=request.data))
        profiles = leads.leads_visible(self.principal).filter(contact_id__in=data["contactIds"])
        scores = leads.score_now(profiles)
        rows = self.get_queryset().filter(pk__in=[each.pk for each in scores]).order_by("-score", "-id")
        return self.respond(LeadScoreSerializer(rows, many=True).data)

    @extend_schema(responses=LeadScoreEntrySerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def history(self, request: Request, pk: uuid.UUID) -> Response:
        """Show the scores the lead has had, the latest first, at most 100."""
        rows = LeadScoreEntry.objects.filter(profile_id=self.get_object().profile_id).order_by("-scored_at", "-id")
        return self.respond(LeadScoreEntrySerializer(rows[:100], many=True).data)

    @extend_schema(responses=BacktestSerializer)
    def backtest(self, request: Request) -> Response:
        """Hold the rules against past deals: AUC and lift of scores made of what was known when each began."""
        return self.respond(BacktestSerializer(leads.backtest()).data)


class EnrichmentViewSet(TenantViewSet):
    """What might be added to contacts."""

    model = Contact
    serializer_class = EnrichedSerializer
    permissions = {"enrich": "contacts:write"}

    @extend_schema(request=EnrichContactSerializer, responses=EnrichedSerializer)
    def enrich(self, request: Request) -> Response:
        """Look for what might be added to a contact. Nothing is written: it is proposed, and a person accepts."""
        data = self.validated(EnrichContactSerializer(data=request.data))
        rows = Contact.objects.alive().visible_to(self.principal).defer("search")
        contact = rows.filter(pk=data["contactId"]).first()
        if contact is None:
            raise Invalid.field(
                "contactId", "There is no such contact.", value=str(data["contactId"]), constraint="does_not_exist"
            )
        proposals, notice = enrichment.enrich(contact)
        return self.respond(EnrichedSerializer({"proposals": proposals, "notice": notice}).data)


class ProposalViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Proposals, and what became of them."""

    model = EnrichmentProposal
    serializer_class = ProposalSerializer
    filterset_class = ProposalFilter
    permissions = {
        "list": "contacts:read",
        "retrieve": "contacts:read",
        "accept": "contacts:write",
        "reject": "contacts:write",
    }

    def get_queryset(self) -> Any:
        rows = super().get_queryset().filter(contact__deleted_at__isnull=True)
        return rows.select_related("contact", "decided_by").defer("contact__search")

    @extend_schema(request=None, responses=ProposalSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: uuid.UUID) -> Response:
        """Write the proposed value to the contact; 409 PROPOSAL_DECIDED when somebody decided already."""
        proposal = enrichment.accept(self.get_object(), self.principal)
        return self.respond(self.represent(self.get_queryset().get(pk=proposal.pk)))

    @extend_schema(request=None, responses=ProposalSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: uuid.UUID) -> Response:
        """Put the proposal aside; the same value is not proposed again."""
        proposal = enrichment.reject(self.get_object())
        return self.respond(self.represent(self.get_queryset().get(pk=proposal.pk)))
