from typing import Any

from rest_framework import serializers

from contacts.models import RelationRole
from contacts.serializers.clients import ClientSerializer
from contacts.serializers.contacts import ContactSerializer
from sales.models import AssignmentRule
from sales.serializers.deals import DealSerializer
from sales.services.assignment import CRITERIA
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PlainJSONField, Serializer


class LeadContactSerializer(ContactSerializer):
    """A person to be made, unless the phone or e-mail address is known."""

    class Meta(ContactSerializer.Meta):
        fields = [
            "first_name",
            "last_name",
            "email",
            "phone",
            "phone_extension",
            "company",
            "title",
            "city",
            "state",
            "country",
            "tags",
            "source",
            "notes",
        ]
        read_only_fields: list[str] = []


class LeadClientSerializer(ClientSerializer):
    """A company to be made, unless the name is known."""

    class Meta(ClientSerializer.Meta):
        fields = ["name", "domain", "website", "industry", "city", "state", "country", "source", "tags"]
        read_only_fields: list[str] = []


class LeadDealSerializer(DealSerializer):
    """A deal to be made."""

    class Meta(DealSerializer.Meta):
        fields = [
            "name",
            "stage_id",
            "amount",
            "currency",
            "expected_close_on",
            "description",
            "source",
            "tags",
            "lines",
        ]
        read_only_fields: list[str] = []


class ConvertSerializer(Serializer):
    """A lead, and what becomes of it: of contact, client and deal each an id or fields."""

    contact_id = serializers.UUIDField(required=False)
    contact = LeadContactSerializer(required=False)
    client_id = serializers.UUIDField(required=False)
    client = LeadClientSerializer(required=False)
    deal_id = serializers.UUIDField(required=False)
    deal = LeadDealSerializer(required=False)
    role = serializers.ChoiceField(choices=RelationRole.choices, required=False, help_text="At the client.")
    assigned_to = serializers.UUIDField(
        required=False, source="assigned_to_id", help_text="By the assignment rules unless given."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        problems: dict[str, Any] = {}
        for name in ("contact", "client", "deal"):
            if name in attrs and f"{name}_id" in attrs:
                problems[name] = [serializers.ErrorDetail(f"Give either {name} or {name}Id.", code="exclusive")]
        if "contact" not in attrs and "contact_id" not in attrs:
            problems["contactId"] = [serializers.ErrorDetail("Say who the lead is.", code="required")]
        if problems:
            raise serializers.ValidationError(problems)
        return attrs


class ConversionSerializer(Serializer):
    """What became of the lead."""

    contact = NamedSerializer()
    client = NamedSerializer()
    deal = NamedSerializer()
    created = serializers.ListField(
        child=serializers.ChoiceField(choices=["contact", "client", "deal"]), help_text="What was not there before."
    )


class AssignmentRuleSerializer(ModelSerializer):
    """Leads that meet the criteria go to the members in turn."""

    position = serializers.IntegerField(
        min_value=0, max_value=10_000, required=False, help_text="The lowest that fits."
    )
    criteria = PlainJSONField(
        required=False, help_text=f'Accepted values by field, e.g. {{"state": ["CA"]}}: {", ".join(CRITERIA)}.'
    )
    members = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=200)

    class Meta:
        model = AssignmentRule
        fields = ["id", "name", "position", "criteria", "members", "is_active", "turn", "created_at", "updated_at"]
        read_only_fields = ["turn", "created_at", "updated_at"]

    def validate_criteria(self, value: dict[str, Any]) -> dict[str, list[str]]:
        for name, accepted in value.items():
            if name not in CRITERIA:
                raise serializers.ValidationError(f"There is no criterion {name[:60]!r}.", code="choice")
            if not isinstance(accepted, list) or not 0 < len(accepted) <= 500:
                raise serializers.ValidationError(f"{name} is a list of values.", code="list")
            if not all(isinstance(each, str) and len(each) <= 255 for each in accepted):
                raise serializers.ValidationError(f"{name} is a list of texts.", code="text")
        return value

    def validate_members(self, value: list[Any]) -> list[Any]:
        return list(dict.fromkeys(value))
