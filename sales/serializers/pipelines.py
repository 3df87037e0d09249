from decimal import Decimal
from typing import Any

from rest_framework import serializers

from contacts.serializers.fields import DayField, currency_field, version_field
from sales.models import ExchangeRate, GateField, LostReason, Pipeline, SalesSettings, Stage, StageKind
from sales.services.pipelines import MAX_STAGES
from vocelio.api.serializers import ModelSerializer, Serializer


class StageSerializer(ModelSerializer):
    """A step of a pipeline."""

    kind = serializers.ChoiceField(choices=StageKind.choices, required=False)
    probability = serializers.IntegerField(
        min_value=0, max_value=100, required=False, help_text="Percent; won is 100, lost is 0 whatever is sent."
    )
    required_fields = serializers.ListField(
        child=serializers.ChoiceField(choices=GateField.choices),
        required=False,
        max_length=len(GateField.choices),
        help_text="What a deal needs before it may be here; a lost one always its lostReason.",
    )
    rotting_days = serializers.IntegerField(min_value=1, max_value=3650, required=False, allow_null=True)
    position = serializers.IntegerField(min_value=0, max_value=MAX_STAGES, required=False)
    version = version_field()

    class Meta:
        model = Stage
        fields = [
            "id",
            "name",
            "kind",
            "probability",
            "required_fields",
            "rotting_days",
            "position",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]

    def to_representation(self, instance: Any) -> Any:
        shown = super().to_representation(instance)
        shown.pop("version", None)
        return shown

    def get_fields(self) -> Any:
        fields = super().get_fields()
        fields["version"].write_only = True
        fields["version"].help_text = "The pipeline's, as the caller knows it."
        if self.instance is not None:
            # The order is set for all stages at once.
            fields["position"].read_only = True
        return fields

    def validate_requiredFields(self, value: list[str]) -> list[str]:
        return list(dict.fromkeys(value))


class NewStageSerializer(StageSerializer):
    """A stage of a pipeline in the making; its place in the list is its position."""

    class Meta(StageSerializer.Meta):
        fields = ["name", "kind", "probability", "required_fields", "rotting_days"]

    def get_fields(self) -> Any:
        return super(StageSerializer, self).get_fields()


class PipelineSerializer(ModelSerializer):
    """A pipeline with its stages in their order."""

    stages = StageSerializer(many=True, read_only=True, source="stages_in_order")
    version = version_field()

    class Meta:
        model = Pipeline
        fields = ["id", "name", "description", "is_default", "version", "stages", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {"description": {"max_length": 2_000}}


class NewPipelineSerializer(PipelineSerializer):
    """A pipeline in the making; without stages it gets the usual ones."""

    stages = NewStageSerializer(  # type: ignore[call-arg]
        many=True, required=False, allow_empty=False, max_length=MAX_STAGES
    )

    class Meta(PipelineSerializer.Meta):
        fields = ["name", "description", "is_default", "stages"]

    def validate_stages(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [stage["name"] for stage in value]
        if len(names) != len(set(names)):
            raise serializers.ValidationError("Each stage has a name of its own.", code="unique")
        return value


class StageOrderSerializer(Serializer):
    stage_ids = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MAX_STAGES, help_text="Every stage once."
    )
    version = version_field()


class StageRemovalSerializer(Serializer):
    """How many deals moved."""

    enveloped = False
    message = serializers.CharField()
    moved = serializers.IntegerField(min_value=0)


class LostReasonSerializer(ModelSerializer):
    class Meta:
        model = LostReason
        fields = ["id", "name", "is_archived", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]


class ExchangeRateSerializer(ModelSerializer):
    """What one unit of a currency is worth in the organization's currency, from a day on."""

    currency = currency_field()
    valid_from = DayField()
    rate = serializers.DecimalField(max_digits=18, decimal_places=8, min_value=Decimal("0.00000001"))

    class Meta:
        model = ExchangeRate
        fields = ["id", "currency", "valid_from", "rate", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]

    def get_fields(self) -> Any:
        fields = super().get_fields()
        if self.instance is not None:
            fields["currency"].read_only = True
        return fields


class SalesSettingsSerializer(ModelSerializer):
    currency = currency_field()

    class Meta:
        model = SalesSettings
        fields = ["currency", "updated_at"]
        read_only_fields = ["updated_at"]
