"""CVs, batches of them, and what strangers send, as the API reads and shows them."""

from typing import Any

from rest_framework import serializers

from contacts.phones import PhoneProblem, normalize
from recruitment.models import Cv, CvBatch, JobOpening
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, PlainJSONField, Serializer
from vocelio.storage.serializers import TakenFileSerializer


class CvSerializer(ModelSerializer):
    """A CV and what was read in it: {field: {value, confidence}}, for a person to accept."""

    batch_id = serializers.UUIDField(read_only=True, allow_null=True)
    contact = NamedSerializer()
    profile_id = serializers.UUIDField(read_only=True, allow_null=True)
    proposals = serializers.DictField(read_only=True)
    created_by = PersonField()

    class Meta:
        model = Cv
        fields = [
            "id", "batch_id", "filename", "kind", "size", "status", "error_code", "error_message", "proposals",
            "contact", "profile_id", "created_by", "created_at",
        ]  # fmt: skip
        read_only_fields = ["filename", "kind", "size", "status", "error_code", "error_message", "created_at"]


class CvDetailSerializer(CvSerializer):
    """The same with the text."""

    class Meta(CvSerializer.Meta):
        fields = [*CvSerializer.Meta.fields, "text"]
        read_only_fields = [*CvSerializer.Meta.read_only_fields, "text"]


class CvUploadSerializer(Serializer):
    file = serializers.FileField(help_text="PDF or Word (.docx), at most 10 MB.")


class CvBatchUploadSerializer(TakenFileSerializer):
    """A zip of at most 5,000 CVs, 256 MB."""


class AcceptCvSerializer(Serializer):
    """What of the proposals is right, as a person corrected it; what is missing is left as it was."""

    contact_id = serializers.UUIDField(required=False, help_text="The one with the e-mail address or phone otherwise.")
    first_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=320, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=50, required=False, allow_blank=True)
    linkedin_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    portfolio_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    years_of_experience = serializers.DecimalField(
        max_digits=4, decimal_places=1, min_value=0, max_value=80, required=False, allow_null=True
    )
    skills = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=200)

    def validate_phone(self, value: str) -> str:
        if not value:
            return value
        phone = normalize(value, self.context["view"].principal.default_region)
        if isinstance(phone, PhoneProblem):
            raise serializers.ValidationError(f"Not a phone number: {phone.reason}.", code="phone")
        return phone.e164


class CvBatchSerializer(ModelSerializer):
    """A zip of CVs being taken in."""

    created_by = PersonField()

    class Meta:
        model = CvBatch
        fields = [
            "id", "filename", "status", "progress", "total", "processed", "parsed", "refused", "error_code",
            "error_message", "created_by", "created_at", "started_at", "completed_at",
        ]  # fmt: skip
        read_only_fields = fields


class PublicJobSerializer(ModelSerializer):
    """A job as strangers see it."""

    organization = serializers.CharField(source="organization.name", read_only=True)
    skills = serializers.SerializerMethodField()
    salary = serializers.SerializerMethodField()
    questions = serializers.JSONField(read_only=True)
    consent_text = serializers.CharField(read_only=True)

    class Meta:
        model = JobOpening
        fields = [
            "public_slug", "title", "organization", "description", "requirements", "benefits", "department", "city",
            "state", "country", "remote_kind", "employment_type", "salary", "skills", "questions", "apply_by",
            "consent_text",
        ]  # fmt: skip
        read_only_fields = fields

    def get_skills(self, job: JobOpening) -> list[str]:
        return [skill.name for skill in job.skills.all()]

    def get_salary(self, job: JobOpening) -> dict[str, Any] | None:
        if not job.is_salary_public or (job.salary_min is None and job.salary_max is None):
            return None
        return {
            "min": str(job.salary_min) if job.salary_min is not None else None,
            "max": str(job.salary_max) if job.salary_max is not None else None,
            "currency": job.currency,
            "period": job.salary_period,
        }


class ApplySerializer(Serializer):
    """An application from the careers page."""

    first_name = serializers.CharField(max_length=100)
    last_name = serializers.CharField(max_length=100)
    email = serializers.EmailField(max_length=320)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    cover_note = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    source = serializers.CharField(max_length=100, required=False, allow_blank=True)  # type: ignore[assignment]
    answers = PlainJSONField(required=False)
    consent = serializers.CharField(max_length=5_000, help_text="The words agreed to, as `consentText` shows them.")
    file = serializers.FileField(required=False, help_text="A CV: PDF or Word (.docx), at most 10 MB.")

    def validate_email(self, value: str) -> str:
        return value.lower()
