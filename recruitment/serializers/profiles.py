from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.serializers.clients import clean_url
from recruitment.models import CandidateFile, CandidateProfile, CandidateSkill, SalaryPeriod, SkillLevel
from recruitment.models.profiles import Salary
from recruitment.models.skills import fold
from vocelio.api.serializers import ModelSerializer, PersonField, Serializer


class MonthField(serializers.RegexField):
    """A year, or a year and a month: people rarely know more of where they worked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^(19|20)\d{2}(-(0[1-9]|1[0-2]))?$", help_text="YYYY or YYYY-MM.", **kwargs)


class SpanSerializer(Serializer):
    """Something from then to then; without an end it goes on."""

    since = MonthField(required=False, allow_blank=True)
    until = MonthField(required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        since, until = attrs.get("since", ""), attrs.get("until", "")
        if since and until and until[: len(since)] < since[: len(until)]:
            raise serializers.ValidationError({"until": ["This ends before it starts."]}, code="range")
        return attrs


class ExperienceSerializer(SpanSerializer):
    company = serializers.CharField(max_length=255)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    description = serializers.CharField(max_length=5_000, required=False, allow_blank=True)


class EducationSerializer(SpanSerializer):
    institution = serializers.CharField(max_length=255)
    degree = serializers.CharField(max_length=200, required=False, allow_blank=True)
    field = serializers.CharField(max_length=200, required=False, allow_blank=True)


class LanguageSerializer(Serializer):
    """A language (ISO 639) and how well it is spoken (Common European Framework)."""

    language = serializers.RegexField(r"^[a-z]{2,3}$")
    level = serializers.ChoiceField(choices=["A1", "A2", "B1", "B2", "C1", "C2", "native"])


class WorkAuthorizationSerializer(Serializer):
    """Where somebody may work, by what right, until when."""

    country = serializers.RegexField(r"^[A-Z]{2}$", help_text="ISO 3166 alpha-2.")
    basis = serializers.ChoiceField(choices=["citizen", "permanent", "visa", "sponsorship_needed"])
    until = serializers.DateField(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if value.get("until"):
            # It is stored as JSON.
            value["until"] = value["until"].isoformat()
        return value


class SkillSerializer(ModelSerializer):
    name = serializers.CharField(max_length=100)
    level = serializers.ChoiceField(choices=SkillLevel.choices, required=False, help_text="1 beginner to 5 expert.")
    years = serializers.DecimalField(max_digits=4, decimal_places=1, min_value=0, max_value=80, required=False)

    class Meta:
        model = CandidateSkill
        fields = ["name", "level", "years"]


class SalaryValueSerializer(Serializer):
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=Decimal("0.01"))
    currency = serializers.RegexField(r"^[A-Z]{3}$", help_text="ISO 4217.")
    period = serializers.ChoiceField(choices=SalaryPeriod.choices)


@extend_schema_field(SalaryValueSerializer)
class SalaryField(serializers.Field):  # type: ignore[type-arg]
    """Encrypted at rest; null to callers without `profiles:salary`."""

    def to_internal_value(self, data: Any) -> str:
        serializer = SalaryValueSerializer(data=data)
        serializer.is_valid(raise_exception=True)
        return Salary(**serializer.validated_data).to_text()

    def to_representation(self, value: Any) -> Any:
        view = self.context.get("view")
        salary = Salary.from_text(value)
        if salary is None or view is None or not view.principal.may("profiles:salary"):
            return None
        return {"amount": f"{salary.amount:.2f}", "currency": salary.currency, "period": salary.period}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return "" if value is None else value


class CandidateFileSerializer(ModelSerializer):
    """A CV or another document; `/candidate-files/{id}/download` is the file itself."""

    profile_id = serializers.UUIDField(read_only=True)
    created_by = PersonField()

    class Meta:
        model = CandidateFile
        fields = ["id", "profile_id", "filename", "kind", "size", "sha256", "created_by", "created_at"]
        read_only_fields = ["filename", "kind", "size", "sha256", "created_at"]


class CandidateProfileSerializer(ModelSerializer):
    """A contact as somebody who may be hired."""

    contact_id = serializers.UUIDField(read_only=True)
    is_primary = serializers.BooleanField(read_only=True)
    skills = SkillSerializer(many=True, required=False)
    years_of_experience = serializers.DecimalField(
        max_digits=4, decimal_places=1, min_value=0, max_value=80, required=False, allow_null=True
    )
    experience = ExperienceSerializer(many=True, required=False)
    education = EducationSerializer(many=True, required=False)
    languages = LanguageSerializer(many=True, required=False)
    desired_salary = SalaryField(required=False, allow_null=True)
    current_salary = SalaryField(required=False, allow_null=True)
    country = serializers.RegexField(r"^[A-Z]{2}$", required=False, allow_blank=True, help_text="ISO 3166 alpha-2.")
    notice_period_days = serializers.IntegerField(min_value=0, max_value=730, required=False, allow_null=True)
    work_authorization = WorkAuthorizationSerializer(many=True, required=False)
    files = CandidateFileSerializer(many=True, read_only=True)
    created_by = PersonField()

    class Meta:
        model = CandidateProfile
        fields = [
            "id",
            "contact_id",
            "is_primary",
            "headline",
            "summary",
            "job_search",
            "skills",
            "years_of_experience",
            "experience",
            "education",
            "languages",
            "desired_salary",
            "current_salary",
            "city",
            "state",
            "country",
            "remote_preference",
            "will_relocate",
            "notice_period_days",
            "available_on",
            "work_authorization",
            "source",
            "linkedin_url",
            "portfolio_url",
            "notes",
            "files",
            "created_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {"summary": {"max_length": 20_000}, "notes": {"max_length": 20_000}}

    def validate_linkedinUrl(self, value: str) -> str:
        return clean_url(value)

    def validate_portfolioUrl(self, value: str) -> str:
        return clean_url(value)

    def validate_skills(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [fold(skill["name"]) for skill in value]
        if len(names) > 200:
            raise serializers.ValidationError("A candidate has at most 200 skills.", code="max_length")
        if len(names) != len(set(names)):
            raise serializers.ValidationError("A skill stands here twice.", code="unique")
        return value


class NewCandidateProfileSerializer(CandidateProfileSerializer):
    """A candidate profile to be added; `isPrimary` takes the flag from the one that has it."""

    is_primary = serializers.BooleanField(required=False)

    class Meta(CandidateProfileSerializer.Meta):
        pass


class FileUploadSerializer(Serializer):
    file = serializers.FileField(help_text="PDF or Word (.docx), at most 10 MB.")
