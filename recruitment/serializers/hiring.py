"""Interviews, offers, placements, submissions, hotlists and claims as the API reads and shows them."""

from typing import Any
from zoneinfo import available_timezones

from rest_framework import serializers

from contacts.serializers.fields import DayField, MomentField, OwnerField, money_field, version_field
from recruitment.models import (
    CandidateClaim,
    CandidateConsent,
    Hotlist,
    HotlistEntry,
    Interview,
    Offer,
    OfferStatus,
    Placement,
    Scorecard,
    Submission,
    Verdict,
)
from recruitment.serializers.profiles import SalaryField
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, PlainJSONField, Serializer

MAX_TEXT = 20_000


class InterviewerSerializer(Serializer):
    user_id = serializers.UUIDField()
    name = serializers.CharField(source="user.__str__", read_only=True)


class InterviewSerializer(ModelSerializer):
    """An interview. Who is invited gets a calendar invitation by mail, and hears of every change."""

    application_id = serializers.UUIDField(read_only=True)
    title = serializers.CharField(max_length=200)
    starts_at = MomentField()
    ends_at = MomentField()
    timezone = serializers.CharField(max_length=60, required=False, help_text="Of the applicant; IANA name.")
    agenda = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    criteria = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=30, help_text="What scorecards judge."
    )
    interviewers = InterviewerSerializer(many=True, read_only=True)
    interviewer_ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, write_only=True, max_length=30
    )
    created_by = PersonField()

    class Meta:
        model = Interview
        fields = [
            "id", "application_id", "kind", "title", "status", "starts_at", "ends_at", "timezone", "location", "agenda",
            "criteria", "interviewers", "interviewer_ids", "invites_candidate", "sequence", "created_by", "created_at",
        ]  # fmt: skip
        read_only_fields = ["sequence", "created_at"]

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError("There is no such time zone.", code="choice")
        return value


class ScorecardSerializer(ModelSerializer):
    """What one interviewer thought; others see it once theirs is in."""

    interview_id = serializers.UUIDField(read_only=True)
    user = PersonField()
    verdict = serializers.ChoiceField(choices=Verdict.choices, help_text="1 strong no to 5 strong yes.")
    ratings = PlainJSONField(required=False, help_text="1 to 5 by criterion.")
    strengths = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    concerns = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    submit = serializers.BooleanField(write_only=True, required=False, help_text="For good; a draft otherwise.")

    class Meta:
        model = Scorecard
        fields = ["id", "interview_id", "user", "verdict", "ratings", "strengths", "concerns", "submit", "submitted_at"]
        read_only_fields = ["submitted_at"]

    def validate_ratings(self, value: dict[str, Any]) -> dict[str, Any]:
        if any(not isinstance(rating, int) or not 1 <= rating <= 5 for rating in value.values()):
            raise serializers.ValidationError("Ratings are 1 to 5.", code="range")
        return value


class OfferSerializer(ModelSerializer):
    """An offer to an applicant; the salary rests encrypted."""

    application_id = serializers.UUIDField(read_only=True, allow_null=True)
    job = NamedSerializer()
    salary = SalaryField(required=False, allow_null=True)
    starts_on = DayField(required=False, allow_null=True)
    expires_on = DayField(required=False, allow_null=True)
    terms = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    approved_by = PersonField()
    created_by = PersonField()
    version = version_field()

    class Meta:
        model = Offer
        fields = [
            "id", "application_id", "job", "status", "salary", "starts_on", "expires_on", "terms", "approved_by",
            "approved_at", "sent_at", "decided_at", "note", "created_by", "version", "created_at",
        ]  # fmt: skip
        read_only_fields = ["status", "approved_at", "sent_at", "decided_at", "note", "created_at"]


class OfferStatusChangeSerializer(Serializer):
    """What becomes of an offer."""

    status = serializers.ChoiceField(choices=OfferStatus.choices)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    version = version_field()


class PlacementSerializer(ModelSerializer):
    """Somebody starts in a job."""

    application_id = serializers.UUIDField(read_only=True, allow_null=True)
    contact = NamedSerializer()
    job = NamedSerializer()
    client = NamedSerializer()
    client_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    starts_on = DayField()
    ends_on = DayField(required=False, allow_null=True)
    guarantee_until = DayField(required=False, allow_null=True)
    fee = money_field(required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", required=False, allow_blank=True, help_text="ISO 4217.")
    created_by = PersonField()

    class Meta:
        model = Placement
        fields = [
            "id", "application_id", "contact", "job", "client", "client_id", "status", "starts_on", "ends_on",
            "guarantee_until", "fee", "currency", "placed_at", "created_by", "created_at",
        ]  # fmt: skip
        read_only_fields = ["placed_at", "created_at"]


class SubmissionSerializer(ModelSerializer):
    """A candidate shown to a client."""

    application_id = serializers.UUIDField(read_only=True)
    client = NamedSerializer()
    client_id = serializers.UUIDField(required=False, write_only=True, help_text="The job's unless given.")
    recipient = NamedSerializer()
    recipient_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    feedback = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    created_by = PersonField()

    class Meta:
        model = Submission
        fields = [
            "id", "application_id", "client", "client_id", "recipient", "recipient_id", "status", "note", "feedback",
            "submitted_at", "decided_at", "created_by",
        ]  # fmt: skip
        read_only_fields = ["submitted_at", "decided_at"]


class HotlistSerializer(ModelSerializer):
    """Candidates kept at hand."""

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    assigned_to = OwnerField()
    candidates = serializers.IntegerField(read_only=True)

    class Meta:
        model = Hotlist
        fields = ["id", "name", "description", "assigned_to", "candidates", "created_at"]
        read_only_fields = ["created_at"]


class HotlistEntrySerializer(ModelSerializer):
    contact = NamedSerializer()
    contact_id = serializers.UUIDField(write_only=True)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    created_by = PersonField()

    class Meta:
        model = HotlistEntry
        fields = ["id", "contact", "contact_id", "note", "created_by", "created_at"]
        read_only_fields = ["created_at"]


class ClaimSerializer(ModelSerializer):
    """The recruiter a candidate belongs to, and until when."""

    user = PersonField()
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)

    class Meta:
        model = CandidateClaim
        fields = ["user", "until", "note"]
        read_only_fields = ["until"]


class CandidateConsentSerializer(ModelSerializer):
    """The proof that a candidate agreed to be kept."""

    text = serializers.CharField(max_length=5_000)

    class Meta:
        model = CandidateConsent
        fields = ["id", "kind", "text", "text_sha256", "given_at", "ip_address"]
        read_only_fields = ["kind", "text_sha256", "given_at", "ip_address"]
