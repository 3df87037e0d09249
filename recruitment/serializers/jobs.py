"""Jobs, hiring processes and reasons as the API reads and shows them."""

from typing import Any

from rest_framework import serializers

from contacts.serializers.contacts import TagsField
from contacts.serializers.fields import DayField, OwnerField, money_field, version_field
from recruitment.models import (
    ApplicationStage,
    HiringProcess,
    JobOpening,
    JobSkill,
    JobTeamMember,
    OpeningStatus,
    RecruitmentSettings,
    RejectionReason,
    StageOutcome,
)
from recruitment.models.skills import SkillLevel, fold
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, Serializer

MAX_TEXT = 20_000


class ProcessStageSerializer(ModelSerializer):
    id = serializers.UUIDField(required=False, help_text="Of a stage that stays.")
    name = serializers.CharField(max_length=100)
    outcome = serializers.ChoiceField(choices=StageOutcome.choices, required=False)

    class Meta:
        model = ApplicationStage
        fields = ["id", "name", "outcome"]


class HiringProcessSerializer(ModelSerializer):
    """The stages that jobs of a family share."""

    name = serializers.CharField(max_length=100)
    stages = ProcessStageSerializer(
        many=True, required=False, help_text="In their order; in an update they replace all."
    )
    version = version_field()

    class Meta:
        model = HiringProcess
        fields = ["id", "name", "family", "is_default", "stages", "version", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]


class RejectionReasonSerializer(ModelSerializer):
    name = serializers.CharField(max_length=100)
    message = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MAX_TEXT,
        help_text="Mailed where asked for; {firstName} and {jobTitle} are filled in.",
    )

    class Meta:
        model = RejectionReason
        fields = ["id", "name", "message", "is_archived", "created_at"]
        read_only_fields = ["created_at"]


class RecruitmentSettingsSerializer(ModelSerializer):
    consent_text = serializers.CharField(required=False, max_length=5_000)
    retention_months = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=240)
    renewal_days = serializers.IntegerField(required=False, min_value=1, max_value=365)
    ownership_days = serializers.IntegerField(required=False, min_value=1, max_value=3650)

    class Meta:
        model = RecruitmentSettings
        fields = [
            "is_careers_page_on",
            "consent_text",
            "retention_months",
            "renewal_days",
            "ownership_days",
            "needs_second_approver",
        ]


class JobSkillSerializer(ModelSerializer):
    name = serializers.CharField(max_length=100)
    level = serializers.ChoiceField(choices=SkillLevel.choices, required=False, help_text="1 beginner to 5 expert.")
    is_required = serializers.BooleanField(required=False, help_text="False for one that is only wished.")

    class Meta:
        model = JobSkill
        fields = ["name", "level", "is_required"]


class JobTeamMemberSerializer(ModelSerializer):
    user_id = serializers.UUIDField()
    name = serializers.CharField(source="user.__str__", read_only=True)

    class Meta:
        model = JobTeamMember
        fields = ["user_id", "name", "role"]


class QuestionSerializer(Serializer):
    """Something asked of applicants."""

    key = serializers.RegexField(r"^[a-zA-Z][a-zA-Z0-9_]{0,39}\Z")
    text = serializers.CharField(max_length=500)
    is_required = serializers.BooleanField(required=False, default=False)


class JobSerializer(ModelSerializer):
    """A job. Its status follows the life cycle: draft, open, on hold, filled, closed, cancelled."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    requirements = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    benefits = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT)
    status = serializers.ChoiceField(choices=OpeningStatus.choices, required=False)
    status_reason = serializers.CharField(required=False, allow_blank=True, max_length=500)
    client = NamedSerializer()
    client_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    process = NamedSerializer()
    process_id = serializers.UUIDField(
        required=False, write_only=True, help_text="The family's, else the default one, unless given."
    )
    country = serializers.RegexField(r"^[A-Z]{2}\Z", required=False, allow_blank=True, help_text="ISO 3166 alpha-2.")
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", required=False, allow_blank=True, help_text="ISO 4217.")
    salary_min = money_field(required=False, allow_null=True)
    salary_max = money_field(required=False, allow_null=True)
    experience_min = serializers.DecimalField(
        max_digits=4, decimal_places=1, min_value=0, max_value=80, required=False, allow_null=True
    )
    experience_max = serializers.DecimalField(
        max_digits=4, decimal_places=1, min_value=0, max_value=80, required=False, allow_null=True
    )
    openings = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    apply_by = DayField(required=False, allow_null=True)
    fill_by = DayField(required=False, allow_null=True)
    skills = JobSkillSerializer(many=True, required=False, max_length=100)  # type: ignore[call-arg]
    team = JobTeamMemberSerializer(many=True, required=False, max_length=100)  # type: ignore[call-arg]
    questions = QuestionSerializer(many=True, required=False, max_length=50)  # type: ignore[call-arg]
    tags = TagsField(required=False)
    assigned_to = OwnerField()
    created_by = PersonField()
    open_applications = serializers.IntegerField(read_only=True)
    hires = serializers.IntegerField(read_only=True)
    version = version_field()

    class Meta:
        model = JobOpening
        fields = [
            "id", "title", "status", "status_reason", "description", "requirements", "benefits", "client", "client_id",
            "department", "family", "process", "process_id", "city", "state", "country", "remote_kind",
            "employment_type", "salary_min", "salary_max", "currency", "salary_period", "is_salary_public",
            "experience_min", "experience_max", "openings", "open_applications", "hires", "priority", "apply_by",
            "fill_by", "skills", "team", "questions", "tags", "is_public", "public_slug", "opened_at", "closed_at",
            "assigned_to", "created_by", "version", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["public_slug", "opened_at", "closed_at", "created_at", "updated_at"]

    def validate_skills(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [fold(skill["name"]) for skill in value]
        if len(names) != len(set(names)):
            raise serializers.ValidationError("A skill stands here twice.", code="unique")
        return value

    def validate_questions(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        keys = [question["key"] for question in value]
        if len(keys) != len(set(keys)):
            raise serializers.ValidationError("A key stands here twice.", code="unique")
        return [{"key": each["key"], "text": each["text"], "isRequired": each["is_required"]} for each in value]

    def to_representation(self, instance: Any) -> Any:
        shown = super().to_representation(instance)
        shown["questions"] = instance.questions
        return shown


class CloseJobSerializer(Serializer):
    """How a job ends."""

    status = serializers.ChoiceField(
        choices=[each for each in OpeningStatus.choices if each[0] in ("filled", "closed", "cancelled")],
        required=False,
        default=OpeningStatus.CLOSED,
    )
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    version = version_field()


class JobCardSerializer(Serializer):
    """What a card of the board of jobs shows."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=OpeningStatus.choices)
    priority = serializers.CharField()
    openings = serializers.IntegerField()
    hires = serializers.IntegerField()
    open_applications = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    fill_by = serializers.DateField(allow_null=True)
    client = NamedSerializer()
    version = serializers.IntegerField()


class JobColumnSerializer(Serializer):
    status = serializers.ChoiceField(choices=OpeningStatus.choices)
    label = serializers.CharField()  # type: ignore[assignment]  # the API's name
    count = serializers.IntegerField(min_value=0)
    jobs = JobCardSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="For GET /jobs/board/{status}.")


class JobBoardSerializer(Serializer):
    """Jobs by status."""

    columns = JobColumnSerializer(many=True)
