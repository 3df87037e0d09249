from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from comms.models import CommunicationTemplate, Enrolment, Sequence
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, Serializer

MAX_ENROLLED = 1000


class StepSerializer(Serializer):
    """A template and how long to wait before it."""

    template_id = serializers.PrimaryKeyRelatedField(
        queryset=CommunicationTemplate.objects, source="template", pk_field=serializers.UUIDField()
    )
    wait_hours = serializers.IntegerField(min_value=0, max_value=8760, required=False)
    times = serializers.IntegerField(
        min_value=1, max_value=20, required=False, help_text="Sent so often, with the same wait, until an answer."
    )


class ShownStepSerializer(Serializer):
    position = serializers.IntegerField()
    template = NamedSerializer()
    wait_hours = serializers.IntegerField()
    times = serializers.IntegerField()


class SequenceSerializer(ModelSerializer):
    """Messages that follow each other until the person answers."""

    steps = StepSerializer(many=True, write_only=True)
    steps_shown = serializers.SerializerMethodField()
    created_by = PersonField()

    class Meta:
        model = Sequence
        fields = [
            "id",
            "name",
            "is_active",
            "in_window",
            "steps",
            "steps_shown",
            "created_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]

    @extend_schema_field(ShownStepSerializer(many=True))
    def get_steps_shown(self, sequence: Sequence) -> Any:
        steps = sorted(sequence.steps.all(), key=lambda step: step.position)
        return ShownStepSerializer(steps, many=True).data


class EnrolmentSerializer(ModelSerializer):
    """A person on the way through a sequence."""

    sequence = NamedSerializer(read_only=True)
    contact = NamedSerializer(read_only=True)

    class Meta:
        model = Enrolment
        fields = ["id", "sequence", "contact", "status", "stopped_by", "position", "next_at", "created_at"]
        read_only_fields = fields


class EnrolRequestSerializer(Serializer):
    contact_ids = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MAX_ENROLLED, help_text="Contacts you may see."
    )


class EnrolledSerializer(Serializer):
    enrolled = serializers.IntegerField()
    already = serializers.IntegerField()
