"""Analytics and erasure certificates as the API shows them."""

from rest_framework import serializers

from contacts.models import Erasure
from vocelio.api.serializers import ModelSerializer, Serializer

NUMBERS = {"type": "object", "additionalProperties": {"type": "integer"}}
ROWS = {"type": "array", "items": {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}}
ANALYTICS = {
    "type": "object",
    "required": ["from", "to", "totals", "growth", "sources", "validity", "duplicates", "lists", "imports"],
    "properties": {
        "from": {"type": "string", "format": "date"},
        "to": {"type": "string", "format": "date"},
        **dict.fromkeys(("totals", "validity", "duplicates", "imports"), NUMBERS),
        **dict.fromkeys(("growth", "sources", "lists"), ROWS),
    },
}


class EraseRequestSerializer(Serializer):
    confirm = serializers.BooleanField(help_text="Must be true: nothing brings the person back.")
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, help_text="No personal data.")

    def validate_confirm(self, value: bool) -> bool:
        if not value:
            raise serializers.ValidationError("Confirm with true.", code="required")
        return value


class ErasureSerializer(ModelSerializer):
    """A certificate of erasure."""

    identifiers = serializers.ListField(child=serializers.CharField(), read_only=True)
    removed = serializers.DictField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Erasure
        fields = [
            "id", "contact_id", "erased_at", "erased_by_id", "reason", "removed", "identifiers", "suppressed", "is_verified"
        ]  # fmt: skip
        read_only_fields = fields
