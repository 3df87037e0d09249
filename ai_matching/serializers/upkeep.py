"""Settings, runs, use, leads and proposals."""

from typing import Any

from rest_framework import serializers

from ai_matching.embedders import all_embedders
from ai_matching.models import (
    AiSettings,
    EmbeddingRun,
    EnrichmentProposal,
    LeadScore,
    LeadScoreEntry,
    ProposalStatus,
    Purpose,
    SubjectKind,
)
from ai_matching.serializers.matching import WeightsSerializer
from ai_matching.services.settings import answering, chosen, weights_of
from vocelio.api.serializers import ModelSerializer, PersonField, Serializer, blank_or


class AiSettingsSerializer(ModelSerializer):
    weights = WeightsSerializer(required=False)
    title_weight = serializers.FloatField(required=False, min_value=0, max_value=1)
    threshold = serializers.IntegerField(required=False, min_value=0, max_value=100)
    provider = blank_or([(slug, each.label) for slug, each in all_embedders().items()])(
        required=False, help_text="Empty: the best that is ready."
    )
    monthly_budget = serializers.DecimalField(
        max_digits=10, decimal_places=2, required=False, min_value=0, help_text="US dollars."
    )

    class Meta:
        model = AiSettings
        fields = ["weights", "title_weight", "threshold", "provider", "monthly_budget", "may_send_contacts"]

    def to_representation(self, instance: AiSettings) -> dict[str, Any]:
        return {**super().to_representation(instance), "weights": weights_of(instance)}


class AiStateSerializer(AiSettingsSerializer):
    """The settings with what follows from them: which model makes vectors, and whose vectors answer."""

    makes_vectors = serializers.SerializerMethodField()
    answers = serializers.SerializerMethodField()

    class Meta(AiSettingsSerializer.Meta):
        fields = [*AiSettingsSerializer.Meta.fields, "makes_vectors", "answers"]

    def get_makes_vectors(self, instance: AiSettings) -> str:
        return chosen(instance).slug

    def get_answers(self, instance: AiSettings) -> str:
        return answering(instance).slug


class WeighedSerializer(Serializer):
    """Some weights, and what they would have done on jobs held back."""

    weights = serializers.DictField(child=serializers.FloatField(), read_only=True)
    precision = serializers.FloatField(read_only=True, allow_null=True, help_text="Of the first ten judged results.")
    rightOrder = serializers.FloatField(
        read_only=True, allow_null=True, help_text="Share of pairs of a good and a bad result in the right order."
    )


class WeightsProposalSerializer(Serializer):
    """The weights that stand, and those that past judgements speak for; nothing changes until a person accepts."""

    isReady = serializers.BooleanField(read_only=True)
    judged = serializers.IntegerField(read_only=True, help_text="Results of jobs that have good and bad ones.")
    jobs = serializers.IntegerField(read_only=True)
    neededJudged = serializers.IntegerField(read_only=True)
    neededJobs = serializers.IntegerField(read_only=True)
    current = WeighedSerializer(read_only=True)
    proposed = WeighedSerializer(
        read_only=True, allow_null=True, help_text="Null while too few were judged, and where none does better."
    )


class UnembeddedSerializer(Serializer):
    """A record whose vector is missing, or older than its text."""

    id = serializers.UUIDField(read_only=True)
    kind = serializers.ChoiceField(choices=SubjectKind.choices, read_only=True)
    name = serializers.CharField(read_only=True)
    state = serializers.ChoiceField(choices=["missing", "changed"], read_only=True)


class UpdateEmbeddingsSerializer(Serializer):
    """Which subjects: those named, of one kind, or all of the kinds given."""

    kinds = serializers.MultipleChoiceField(choices=SubjectKind.choices, required=False, allow_empty=False)
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=5_000, help_text="Of one kind."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("ids") and len(attrs.get("kinds") or ()) != 1:
            raise serializers.ValidationError({"kinds": ["Ids need the one kind they are of."]}, code="required")
        return attrs


class EmbeddingRunSerializer(ModelSerializer):
    created_by = PersonField()
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=SubjectKind.choices), read_only=True)

    class Meta:
        model = EmbeddingRun
        fields = [
            "id", "kinds", "provider", "model", "status", "progress", "total", "processed", "embedded", "unchanged",
            "reused", "empty", "error_code", "error_message", "created_by", "created_at", "started_at", "completed_at",
        ]  # fmt: skip
        read_only_fields = fields


class UsageRowSerializer(Serializer):
    purpose = serializers.ChoiceField(choices=Purpose.choices, read_only=True)
    provider = serializers.CharField(read_only=True)
    model = serializers.CharField(read_only=True)
    requests = serializers.IntegerField(read_only=True)
    texts = serializers.IntegerField(read_only=True)
    tokens = serializers.IntegerField(read_only=True)
    cost = serializers.DecimalField(max_digits=18, decimal_places=9, read_only=True)


class CoverageSerializer(Serializer):
    kind = serializers.ChoiceField(choices=SubjectKind.choices, read_only=True)
    total = serializers.IntegerField(read_only=True)
    embedded = serializers.IntegerField(read_only=True)
    waiting = serializers.IntegerField(read_only=True, help_text="Changed since; the next run looks at them.")


class UsageSerializer(Serializer):
    """What models were used for in some days, what is left of the month's budget, and what has vectors."""

    rows = UsageRowSerializer(many=True, read_only=True)
    spentThisMonth = serializers.DecimalField(max_digits=18, decimal_places=9, read_only=True)
    monthlyBudget = serializers.DecimalField(max_digits=10, decimal_places=2, read_only=True)
    coverage = CoverageSerializer(many=True, read_only=True)


class LeadFactorSerializer(Serializer):
    factor = serializers.CharField(read_only=True)
    points = serializers.FloatField(read_only=True)
    most = serializers.FloatField(read_only=True, help_text="What it adds at most.")
    reason = serializers.CharField(read_only=True)


class LeadScoreSerializer(ModelSerializer):
    """How promising a lead is, 0 to 100, and what adds to it."""

    profile_id = serializers.UUIDField(read_only=True)
    contact_id = serializers.UUIDField(source="profile.contact_id", read_only=True)
    name = serializers.CharField(source="profile.contact", read_only=True)
    factors = LeadFactorSerializer(many=True, read_only=True)

    class Meta:
        model = LeadScore
        fields = ["id", "profile_id", "contact_id", "name", "score", "factors", "rules_version", "scored_at"]
        read_only_fields = fields


class LeadScoreEntrySerializer(ModelSerializer):
    factors = LeadFactorSerializer(many=True, read_only=True)

    class Meta:
        model = LeadScoreEntry
        fields = ["score", "factors", "rules_version", "scored_at"]
        read_only_fields = fields


class ScoreLeadsSerializer(Serializer):
    contactIds = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=500)


class BacktestSerializer(Serializer):
    """How well scores, made of what was known when past deals began, told won deals from lost ones."""

    deals = serializers.IntegerField(read_only=True)
    won = serializers.IntegerField(read_only=True)
    auc = serializers.FloatField(read_only=True, allow_null=True)
    lift = serializers.FloatField(read_only=True, allow_null=True)


class EnrichContactSerializer(Serializer):
    contactId = serializers.UUIDField()


class ProposalSerializer(ModelSerializer):
    """A value that might be added to a contact; nothing is written until a person accepts it."""

    contact_id = serializers.UUIDField(read_only=True)
    current = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=ProposalStatus.choices, read_only=True)
    decided_by = PersonField()

    class Meta:
        model = EnrichmentProposal
        fields = [
            "id", "contact_id", "field", "current", "value", "source", "explanation", "confidence", "status",
            "decided_by", "decided_at", "created_at",
        ]  # fmt: skip
        read_only_fields = [name for name in fields if name not in ("current", "status", "decided_by")]

    def get_current(self, proposal: EnrichmentProposal) -> str:
        value: str = getattr(proposal.contact, proposal.field)
        return value


class EnrichedSerializer(Serializer):
    proposals = ProposalSerializer(many=True, read_only=True)
    notice = serializers.CharField(read_only=True, help_text="What was out of order, if anything.")
