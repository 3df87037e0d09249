from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from dnc.models import Certificate, RegistryAccess, Scrub, ScrubResult
from dnc.services.decision import MODES
from dnc.services.scrubs import estimate_completion
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField, Serializer
from vocelio.jobs.models import JobStatus


class ScrubOptionsSerializer(Serializer):
    create_clean_list = serializers.BooleanField(default=True)
    clean_list_name = serializers.CharField(max_length=255, required=False, allow_blank=True, default="")
    mode = serializers.ChoiceField(MODES, default="manual", help_text="For which way of contact they must be clean.")
    keep_clean = serializers.BooleanField(default=True, help_text="Scrub again whenever a DNC list changes.")


class ScrubRequestSerializer(Serializer):
    """The body of POST /dnc/scrub-campaign."""

    campaign_id = serializers.UUIDField(required=False, allow_null=True)
    contact_list_ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)
    dnc_list_ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=100, default=list)
    options = ScrubOptionsSerializer(required=False)


class ScrubStartedSerializer(Serializer):
    scrub_job_id = serializers.UUIDField(source="id")
    status = serializers.SerializerMethodField()
    total_contacts = serializers.IntegerField(source="total")
    estimated_completion = serializers.SerializerMethodField()
    clean_list_id = serializers.UUIDField(allow_null=True)

    def get_status(self, scrub: Scrub) -> str:
        """Say `processing` from the beginning, as the document does."""
        return "processing" if scrub.status == JobStatus.PENDING else scrub.status

    def get_estimated_completion(self, scrub: Scrub) -> datetime:
        return estimate_completion(scrub)


class ScrubSerializer(ModelSerializer):
    """A run with the document's counts: totalContacts = cleanContacts + matchedDNC + blockedContacts."""

    matchedDNC = serializers.IntegerField(source="matched_dnc", read_only=True)
    blocked_contacts = serializers.IntegerField(
        read_only=True, help_text="Neither clean nor listed: it cannot be proven, or a rule forbids it."
    )
    compliance_rate = serializers.FloatField(read_only=True, allow_null=True)
    clean_list_id = serializers.UUIDField(read_only=True, allow_null=True)
    contact_list_ids = serializers.ListField(child=serializers.UUIDField(), read_only=True)
    dnc_list_ids = serializers.ListField(child=serializers.UUIDField(), read_only=True)
    lists_checked = serializers.ListField(child=serializers.CharField(), read_only=True)
    keep_clean = serializers.BooleanField(source="is_watched", read_only=True)
    error = serializers.SerializerMethodField()
    created_by = PersonField()

    class Meta:
        model = Scrub
        fields = [
            "id",
            "campaign_id",
            "status",
            "progress",
            "total_contacts",
            "matchedDNC",
            "blocked_contacts",
            "clean_contacts",
            "without_phone",
            "compliance_rate",
            "lists_checked",
            "contact_list_ids",
            "dnc_list_ids",
            "mode",
            "keep_clean",
            "follows",
            "followed_by",
            "newly_blocked",
            "newly_clean",
            "judged_at",
            "created_at",
            "started_at",
            "completed_at",
            "clean_list_id",
            "certificate_id",
            "error",
            "created_by",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_error(self, scrub: Scrub) -> dict[str, str] | None:
        return {"code": scrub.error_code, "message": scrub.error_message} if scrub.error_code else None


class ScrubResultSerializer(ModelSerializer):
    phone_number = serializers.SerializerMethodField()
    reasons = serializers.SerializerMethodField()
    modes = serializers.SerializerMethodField()

    class Meta:
        model = ScrubResult
        fields = ["phone_number", "contact_id", "code", "is_clean", "reasons", "modes"]
        read_only_fields = fields

    def get_phone_number(self, result: ScrubResult) -> str:
        return f"+{result.number}"

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_reasons(self, result: ScrubResult) -> list[dict[str, Any]]:
        reasons: list[dict[str, Any]] = self.context["outcomes"][result.outcome]["reasons"]
        return reasons

    @extend_schema_field(serializers.DictField(child=serializers.BooleanField()))
    def get_modes(self, result: ScrubResult) -> dict[str, bool]:
        modes: dict[str, bool] = self.context["outcomes"][result.outcome]["modes"]
        return modes


class CertificateSerializer(ModelSerializer):
    content = PlainJSONField(read_only=True)
    hash = serializers.SerializerMethodField()
    previous_hash = serializers.SerializerMethodField()
    subject_id = serializers.UUIDField(read_only=True, allow_null=True)
    user_id = serializers.UUIDField(read_only=True, allow_null=True)

    class Meta:
        model = Certificate
        fields = ["id", "number", "kind", "subject_id", "user_id", "content", "previous_hash", "hash", "created_at"]
        read_only_fields = fields

    def get_hash(self, certificate: Certificate) -> str:
        return bytes(certificate.hash).hex()

    def get_previous_hash(self, certificate: Certificate) -> str:
        return bytes(certificate.previous_hash).hex()


class ChainSerializer(Serializer):
    certificates = serializers.IntegerField()
    head = serializers.SerializerMethodField()
    is_intact = serializers.SerializerMethodField()
    broken = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)

    def get_head(self, chain: Any) -> str:
        return str(chain.head.hex())

    def get_is_intact(self, chain: Any) -> bool:
        return chain.broken is None


class RegistryAccessSerializer(ModelSerializer):
    user_id = serializers.UUIDField(read_only=True, allow_null=True)
    certificate_id = serializers.UUIDField(read_only=True, allow_null=True)
    registries = serializers.ListField(child=serializers.CharField(), read_only=True)
    sans = serializers.ListField(child=serializers.CharField(), read_only=True)
    areas = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = RegistryAccess
        fields = ["id", "user_id", "purpose", "certificate_id", "registries", "sans", "areas", "numbers", "created_at"]
        read_only_fields = fields


class HistorySerializer(Serializer):
    """Everything known of one number."""

    phone_number = serializers.CharField()
    entries = serializers.ListField(child=serializers.DictField())
    registries = serializers.ListField(child=serializers.DictField())
    permissions = serializers.ListField(child=serializers.DictField())
    facts = serializers.ListField(child=serializers.DictField())
    attempts = serializers.ListField(child=serializers.DictField())
    scrubs = serializers.ListField(child=serializers.DictField())


class AnalyticsSerializer(Serializer):
    """The organization's compliance in figures."""

    compliance_rate = serializers.FloatField(allow_null=True, help_text="Of the scrubs of the period.")
    contacts_scrubbed = serializers.IntegerField()
    contacts_clean = serializers.IntegerField()
    numbers_checked = serializers.IntegerField()
    scrubs = serializers.IntegerField()
    opt_outs = serializers.IntegerField()
    entries = serializers.IntegerField()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    stale_lists = serializers.ListField(child=serializers.CharField())
    trend = serializers.ListField(child=serializers.DictField())


class RuleSerializer(Serializer):
    id = serializers.CharField()
    kind = serializers.CharField()
    jurisdiction = serializers.CharField()
    start = serializers.DateField()
    until = serializers.DateField(allow_null=True)
    value = serializers.DictField()
    source = serializers.CharField()  # type: ignore[assignment]


class RulesSerializer(Serializer):
    enveloped = False
    data = RuleSerializer(many=True)  # type: ignore[assignment]
