"""Applications as the API reads and shows them."""

from typing import Any

import orjson
from rest_framework import serializers

from contacts.models import Contact
from contacts.serializers.contacts import TagsField
from contacts.serializers.fields import OwnerField, version_field
from recruitment.models import Application, ApplicationStage, StageOutcome
from recruitment.services.bulk_applications import ACTIONS, MAX_APPLICATIONS
from vocelio.api.bulk import BulkActionSerializer, BulkErrorSerializer, BulkOutcomeSerializer, IdsField
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, PlainJSONField, Serializer

MAX_ANSWERS_BYTES = 64 * 1024


class StageOfApplicationSerializer(ModelSerializer):
    class Meta:
        model = ApplicationStage
        fields = ["id", "name", "outcome"]
        read_only_fields = fields


class ApplicantSerializer(ModelSerializer):
    """Who applies."""

    name = serializers.CharField(source="__str__", read_only=True)

    class Meta:
        model = Contact
        fields = ["id", "name", "email", "phone"]
        read_only_fields = fields


class ApplicationSerializer(ModelSerializer):
    """An application. Its status and closing time follow from its stage."""

    job = NamedSerializer()
    job_id = serializers.UUIDField(write_only=True)
    contact = ApplicantSerializer(read_only=True)
    contact_id = serializers.UUIDField(write_only=True)
    stage = StageOfApplicationSerializer(read_only=True)
    stage_id = serializers.UUIDField(required=False, write_only=True, help_text="The first of the job unless given.")
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)
    tags = TagsField(required=False)
    cover_note = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    answers = PlainJSONField(required=False, help_text="By the keys of the job's questions.")
    rejection_reason = NamedSerializer()
    rejection_reason_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    assigned_to = OwnerField()
    created_by = PersonField()
    version = version_field()

    class Meta:
        model = Application
        fields = [
            "id", "job", "job_id", "contact", "contact_id", "stage", "stage_id", "status", "source", "referrer",
            "rating", "tags", "cover_note", "answers", "rejection_reason", "rejection_reason_id", "outcome_note",
            "mail_due_at", "applied_at", "stage_entered_at", "closed_at", "assigned_to", "created_by", "version",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = [
            "status", "mail_due_at", "applied_at", "stage_entered_at", "closed_at", "created_at", "updated_at",
        ]  # fmt: skip

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        if self.instance is not None and not isinstance(self.instance, list):
            # An application stays with its job and person.
            fields.pop("jobId", None)
            fields.pop("contactId", None)
        return fields

    def validate_answers(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(orjson.dumps(value)) > MAX_ANSWERS_BYTES:
            raise serializers.ValidationError("Answers hold at most 64 KB.", code="max_length")
        return value


class MoveApplicationSerializer(Serializer):
    """Where the application goes, and why where it is rejected or withdrawn."""

    stage_id = serializers.UUIDField()
    rejection_reason_id = serializers.UUIDField(required=False)
    outcome_note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    notify_candidate = serializers.BooleanField(
        required=False, help_text="Mail the reason's message to who is rejected, once the undo window is over."
    )
    version = version_field()


class ApplicationTimelineSerializer(Serializer):
    """Something that happened with the application."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=["stage", "interview", "scorecard", "offer", "placement", "submission"])
    title = serializers.CharField()
    user = PersonField()
    details = serializers.DictField()


class ApplicationCardSerializer(Serializer):
    """What a card of the board shows."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    contact_id = serializers.UUIDField()
    job = NamedSerializer()
    stage_id = serializers.UUIDField()
    stage_entered_at = serializers.DateTimeField()
    applied_at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=StageOutcome.choices)
    rating = serializers.IntegerField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # the API's name
    tags = serializers.ListField(child=serializers.CharField())
    assigned_to = PersonField()
    version = serializers.IntegerField()


class ApplicationColumnSerializer(Serializer):
    """A column: its true total, and the first of its cards."""

    stage = StageOfApplicationSerializer()
    count = serializers.IntegerField(min_value=0, help_text="Of all its applications.")
    applications = ApplicationCardSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="For GET /applications/board/{stageId}.")


class ApplicationBoardSerializer(Serializer):
    """The applications to a job as a board."""

    job = NamedSerializer()
    version = serializers.IntegerField(help_text="The job's.")
    columns = ApplicationColumnSerializer(many=True)


class BulkApplicationsDataSerializer(Serializer):
    stage_id = serializers.UUIDField(required=False, help_text="For move.")
    rejection_reason_id = serializers.UUIDField(required=False, help_text="For reject, or a move that rejects.")
    notify_candidate = serializers.BooleanField(required=False, help_text="Mail the reason's message later.")
    assigned_to = serializers.UUIDField(
        required=False, allow_null=True, source="assigned_to_id", help_text="For assign; null for nobody."
    )


class BulkApplicationsSerializer(BulkActionSerializer):
    """One action on up to 1,000 applications."""

    NEEDS = {"move": "stage_id", "reject": "rejection_reason_id", "assign": "assigned_to_id"}
    MAY_USE = {"move": {"rejection_reason_id", "notify_candidate"}, "reject": {"notify_candidate"}}

    action = serializers.ChoiceField(choices=list(ACTIONS))
    application_ids = IdsField(max_length=MAX_APPLICATIONS)
    data = BulkApplicationsDataSerializer()  # type: ignore[assignment]


class UndoBulkSerializer(Serializer):
    undo_id = serializers.UUIDField(help_text="Of the bulk operation's answer.")


class BulkApplicationErrorSerializer(BulkErrorSerializer):
    application_id = serializers.UUIDField()


class BulkApplicationsResultSerializer(BulkOutcomeSerializer):
    """What became of a bulk operation."""

    errors = BulkApplicationErrorSerializer(many=True)  # type: ignore[assignment]
    undo_id = serializers.UUIDField(allow_null=True, help_text="POST /applications/undo within ten minutes.")
