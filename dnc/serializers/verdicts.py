from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from dnc.models import ContactAttempt, EmailOptOut, Permission
from dnc.models.lists import Channel
from dnc.services.decision import CODES
from vocelio.api.serializers import ModelSerializer, PersonField, Serializer

MOST_NUMBERS = 10_000
LONGEST = 250


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "minItems": 1,
        "maxItems": MOST_NUMBERS,
    }
)
class NumbersField(serializers.Field):  # type: ignore[type-arg]
    """A list of numbers as text, checked at once: a field for each of ten thousand would cost a tenth of a second."""

    default_error_messages = {
        "not_a_list": "This must be a list of 1 to 10,000 numbers.",
        "not_text": "Each number must be text of at most 250 characters.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_NUMBERS:
            self.fail("not_a_list")
        if not all(type(each) is str and 0 < len(each) <= LONGEST and "\0" not in each for each in data):
            self.fail("not_text")
        numbers: list[str] = data
        return numbers

    def to_representation(self, value: Any) -> Any:
        return value


class CheckSerializer(Serializer):
    phone_numbers = NumbersField()
    at = serializers.DateTimeField(required=False, help_text="Judge for this moment rather than now.")


class ModeSerializer(Serializer):
    allowed = serializers.BooleanField()
    callable_now = serializers.BooleanField()
    seconds_until = serializers.IntegerField(allow_null=True)


class ModesSerializer(Serializer):
    manual = ModeSerializer()
    autodialer = ModeSerializer()
    sms = ModeSerializer()
    whatsapp = ModeSerializer()


class CallingWindowSerializer(Serializer):
    is_open = serializers.BooleanField()
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    seconds_left = serializers.IntegerField(allow_null=True)
    rule = serializers.CharField(allow_null=True)


class VerdictSerializer(Serializer):
    """What may be done with one number, and every reason."""

    input = serializers.CharField()
    phone_number = serializers.CharField(allow_null=True)
    code = serializers.ChoiceField(list(CODES.items()))
    meaning = serializers.CharField()
    is_callable = serializers.BooleanField()
    reasons = serializers.ListField(
        child=serializers.DictField(), help_text="code, effect, message, and where they apply: list, listId, rule, ..."
    )
    modes = ModesSerializer()
    permission = serializers.DictField(allow_null=True)
    line_type = serializers.CharField()
    country = serializers.CharField()
    state = serializers.CharField()
    time_zones = serializers.ListField(child=serializers.CharField())
    calling_window = CallingWindowSerializer()
    contacted_last24_hours = serializers.IntegerField()


class CheckAnswerSerializer(Serializer):
    enveloped = False
    data = VerdictSerializer(many=True)  # type: ignore[assignment]
    certificate_id = serializers.UUIDField()
    rules_version = serializers.CharField()


class OptOutSerializer(Serializer):
    phone_numbers = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST), required=False, max_length=1000, default=list
    )
    emails = serializers.ListField(
        child=serializers.CharField(max_length=320), required=False, max_length=1000, default=list
    )
    channel = serializers.ChoiceField(Channel.choices, default=Channel.ALL)
    source = serializers.CharField(max_length=255, required=False, allow_blank=True, default="")  # type: ignore[assignment]
    reason = serializers.CharField(max_length=255, required=False, allow_blank=True, default="")
    notes = serializers.CharField(max_length=5000, required=False, allow_blank=True, default="")


class OptOutAnswerSerializer(Serializer):
    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    emails = serializers.IntegerField()


class EmailOptOutSerializer(ModelSerializer):
    """An address whose owner said no."""

    class Meta:
        model = EmailOptOut
        fields = ["id", "email", "source", "reason", "created_at"]
        read_only_fields = fields


class PermissionSerializer(ModelSerializer):
    phone_number = serializers.CharField(max_length=50)
    channel = serializers.ChoiceField(Channel.choices, required=False)
    created_by = PersonField()

    class Meta:
        model = Permission
        fields = [
            "id",
            "phone_number",
            "kind",
            "occurred_on",
            "expires_on",
            "channel",
            "purpose",
            "person",
            "reference",
            "revoked_at",
            "created_by",
            "created_at",
        ]
        read_only_fields = ["revoked_at", "created_at"]


class AttemptSerializer(ModelSerializer):
    phone_number = serializers.CharField(max_length=50)
    channel = serializers.ChoiceField(Channel.choices, required=False)
    duration = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=1_000_000)

    class Meta:
        model = ContactAttempt
        fields = [
            "id",
            "phone_number",
            "caller",
            "channel",
            "attempted_at",
            "duration",
            "disposition",
            "campaign",
            "seller",
            "goods",
            "created_at",
        ]
        read_only_fields = ["created_at"]
